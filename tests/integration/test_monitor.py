"""The stage monitor in a folder of its own, with real batches and a real champion."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.adapters import batches, bundles, champions
from perennial.adapters.champions import Champion
from perennial.adapters.configuration import read_params
from perennial.commands import attempts
from perennial.core import case
from perennial.core.model.candidate import to_artefacts
from perennial.core.plan import make_plan
from perennial.core.proof import population
from perennial.params import Split
from perennial.stages.monitor import monitor

PERIODS = 10
ROWS = 1000


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ten accepted batches, parameters, and a champion that was trained on them."""
    folder = tmp_path_factory.mktemp("prepared")
    params = population.synthetic_params(read_params())
    rows = population.synthetic(0)
    for number in range(PERIODS):
        own = slice(number * ROWS, (number + 1) * ROWS)
        frame = rows.raw.iloc[own].assign(said=rows.target[own]).reset_index(drop=True)
        batches.write_parquet(folder / f"data/accepted/{number:02}.parquet", frame)
    fitted = case.fit(rows, params)
    digest = bundles.write(folder / "models/champion", to_artefacts(fitted.candidate))
    content = json.loads(params.model_dump_json(by_alias=True, exclude_unset=True))
    content["target"] = {"column": "said", "positive": 1}
    content["split"] |= {"calibration_rows": 2000, "holdout_rows": 4000}
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    refs = [batches.describe(batch) for batch in batches.find(folder / "data/accepted")]
    plan = make_plan(refs, Split.model_validate(content["split"]), "bootstrap", "bootstrap")
    champion = Champion("m", "1", digest, plan, "promote", "2020-01-01T00:00:00Z", [])
    champions.write(champion, folder / "champion.json")
    return folder


@pytest.fixture
def project(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_tree: Callable[..., None]
) -> Path:
    copy_tree(prepared, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def copy_tree() -> Callable[..., None]:
    import shutil

    return lambda source, target: shutil.copytree(source, target, dirs_exist_ok=True)


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


def change(group: str, **values: Any) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content[group] |= values
    Path("params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def test_without_a_champion_it_is_a_bootstrap(project: Path) -> None:
    """Nobody to compare with: a first plan, and a page that says so."""
    nobody = dict.fromkeys(("version", "digest", "plan", "verdict", "when"))
    content = {"schema_version": 1, "model": "m", "attempts": [], **nobody}
    (project / "champion.json").write_text(json.dumps(content))
    monitor()
    assert report()["action"] == plan()["action"] == "bootstrap"
    assert "nobody is champion" in Path("reports/drift.html").read_text()


@pytest.mark.usefixtures("project")
def test_nothing_newer_keeps_the_champions_plan_byte_for_byte() -> None:
    """The plan under keep is the champion's own, its action included."""
    monitor()
    assert report()["action"] == "keep"
    assert plan() == champion().plan


@pytest.mark.usefixtures("project")
def test_a_quiet_month_keeps_and_leaves_the_same_plan() -> None:
    """A new batch changes the report, and not one byte of the plan."""
    monitor()
    before = Path("data/plan.json").read_bytes()
    arrive("10", moved=False)
    monitor()
    assert report()["period"] == "10"
    assert report()["n"] == 600
    assert (report()["verdict"], report()["action"]) == ("none", "keep")
    assert Path("data/plan.json").read_bytes() == before


@pytest.mark.usefixtures("project")
def test_a_month_that_moved_is_planned_in_and_told_with_pictures() -> None:
    """The plan takes the month in with the champion's recipe; the page shows what moved."""
    arrive("10", moved=True)
    monitor()
    found = report()
    assert (found["verdict"], found["action"]) in {("drift", "retrain"), ("harmful", "retrain")}
    assert plan()["because"] == found["verdict"]
    assert plan()["hyperparameters"] is not None
    assert "10" in {ref["period"] for ref in plan()["parts"]["holdout"]}
    moved = {test["feature"] for test in found["tests"] if test["drifted"]}
    assert {"x1", "x3"} <= moved
    page = Path("reports/drift.html").read_text()
    assert page.count("data:image/png;base64,") >= 3
    assert "x1" in page


@pytest.mark.usefixtures("project")
def test_the_same_batches_give_the_same_bytes() -> None:
    """Report, page, table and plan are hashed: nothing in them hangs on when they were made."""
    arrive("10", moved=True)
    made = []
    for _ in range(2):
        monitor()
        names = ("reports/drift.json", "reports/drift.html", "reports/drift/tests.csv")
        made.append([Path(name).read_bytes() for name in (*names, "data/plan.json")])
    assert made[0] == made[1]


@pytest.mark.usefixtures("project")
def test_a_request_is_followed() -> None:
    """A scheduled or manual request is the parameter policy.request."""
    change("policy", request="retune")
    arrive("10", moved=False)
    monitor()
    assert (plan()["action"], plan()["because"]) == ("retune", "request")
    assert plan()["hyperparameters"] is None


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
