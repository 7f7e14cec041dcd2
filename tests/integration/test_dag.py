"""Stages one by one, with real DVC: order, outcomes, output, errors, and what a kill leaves."""

import fcntl
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.integration.pipelines import STAGES, Pipeline, enter, make

from perennial import paths
from perennial.adapters import dag, runlock
from perennial.errors import BusyError, InputError, IntegrityError, PerennialError, UnreachableError

BROKEN = '{"write": {"/a": {"pid": 1, "cm'


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    return enter(make(tmp_path / "project"), monkeypatch)


def walk(said: list[str] | None = None) -> dict[str, str]:
    """Walk all stages and return each one's outcome, in order."""
    outcomes: dict[str, str] = {}

    def visit(step: dag.Step) -> None:
        outcomes[step.name] = step.run((said if said is not None else []).append)

    dag.walk(visit)
    return outcomes


def failing(expected: type[PerennialError]) -> PerennialError:
    with pytest.raises(PerennialError) as caught:
        walk()
    assert type(caught.value) is expected
    return caught.value


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


def test_stale_names_what_changed_and_only_that(pipeline: Pipeline) -> None:
    assert dag.stale() == {name: ["never run"] for name in STAGES}
    walk()
    assert dag.stale() == {}
    pipeline.touch("other")
    assert dag.stale() == {"first": ["input.txt: modified"]}


def test_the_digest_in_the_lock_file_is_of_the_output_as_it_was_made(pipeline: Pipeline) -> None:
    assert dag.md5_in_lock(paths.GATE_REPORT) is None
    walk()
    before = dag.md5_in_lock(paths.GATE_REPORT)
    assert before is not None
    paths.GATE_REPORT.write_text("{}")
    assert dag.md5_in_lock(paths.GATE_REPORT) == before
    assert dag.md5_in_lock(Path("nothing.json")) is None


@pytest.fixture
def champion(pipeline: Pipeline) -> Path:
    folder = paths.CHAMPION_BUNDLE
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("whole")
    dag.track(folder)
    return folder / "model.json"


def test_what_is_tracked_can_be_fetched_again(champion: Path) -> None:
    """From the cache: missing, or changed."""
    assert dag.is_tracked(paths.CHAMPION_BUNDLE)
    champion.write_text("broken")
    assert not dag.is_tracked(paths.CHAMPION_BUNDLE)
    dag.fetch(paths.CHAMPION_BUNDLE)
    assert champion.read_text() == "whole"
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    dag.fetch(paths.CHAMPION_BUNDLE)
    assert champion.read_text() == "whole"
    assert dag.is_tracked(paths.CHAMPION_BUNDLE)


def test_what_the_cache_lost_comes_from_the_remote(pipeline: Pipeline, champion: Path) -> None:
    pipeline.dvc("remote", "add", "-d", "store", str(pipeline.folder.parent / "remote"))
    pipeline.dvc("push")
    shutil.rmtree(".dvc/cache")
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    dag.fetch(paths.CHAMPION_BUNDLE)
    assert champion.read_text() == "whole"


def test_what_can_not_be_had_is_an_integrity_failure(champion: Path) -> None:
    """Neither in the cache nor on a remote; or nothing that names it."""
    shutil.rmtree(".dvc/cache")
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    with pytest.raises(IntegrityError, match="models/champion"):
        dag.fetch(paths.CHAMPION_BUNDLE)
    Path("models/champion.dvc").unlink()
    with pytest.raises(IntegrityError, match=r"champion\.dvc"):
        dag.fetch(paths.CHAMPION_BUNDLE)


def test_a_pointer_torn_by_a_kill_is_made_anew(champion: Path) -> None:
    pointer = Path("models/champion.dvc")
    whole = pointer.read_bytes()
    pointer.write_bytes(whole[: len(whole) // 2])
    dag.track(paths.CHAMPION_BUNDLE)
    assert pointer.read_bytes() == whole


def test_a_stage_may_fetch_while_dvc_runs_it(pipeline: Pipeline, champion: Path) -> None:
    """As monitor and gate do with the champion."""
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    with Path("stage.py").open("a") as script:
        script.write("\nif name == 'first':\n    from perennial.adapters import dag\n")
        script.write("    dag.fetch(pathlib.Path('models/champion'))\n")
    assert set(walk().values()) == {"ran"}
    assert champion.read_text() == "whole"


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
