"""A request for one run: set in params.yaml, put back to the byte, undone after a kill."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perennial.adapters.files.configuration import read_params
from perennial.commands import requests
from perennial.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped params.yaml, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    return Path("params.yaml")


def test_it_is_asked_for_as_long_as_it_lasts_and_put_back_to_the_byte(params: Path) -> None:
    """One word differs meanwhile; comments and all else stay."""
    before = params.read_bytes()
    with requests.asked("retune"):
        assert read_params("policy").policy.request == "retune"
        meanwhile = params.read_bytes()
        assert meanwhile.replace(b"request: retune", b"request: none") == before
    assert params.read_bytes() == before
    assert not requests.NOTE.exists()


def test_it_is_put_back_when_the_run_fails(params: Path) -> None:
    before = params.read_bytes()
    with pytest.raises(KeyError), requests.asked("retrain"):
        raise KeyError
    assert params.read_bytes() == before


def test_asking_for_nothing_leaves_what_the_file_asks_for(params: Path) -> None:
    content = params.read_bytes().replace(b"request: none", b"request: retrain")
    params.write_bytes(content)
    with requests.asked("none"):
        assert read_params("policy").policy.request == "retrain"
    with requests.asked("retrain"):
        assert not requests.NOTE.exists()
    assert params.read_bytes() == content


def test_what_a_killed_run_left_is_undone_by_the_next(params: Path) -> None:
    before = params.read_bytes()
    code = "import os, perennial.commands.requests as r\nwith r.asked('retune'): os.kill(0, 9)"
    killed = subprocess.run([sys.executable, "-c", code], check=False, start_new_session=True)
    assert killed.returncode == -signal.SIGKILL
    assert read_params("policy").policy.request == "retune"
    assert requests.restore()
    assert params.read_bytes() == before
    assert not requests.restore()


def test_what_a_person_wrote_since_stays(params: Path) -> None:
    with requests.asked("retune"):
        note = requests.NOTE.read_bytes()
    requests.NOTE.write_bytes(note)  # as a kill leaves it
    content = params.read_bytes().replace(b"request: none", b"request: retrain")
    params.write_bytes(content)
    assert requests.restore()
    assert params.read_bytes() == content


def test_a_word_that_cannot_be_set_in_place_is_named_and_nothing_changes(params: Path) -> None:
    content = params.read_bytes().replace(b"request: none", b'request: "none"')
    params.write_bytes(content)
    with pytest.raises(InputError, match=r"line \d+, policy.request"), requests.asked("retune"):
        pytest.fail("it was set")
    assert params.read_bytes() == content
    assert not requests.NOTE.exists()
