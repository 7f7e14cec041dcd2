"""How a stage's process ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from perennial.stages.running import run

SCRIPT = """
import atexit, os, sys
from perennial.errors import InputError
from perennial.stages.running import run

def stage():
    atexit.register(lambda: print("asked to be told of the end"))
    sys.stdout.write("said without a line's end")
    if {fails}:
        raise InputError("wrong", "put it right")

class Held:
    def __del__(self):
        os.write(1, b"taken down")

held = Held()
run(stage)
"""


@pytest.mark.parametrize(("fails", "code"), [(False, 0), (True, 2)])
def test_a_stage_ends_when_all_is_said_and_nothing_is_taken_down(
    tmp_path: Path, fails: bool, code: int
) -> None:
    """Into a pipe too, which Python writes to in blocks."""
    command = [sys.executable, "-c", SCRIPT.format(fails=fails)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "said without a line's end" in done.stdout
    assert "asked to be told of the end" in done.stdout
    assert "taken down" not in done.stdout
    assert ("wrong" in done.stderr) == fails


def test_within_another_program_a_stage_leaves_that_program_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage that is imported ends with an exception, which its caller may catch."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run(lambda: 1)
    assert ended.value.code == 1
