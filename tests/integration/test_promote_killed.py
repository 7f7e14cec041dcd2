"""A promotion that was killed anywhere is finished by running it again."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.integration.killed import STEPS, kill
from tests.integration.pipelines import Pipeline
from tests.integration.promoted import MODEL, Registry, champion, state

from perennial import paths
from perennial.adapters import bundles, dag
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.commands import pending
from perennial.commands.history import history
from perennial.commands.promote import promote
from perennial.commands.verify import verify


@pytest.fixture(scope="module")
def undisturbed(judged: tuple[Pipeline, Registry]) -> dict[str, Any]:
    """What a promotion leaves that nobody killed; filled in by the first who needs it."""
    return {}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_promotion_killed_anywhere_is_finished_by_running_it_again(
    pipeline: Pipeline,
    remembered: Registry,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: dict[str, Any],
    step: str,
    after: bool,
) -> None:
    """And ends as if nothing had happened."""
    if not undisturbed:
        start = Path.cwd()
        shutil.copytree(start, start.with_name("undisturbed"))
        monkeypatch.chdir(start.with_name("undisturbed"))
        promote()
        undisturbed |= copy.deepcopy(state(remembered))
        remembered.aliases.clear()
        monkeypatch.chdir(start)
    where, name, target = STEPS[step]
    kill(monkeypatch, where, name, target=target, after=after)
    promote()
    assert state(remembered) == undisturbed
    assert len(history()) == 1
    assert verify().faults == 0


@pytest.mark.parametrize(
    "step", ["the bundle is placed", "it is tracked", "the champion is written"]
)
def test_what_was_decided_is_finished_also_when_something_else_is_judged_since(
    pipeline: Pipeline, remembered: Registry, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Or the next run would find a bundle that is not the champion's, and end with exit 3."""
    digest = bundles.digest(paths.CANDIDATE)
    where, name, target = STEPS[step]
    kill(monkeypatch, where, name, target=target)
    bundles.write(paths.CANDIDATE, {"model.json": b"another"})
    paths.GATE_REPORT.write_text('{"verdict": "block", "why": "another"}')
    with pytest.raises(dag.BlockedError):
        promote()
    assert champion().digest == digest
    assert verify().faults == 0


def test_what_was_decided_no_longer_holds_once_another_was_promoted(
    pipeline: Pipeline, remembered: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example where Git brought a champion.json that a colleague made."""
    kill(monkeypatch, dag, "track")
    plan = json.loads(paths.PLAN.read_text())
    other = Champion(MODEL, "7", "d" * 64, plan, "promote", "2026-01-01T00:00:00Z", [])
    champions.write(other)
    assert pending.finish() is None
    assert champion() == other
    assert not pending.FOLDER.exists()
