"""Stages one by one, with real DVC: order, outcomes, output and errors."""

import shutil
import signal
import threading
from pathlib import Path

import pytest
from tests.integration.pipelines import STAGES, Pipeline, failing, pipeline, walk

from perennial import paths
from perennial.adapters import dag
from perennial.errors import InputError, IntegrityError, PerennialError, UnreachableError

__all__ = ["pipeline"]


def test_the_order_is_that_of_dvc_repro(pipeline: Pipeline) -> None:
    """Also of the list that is only asked for, and the lock file comes out byte for byte."""
    assert dag.stages() == list(STAGES)
    pipeline.dvc("repro")
    by_dvc, lock = pipeline.ran(), Path("dvc.lock").read_bytes()
    Path("dvc.lock").unlink()
    shutil.rmtree(".dvc/cache")
    assert list(walk()) == by_dvc == pipeline.ran() == list(STAGES)
    assert Path("dvc.lock").read_bytes() == lock


def test_an_outcome_says_whether_a_stage_ran(pipeline: Pipeline) -> None:
    """A stage that always runs does; outputs that DVC had for these very inputs are restored."""
    assert set(walk().values()) == {"ran"}
    quiet = dict.fromkeys(STAGES, "unchanged") | {"last": "ran"}
    assert walk() == quiet
    pipeline.touch("other")
    assert walk() == dict.fromkeys(STAGES, "ran")
    pipeline.touch("start")
    pipeline.ran()
    assert walk() == dict.fromkeys(STAGES, "restored") | {"last": "ran"}
    assert pipeline.ran() == ["last"]


def test_output_comes_while_the_stage_runs(pipeline: Pipeline) -> None:
    """The stage waits for what only somebody makes who has heard it."""
    pipeline.behave("first", says=["tick"], waits_for="tock")
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        if line == "tick":
            Path("tock").touch()

    dag.walk(lambda step: step.run(hear))
    assert said[:2] == ["tick", "heard"]


def test_output_goes_to_the_log_and_nowhere_else(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    """And the log outlives runs in which there was nothing to do."""
    walk()
    walk()
    assert (paths.LOGS / "first.log").read_text() == "first: done as told\n"
    assert capfd.readouterr() == ("", "")


def test_a_listener_that_fails_does_not_hang_the_stage(pipeline: Pipeline) -> None:
    pipeline.behave("first", says=["x" * 1000] * 200)  # more than a pipe holds

    def fail(_: str) -> None:
        raise BrokenPipeError

    dag.walk(lambda step: step.run(fail))
    assert len((paths.LOGS / "first.log").read_text()) == 200 * 1001


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, dag.BlockedError), (2, InputError), (3, IntegrityError), (4, UnreachableError)],
)
def test_a_failure_has_the_stages_own_code_and_words(
    pipeline: Pipeline, code: int, kind: type[PerennialError]
) -> None:
    pipeline.behave("second", code=code, message="this is wrong\nand that\n→ put it right")
    error = failing(kind)
    assert (error.exit_code, error.faults) == (code, ["this is wrong", "and that"])
    assert error.remedy == "put it right"
    assert pipeline.ran() == ["first", "second"]


def test_a_stage_that_leaves_no_reason_crashed(pipeline: Pipeline) -> None:
    """What an earlier run left is not taken for a reason; 70 is no fault of the user's."""
    pipeline.behave("second", code=2, message="→ of before")
    failing(InputError)
    pipeline.behave("second", crashes=True)
    error = failing(dag.CrashedError)
    assert error.exit_code == 70
    assert "second ended with 1" in error.faults[0]
    assert "second.log" in error.remedy
    assert "KeyError" in (paths.LOGS / "second.log").read_text()


def test_a_stage_that_was_killed_is_said_to_be(pipeline: Pipeline) -> None:
    pipeline.behave("second", signal=signal.SIGKILL)
    error = failing(dag.CrashedError)
    assert "signal 9" in error.faults[0] or "137" in error.faults[0]
    assert "memory" in error.remedy


def test_a_stage_can_be_tried_again_in_the_same_walk(pipeline: Pipeline) -> None:
    pipeline.behave("second", code=4, message="away\n→ wait", once=True)

    def visit(step: dag.Step) -> None:
        try:
            step.run(lambda _: None)
        except UnreachableError:
            step.run(lambda _: None)

    dag.walk(visit)
    assert pipeline.ran() == ["first", "second", "second", "judge", "last"]
    assert dag.stale() == {}


def test_python_is_this_one_also_where_the_environment_is_not_activated(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    text = (
        Path("dvc.yaml")
        .read_text()
        .replace("stage.py first", "-m dvc.version && touch data/first.txt")
    )
    Path("dvc.yaml").write_text(text)
    Path("data").mkdir()
    pipeline.behave("second", code=2)
    failing(InputError)
    assert Path("data/first.txt").exists()


def test_outside_of_a_project_it_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no project" in failing(InputError).faults[0]


def test_a_wrong_dvc_yaml_is_the_users_to_correct(pipeline: Pipeline) -> None:
    Path("dvc.yaml").write_text("stages: {first: {comand: x}}")
    assert "dvc.yaml" in failing(InputError).faults[0]


def test_it_works_beside_other_threads(pipeline: Pipeline) -> None:
    """Prefect has some; a walk from another thread than the main one is the same."""
    outcomes: list[dict[str, str]] = []
    thread = threading.Thread(target=lambda: outcomes.append(walk()))
    thread.start()
    thread.join()
    assert set(outcomes[0].values()) == {"ran"}
