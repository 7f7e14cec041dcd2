"""Replay and the DAG are one: for the same month and the same champion they find the same, decide
the same, plan the same, train the same candidate and judge it the same."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perennial import paths
from perennial.adapters import files
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.commands import replaying
from perennial.commands.past import past
from perennial.core.monitoring.finding import Finding, Known
from perennial.core.replay.rules import Rule, parse
from perennial.params import Params

from .conftest import Project

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Month:
    """What replay makes of a month, from the champion of the project in this folder."""

    params: Params
    state: replaying.State
    period: str

    def found(self, rule: Rule) -> tuple[Finding, Any]:
        known = past(self.params)
        arrived = Known(self.state.plan, self.state.attempts, *known.until(self.period))
        return replaying.plan_for(rule, 1, arrived, self.state, known, self.params)


@pytest.fixture
def inside(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.chdir(project.folder)
    yield project
    replaying.load.cache_clear()


def month(period: str) -> Month:
    champion = champions.read()
    assert champion is not None
    shutil.copytree(paths.CHAMPION_BUNDLE, replaying.MODELS / champion.digest, dirs_exist_ok=True)
    state = replaying.State(champion.digest, champion.plan, champion.attempts)
    return Month(read_params(), state, period)


@pytest.mark.parametrize("period", [pytest.param("2010-09", marks=pytest.mark.long), "2010-11"])
def test_replay_decides_what_the_stage_monitor_decides(inside: Project, period: str) -> None:
    inside.edit("params.yaml", '^  as_of: "2010-08"', f'  as_of: "{period}"')
    ran = inside.dvc("repro", "monitor")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    drift = inside.read("reports/drift.json")
    assert (drift["period"], drift["n"] > 0) == (period, True)
    here = month(period)
    finding, plan = here.found(Rule("drift"))
    assert finding.examination is not None
    said = {
        "action": finding.choice.action,
        "why": finding.choice.why,
        "verdict": finding.examination.verdict,
        "tests": finding.examination.comparison.to_json()["tests"],
    }
    shown = files.json_bytes(said)  # as a report rounds
    assert shown == files.json_bytes({name: drift[name] for name in said})
    planned = plan if plan is not None else here.state.plan
    assert files.exact_json_bytes(planned) == Path("data/plan.json").read_bytes()


@pytest.mark.parametrize("request_", ["retrain", pytest.param("retune", marks=pytest.mark.long)])
def test_replay_trains_and_judges_what_the_dag_trains_and_judges(
    inside: Project, request_: str
) -> None:
    inside.edit("params.yaml", '^  as_of: "2010-08"', '  as_of: "2010-11"')
    inside.edit("params.yaml", r"^  request: none", f"  request: {request_}")
    ran = inside.dvc("repro", "gate")
    gate = inside.read("reports/gate.json")
    assert (ran.returncode == 0) == (gate["verdict"] != "block"), ran.stderr
    plan = inside.read("data/plan.json")
    assert plan["action"] == request_
    here = month("2010-11")
    if request_ == "retrain":
        assert here.found(parse("always"))[1] == plan
    done = replaying.challenge(plan, here.state, past(here.params), here.params)
    assert done["candidate"] == gate["candidate"]
    assert (done["verdict"], done["judged"]) == (gate["verdict"], gate["why"])
