"""Two runs at once in one folder: one works, the other says so and leaves."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.pipelines import STAGES, Pipeline, pipeline

from perennial.adapters import dag, runlock
from perennial.errors import BusyError

__all__ = ["pipeline"]
WALK = (
    "from perennial.adapters import dag, runlock\n"
    "with runlock.alone() as held:\n"
    "    dag.walk(lambda step: step.run(lambda line: None), [held])\n"
)


def at_work(pipeline: Pipeline, *command: str) -> "subprocess.Popen[str]":
    """Start a run and wait until its first stage is at work."""
    pipeline.behave("first", waits_for="go")
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until = time.monotonic() + 60
    while not Path("ran.txt").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


def finish(pipeline: Pipeline, process: "subprocess.Popen[str]") -> None:
    """The one that works was not disturbed."""
    Path("go").touch()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert pipeline.ran() == list(STAGES)


def walk() -> None:
    with runlock.alone() as held:
        dag.walk(lambda step: str(step.run(lambda _: None)), [held])


def test_a_run_beside_plain_dvc_repro_leaves_with_exit_4(pipeline: Pipeline) -> None:
    process = at_work(pipeline, "dvc", "repro")
    began = time.monotonic()
    with pytest.raises(BusyError, match="another run is at work") as error:
        walk()
    assert error.value.exit_code == 4
    assert str(process.pid) in error.value.faults[0]
    assert time.monotonic() - began < 20
    finish(pipeline, process)
    walk()


def test_plain_dvc_repro_beside_a_run_says_so_and_leaves(pipeline: Pipeline) -> None:
    process = at_work(pipeline, sys.executable, "-c", WALK)
    second = subprocess.run(["dvc", "repro"], capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert "is busy" in second.stderr or "Unable to acquire lock" in second.stderr, second.stderr
    finish(pipeline, process)
    assert pipeline.dvc("repro").returncode == 0


def test_a_second_run_is_not_tried_again_by_the_flow() -> None:
    """It would leave after half a minute; what a server does not answer is tried again."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "flows"))
    try:
        import steps
        from perennial.errors import UnreachableError

        class Failed:
            def __init__(self, error: Exception) -> None:
                self.error = error

            def result(self) -> None:
                raise self.error

        again = [
            steps._may_help(None, None, Failed(kind("x", "y")))  # type: ignore[arg-type]
            for kind in (BusyError, UnreachableError)
        ]
        assert again == [False, True]
    finally:
        sys.path.pop(0)
