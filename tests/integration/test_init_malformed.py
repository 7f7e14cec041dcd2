"""init on files as they go wrong: exit 2 and what is wrong, or where a file is in truth usable, a
sound project; never a traceback, never without end."""

import json
import time
from pathlib import Path

import pytest
from tests.integration import malformed
from tests.integration.initiated import project, shipped, state
from typer.testing import CliRunner

from perennial.cli import app

__all__ = ["project", "shipped"]
USABLE = {  # what some seeds of them leave whole, or read as what it says
    *("cut off", "bytes flipped", "quotes within", "NaN and Inf", "mixed types", "formulas"),
    *("formulas in the header", "giant numbers", "strange numbers", "strange days"),
    *("gzip spoiled", "zip spoiled", "UTF-16 cut in a sign", "Parquet spoiled"),
    *("encodings mixed", "quote not closed", "delimiters more"),
}


def outcome(path: Path) -> tuple[int, dict]:
    """Call the command as a user does; return its exit code and what it said."""
    arguments = ["init", "--data", str(path), "--target", "answer", "--dry-run", "--json"]
    began = time.process_time()
    result = CliRunner().invoke(app, arguments)
    assert time.process_time() - began < 30
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def check(kind: str, seed: int, folder: Path) -> int:
    code, said = outcome(malformed.write(kind, seed, folder))
    if code == 0:
        assert kind in USABLE, f"{kind}, {seed}: taken for sound"
        assert said["features"]
    else:
        assert code == 2, f"{kind}, {seed}: {code}: {said}"
        assert said["faults"]
        assert said["remedy"]
    return code


def test_the_table_that_is_spoiled_is_sound(project: Path, tmp_path: Path) -> None:
    (tmp_path / "sound.csv").write_bytes(malformed.sound())
    assert outcome(tmp_path / "sound.csv")[0] == 0


@pytest.mark.parametrize("kind", malformed.KINDS)
def test_a_spoiled_file_is_refused_or_usable(project: Path, tmp_path: Path, kind: str) -> None:
    if "bomb" in kind:
        pytest.skip("test_intake.py has small ones, the long tests have these")
    before = state(project)
    check(kind, 0, tmp_path)
    assert state(project) == before


@pytest.mark.long
def test_two_hundred_spoiled_files(project: Path, tmp_path: Path) -> None:
    codes = [check(kind, seed, tmp_path) for kind in malformed.KINDS for seed in range(1, 6)]
    assert len(codes) == 200
    assert codes.count(2) > 100
