"""Attempts: a challenge that lost is kept, once, and the stage monitor looks back on it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.champions_folder import prepare

from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.parquet import batches
from perennial.commands import attempts, rollback
from perennial.core.proof import population
from perennial.stages.monitor import monitor


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ten accepted batches, parameters, and a champion that was trained on them."""
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def project(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def arrive(period: str, moved: bool, rows: int = 600) -> None:
    drawn = population.synthetic(99)
    raw = drawn.raw.iloc[:rows].copy()
    if moved:
        raw[["x1", "x3"]] += 1.5
    frame = raw.assign(said=drawn.target[:rows])
    batches.write_parquet(Path(f"data/accepted/{period}.parquet"), frame)


def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("reports/drift.json").read_text())
    return found


def plan() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("data/plan.json").read_text())
    return found


def champion() -> Champion:
    found = champions.read()
    assert found is not None
    return found


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("verdict", ["keep", "block"])
def test_a_challenge_that_lost_is_kept_once_and_not_made_again(verdict: str) -> None:
    """The same drift does not ask for the same retraining for ever: the attempt is looked at."""
    arrive("10", moved=True)
    monitor()
    assert plan()["action"] == "retrain"
    before = champion()
    gate = {"verdict": verdict, "candidate": "c" * 64, "champion": before.digest}
    Path("reports/gate.json").write_text(json.dumps(gate))
    assert attempts.record()
    assert not attempts.record()
    lost = {"period": "10", "action": "retrain", "verdict": verdict, "digest": "c" * 64}
    assert champion() == replace(before, attempts=[lost])
    monitor()
    assert report()["action"] == "keep"
    assert "policy.cooldown" in report()["why"]
    assert plan() == before.plan


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "gate",
    [
        {"verdict": "promote", "candidate": "c", "champion": "its own"},
        {"verdict": "keep", "candidate": "its own", "champion": "its own"},
        {"verdict": "keep", "candidate": "c", "champion": "another"},
        {"verdict": "keep", "candidate": "c", "champion": None},
    ],
    ids=["it won", "the champion itself was judged", "another champion", "nobody was champion"],
)
def test_what_is_no_lost_challenge_is_not_kept(gate: dict[str, Any]) -> None:
    """Only a challenge of this very champion that did not win is an attempt."""
    monitor()
    digest = champion().digest
    told = {key: digest if value == "its own" else value for key, value in gate.items()}
    Path("reports/gate.json").write_text(json.dumps(told))
    assert not attempts.record()
    assert champion().attempts == []


@pytest.mark.usefixtures("project")
def test_after_a_rollback_the_monitor_keeps_whom_it_went_to() -> None:
    """The newer champion's drift is still there; its plan, and so its model, is not made again."""
    arrive("10", moved=True)
    first = champion()
    monitor()
    newer = plan()
    assert newer["action"] == "retrain"
    won = {"period": "10", "action": "retrain", "verdict": "promote", "digest": "c" * 64}
    champions.write(replace(first, digest="c" * 64, plan=newer, attempts=[won]))
    second = champion()
    attempt = rollback.attempt(second, newest="10")
    champions.write(replace(first, attempts=[*second.attempts, attempt]))
    monitor()
    assert report()["action"] == "keep"
    assert "on 10, ended in `rollback` 0 periods ago" in report()["why"]
    assert plan() == first.plan
