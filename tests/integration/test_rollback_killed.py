"""A rollback that was killed anywhere is finished by running it again; two at once make one."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.killed import STEPS, kill
from tests.integration.pipelines import Pipeline
from tests.integration.promoted import ROOT
from tests.integration.released import champion, copied, everything, judge

from perennial import paths
from perennial.adapters import registry
from perennial.commands import earlier, pending
from perennial.commands.history import history
from perennial.commands.rollback import rollback
from perennial.commands.verify import verify
from perennial.core.model.candidate import Candidate

OWN: dict[str, tuple[object, str, Path | None]] = {
    "its bundle is had": (registry, "download", None),
    "it was tried": (pending, "decide", None),
    "what it was tried from is cleared away": (shutil, "rmtree", earlier.FOLDER),
}
WHERE = {**OWN, **STEPS}
MOMENTS = [(step, after) for step in WHERE for after in (False, True)]
COMMONLY = (
    "it was tried",
    "it is decided",
    "the bundle is placed",
    "the alias is set",
    "the history is written",
    "the champion is written",
)
DONE = ("it is cleared away", True)  # nothing is left to be finished


@pytest.fixture(scope="module")
def undisturbed(succeeded: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a rollback leaves that nobody killed."""
    with pytest.MonkeyPatch.context() as patched:
        copied(succeeded, tmp_path_factory.mktemp("undisturbed") / "project", patched)
        rollback()
        return copy.deepcopy(everything())


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize(
    ("step", "after"),
    # before a step is after the one before it; the steps that change nothing yet are alike
    [
        pytest.param(*each, marks=[] if each[0] in COMMONLY and not each[1] else pytest.mark.long)
        for each in MOMENTS
    ],
)
def test_a_rollback_killed_anywhere_is_finished_by_running_it_again(
    monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, Any], step: str, after: bool
) -> None:
    """And ends as if nothing had happened: one champion further back, not two."""
    where, name, target = WHERE[step]
    kill(monkeypatch, where, name, target=target, after=after, act=rollback)
    if (step, after) == DONE or (not pending.DECISION.exists() and champion().version == "2"):
        rollback(to="2")  # nobody can tell that one from another wish to go back
    else:
        rollback()
    assert everything() == undisturbed
    assert len(history()) == 4
    assert verify().faults == 0


def at_once(*arguments: str) -> list[int]:
    """Run a command twice at the same time, as processes; return their exit codes."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "perennial.cli", *arguments]
    two = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(2)
    ]
    return sorted(process.wait(120) for process in two)


def test_two_at_once_leave_one_entry(released: Pipeline, models: dict[str, Candidate]) -> None:
    """Promotions, then rollbacks: one works, the other says so and leaves, or finds it done."""
    rollback(to="1")
    judge(released, models["3"], "once more")
    assert at_once("promote") in ([0, 4], [0, 0])
    assert [entry["action"] for entry in history()[3:]] == ["rollback", "promote"]
    assert champion().version == "3"
    assert at_once("rollback", "--to", "2") in ([0, 4], [0, 0])
    assert [entry["action"] for entry in history()[5:]] == ["rollback"]
    assert champion().version == "2"
    assert verify().faults == 0
    assert not paths.STATE.joinpath("promotion").exists()
