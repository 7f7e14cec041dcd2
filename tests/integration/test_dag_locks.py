"""Locks of a walk: what a kill leaves of them, how long they last, and who waits for them."""

import fcntl
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.pipelines import Pipeline, failing, pipeline, walk

from perennial import paths
from perennial.adapters import runlock
from perennial.errors import BusyError, InputError, UnreachableError

__all__ = ["pipeline"]
BROKEN = '{"write": {"/a": {"pid": 1, "cm'


def test_a_run_lock_torn_by_a_kill_is_healed(pipeline: Pipeline) -> None:
    """DVC's issue 7615: it writes that file in place, and then refuses to read it."""
    Path(".dvc/tmp").mkdir(exist_ok=True)
    Path(".dvc/tmp/rwlock").write_text(BROKEN)
    assert set(walk().values()) == {"ran"}


@pytest.mark.parametrize("last_line", ["", "  second:", "hash: md5", "md5: ", "size: ", "path: "])
def test_a_lock_file_torn_by_a_kill_is_healed(pipeline: Pipeline, last_line: str) -> None:
    """DVC has the outputs of all that ran; nothing is computed again, and the file is as it was."""
    walk()
    whole = Path("dvc.lock").read_bytes()
    ends = [end.end() for end in re.finditer(rf"{last_line}.*\n".encode(), whole)]
    for cut in {0, ends[-1], ends[len(ends) // 2] - 1}:
        Path("dvc.lock").write_bytes(whole[:cut])
        pipeline.ran()
        walk()
        assert pipeline.ran() == ["last"]
        assert Path("dvc.lock").read_bytes() == whole


def test_a_lock_file_with_a_merge_conflict_is_left_alone(pipeline: Pipeline) -> None:
    walk()
    conflict = "<<<<<<< HEAD\n" + Path("dvc.lock").read_text()
    Path("dvc.lock").write_text(conflict)
    assert "dvc.lock" in str(failing(InputError))
    assert Path("dvc.lock").read_text() == conflict


def test_another_run_of_dvc_is_met_with_a_clear_word(pipeline: Pipeline) -> None:
    Path(".dvc/tmp").mkdir(exist_ok=True)
    code = (
        "import time; from dvc.repo import Repo; r = Repo(); r.lock.lock();"
        "print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert "another run is at work" in failing(BusyError).faults[0]
    finally:
        holder.kill()
        holder.wait()


def test_a_lock_lasts_as_long_as_an_orphaned_stage(pipeline: Pipeline) -> None:
    """After a kill nobody starts beside a stage that is still at work."""
    pipeline.behave("first", says=["up"], waits_for="go")
    code = (
        "from perennial.adapters import dag, runlock\n"
        "with runlock.alone() as held:\n"
        "    dag.walk(lambda step: step.run(lambda line: print(line, flush=True)), [held])\n"
    )
    runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert runner.stdout is not None
    assert runner.stdout.readline() == b"up\n"
    runner.kill()
    runner.wait()
    with pytest.raises(UnreachableError, match="another run is at work"), runlock.alone():
        pass
    Path("go").touch()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with runlock.alone():
                return
        except UnreachableError:
            time.sleep(0.05)
    pytest.fail("the lock outlives the stage")


def test_a_lock_ends_with_its_run_whatever_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A helper process that a stage forgot must not keep the project locked for ever."""
    monkeypatch.chdir(tmp_path)
    with runlock.alone() as held:
        left = subprocess.Popen(["sleep", "60"], pass_fds=(held,))
    try:
        with runlock.alone():
            pass
    finally:
        left.kill()
        left.wait()


def test_a_process_of_the_run_that_holds_the_lock_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with runlock.alone() as held:
        monkeypatch.setenv(runlock.INHERITED, str(held))
        with runlock.alone() as again:
            assert again == held
        with pytest.raises(BlockingIOError), (paths.STATE / "run.lock").open() as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
