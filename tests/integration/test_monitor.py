"""The stage monitor on real batches with a real champion: what it decides, and what it leaves."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.integration.pipelines import NOBODY
from tests.integration.strict_html import Page

from perennial import paths
from perennial.adapters import bundles, champions, files
from perennial.adapters.champions import Champion
from perennial.stages.features import features
from perennial.stages.monitor import monitor
from perennial.stages.train import train

ROOT = Path(__file__).parents[2]
KNOWN = ("2009-10", "2009-11", "2009-12", "2010-01", "2010-02", "2010-03")
NEW, NEWER = "2010-04", "2010-05"
RECIPE = {
    "kind": "xgboost",
    "members": [{"params": {"learning_rate": 0.2, "max_depth": 3}, "rounds": 20}],
}
SMALLER = {
    r"^  calibration_rows: \d+": "  calibration_rows: 400",
    r"^  holdout_rows: \d+": "  holdout_rows: 400",
}
KEYS = {"schema_version", "period", "reference", "window", "n", "verdict", "action", "why", "late"}
KEYS |= {"replaced", "schema", "history", "tests", "domain", "signals", "corrections"}


def shipped(period: str) -> pd.DataFrame:
    return pd.read_parquet(ROOT / "data/batches" / f"{period}.parquet")


def accept(period: str, rows: pd.DataFrame) -> None:
    rows.to_parquet(paths.ACCEPTED / f"{period}.parquet")


def edit(**replaced: str) -> None:
    """Change values of params.yaml, each by the one line that has its key."""
    text = paths.PARAMS.read_text()
    for key, value in replaced.items():
        text, count = re.subn(rf"^(\s+{key}: )\S+", rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert count == 1, key
    paths.PARAMS.write_text(text)


def report() -> dict[str, Any]:
    return json.loads(paths.DRIFT_REPORT.read_text())


def page() -> str:
    return Page(paths.DRIFT_PAGE.read_text()).text


@pytest.fixture(scope="module")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose champion was planned, trained and promoted on the batches of KNOWN."""
    folder = tmp_path_factory.mktemp("crowned")
    with contextlib.chdir(folder):
        text = (ROOT / "params.yaml").read_text()
        for pattern, value in SMALLER.items():
            text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
            assert count == 1, pattern
        paths.PARAMS.write_text(text)
        paths.CHAMPION.write_text(json.dumps(NOBODY))
        paths.ACCEPTED.mkdir(parents=True)
        for period in KNOWN:
            accept(period, shipped(period))
        monitor()
        shutil.copytree("reports", "bootstrap")
        shutil.copyfile(paths.PLAN, "plan-of-the-champion.json")
        features()
        paths.RECIPE.parent.mkdir(exist_ok=True)
        files.write_bytes(paths.RECIPE, files.exact_json_bytes(RECIPE))
        train()
        shutil.copytree(paths.CANDIDATE, paths.CHAMPION_BUNDLE)
        crown()
    return folder


def crown(*attempts: dict[str, str]) -> None:
    plan = json.loads(Path("plan-of-the-champion.json").read_text())
    digest, when = bundles.digest(paths.CHAMPION_BUNDLE), "2010-04-01T00:00:00Z"
    champions.write(Champion("bank-deposits", "1", digest, plan, "promote", when, attempts))


@pytest.fixture
def project(crowned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project to work in, with no batch newer than the champion."""
    shutil.copytree(crowned, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def quiet() -> pd.DataFrame:
    """A month like those that the champion was calibrated and judged on."""
    known = pd.concat([shipped(period) for period in KNOWN[-4:]])
    return known.sample(300, random_state=5).reset_index(drop=True)


def moved() -> pd.DataFrame:
    """A month of older and richer customers."""
    rows = quiet()
    return rows.assign(age=(rows["age"] + 30).clip(upper=95), balance=90_000)


def test_a_schema_that_differs_is_reported_and_decides_nothing(project: Path) -> None:
    """A column more, one that is gone though no feature needs it, and one that became text."""
    changed = quiet().drop(columns="day").assign(agent="a", campaign=quiet()["campaign"])
    changed["duration"] = changed["duration"].astype(str)
    accept(NEW, changed)
    monitor()
    found = {one["column"]: one for one in report()["schema"]}
    assert {name: one["change"] for name, one in found.items()} == {
        "agent": "new",
        "day": "vanished",
        "duration": "kind",
    }
    assert (found["duration"]["reference"], found["duration"]["newest"]) == (["number"], ["text"])
    assert not any(one["used"] for one in found.values())
    assert (report()["verdict"], report()["action"]) == ("none", "keep")
    assert "Columns that are not as they were" in page()


def test_whole_numbers_that_became_floats_are_no_other_schema(project: Path) -> None:
    """One missing value makes them so."""
    accept(NEW, quiet().astype({"campaign": "float64"}))
    monitor()
    assert report()["schema"] == []
    assert "Columns that are not" not in page()


def test_nobody_is_champion_so_a_first_candidate_is_made(crowned: Path) -> None:
    """The plan holds out the newest batches; report and page say why nothing was compared."""
    plan = json.loads((crowned / "plan-of-the-champion.json").read_text())
    assert (plan["action"], plan["because"], plan["hyperparameters"]) == (
        "bootstrap",
        "bootstrap",
        None,
    )
    assert [ref["period"] for ref in plan["parts"]["holdout"]] == ["2010-02", "2010-03"]
    written = json.loads((crowned / "bootstrap/drift.json").read_text())
    assert set(written) == KEYS
    assert (written["action"], written["period"]) == ("bootstrap", "2010-03")
    assert "Nobody is champion yet." in Page((crowned / "bootstrap/drift.html").read_text()).text
    assert (crowned / "bootstrap/drift/tests.csv").read_text().startswith("feature,name,effect")


def test_nothing_newer_leaves_the_champions_plan_byte_for_byte(project: Path) -> None:
    """And needs no model: a champion whose bundle is not here is not asked for."""
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    paths.PLAN.unlink()
    monitor()
    assert paths.PLAN.read_bytes() == Path("plan-of-the-champion.json").read_bytes()
    found = report()
    assert set(found) == KEYS
    assert (found["action"], found["verdict"]) == ("keep", "none")
    assert found["why"] == "no batch is newer than 2010-03, the last that the champion knows"
    assert "Keep: the champion stays; nothing is trained." in page()


def test_a_quiet_month_leaves_the_champions_plan_byte_for_byte(project: Path) -> None:
    """It is compared, by every look, and nothing below it becomes stale."""
    accept(NEW, quiet())
    monitor()
    assert paths.PLAN.read_bytes() == Path("plan-of-the-champion.json").read_bytes()
    found = report()
    assert (found["verdict"], found["action"], found["n"]) == ("none", "keep", 300)
    assert found["window"] == [NEW]
    assert found["reference"]["champion"] == champions.read().digest
    assert found["reference"]["periods"] == ["2009-12", "2010-01", "2010-02", "2010-03"]
    assert not any(signal["fired"] for signal in found["signals"])
    assert {signal["name"] for signal in found["signals"]} >= {"roc_auc", "calibration"}
    assert [c["name"] for c in found["corrections"]] == ["recalibration", "prior", "threshold"]
    assert not found["domain"]["drifted"]


def test_a_month_that_moved_is_trained_on_with_the_champions_recipe(project: Path) -> None:
    """Plan, report, table, pictures and page all say so, with the numbers."""
    accept(NEW, moved())
    monitor()
    plan, found = json.loads(paths.PLAN.read_text()), report()
    assert (plan["action"], plan["because"]) == ("retrain", found["verdict"])
    assert found["verdict"] in {"drift", "harmful"}
    assert plan["hyperparameters"] == RECIPE
    assert plan["parts"]["holdout"][-1]["period"] == NEW
    drifted = {test["feature"] for test in found["tests"] if test["drifted"]}
    assert drifted >= {"age", "balance"}
    assert re.search(r"(age|balance) \(\w+ \d\.\d\d\)", found["why"])
    assert re.search(r"with a ROC AUC of \d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", found["why"])
    table = pd.read_csv(paths.DRIFT_PLOTS / "tests.csv")
    assert set(table.loc[table["drifted"], "feature"]) == drifted
    assert len(table) == len(found["tests"])
    pictures = {path.name for path in paths.DRIFT_PLOTS.glob("*.png")}
    assert pictures == {"effects.png", *(f"feature-{i}.png" for i in range(6))}
    text = " ".join(page().split())
    for said in ("Retrain: ", NEW, "age, before and after", "domain classifier", "recalibration"):
        assert said in text


@pytest.mark.parametrize("verdict", ["keep", "block"])
def test_what_lost_a_month_ago_is_not_tried_again_at_once(project: Path, verdict: str) -> None:
    """The attempts in champion.json make it wait; without them the same month is trained on."""
    accept(NEW, quiet())
    accept(NEWER, moved())
    crown({"period": NEW, "action": "retrain", "verdict": verdict, "digest": "d" * 64})
    monitor()
    assert report()["action"] == "keep"
    assert f"on {NEW}, ended in `{verdict}` 1 period ago" in report()["why"]
    assert paths.PLAN.read_bytes() == Path("plan-of-the-champion.json").read_bytes()
    crown()
    monitor()
    assert report()["action"] == "retrain"


def test_after_the_cooldown_a_retraining_that_lost_becomes_a_search(project: Path) -> None:
    """The plan brings no recipe then, so `tune` searches."""
    accept(NEW, moved())
    edit(cooldown="0")
    crown({"period": "2010-03", "action": "retrain", "verdict": "keep", "digest": "d" * 64})
    monitor()
    plan = json.loads(paths.PLAN.read_text())
    assert (plan["action"], plan["hyperparameters"]) == ("retune", None)
    assert "the last retrain, on 2010-03, did not win" in report()["why"]


@pytest.mark.parametrize(("request_for", "recipe"), [("retrain", RECIPE), ("retune", None)])
def test_a_request_is_planned_and_says_what_was_found(
    project: Path, request_for: str, recipe: Any
) -> None:
    """Also where nothing is newer, and the plan says that it was asked for."""
    accept(NEW, quiet())
    edit(request=request_for)
    monitor()
    plan = json.loads(paths.PLAN.read_text())
    assert (plan["action"], plan["because"]) == (request_for, "request")
    assert plan["hyperparameters"] == recipe
    assert report()["action"] == request_for
    assert "by itself: keep: " in report()["why"]


def test_a_batch_without_labels_is_looked_at_and_not_trained_on(project: Path) -> None:
    """Where the contract lets it through: nothing could be learnt, so the champion stays."""
    accept(NEW, moved().drop(columns="deposit"))
    monitor()
    found = report()
    assert (found["verdict"], found["action"]) == ("drift", "keep")
    assert "only 0 newer rows have labels" in found["why"]
    assert [s["name"] for s in found["signals"]] == ["estimated_roc_auc", "estimated_prior"]
    edit(request="retrain")
    monitor()
    plan = json.loads(paths.PLAN.read_text())
    assert NEW not in {ref["period"] for part in plan["parts"].values() for ref in part}


def test_a_batch_that_came_late_is_said_to_be(project: Path) -> None:
    """It is older than the champion's newest, so it is no newer month; it is trained on later."""
    accept("2009-11b", shipped("2009-11"))
    monitor()
    assert report()["late"] == ["2009-11b"]
    assert "Came late, and will be trained on when next something is: 2009-11b" in page()


def test_a_batch_that_came_again_with_other_rows_is_said_to_be_replaced(project: Path) -> None:
    """One that it was trained on: nothing needs the old rows, and the next plan takes the new."""
    accept(KNOWN[0], shipped(KNOWN[0]).iloc[1:])
    monitor()
    assert report()["replaced"] == [KNOWN[0]]
    assert f"Came again with other content than the champion was made with: {KNOWN[0]}" in page()
    edit(request="retrain")
    monitor()
    (ref,) = [
        r for r in json.loads(paths.PLAN.read_text())["parts"]["train"] if r["period"] == KNOWN[0]
    ]
    assert ref["rows"] == len(shipped(KNOWN[0])) - 1


def test_the_same_batches_give_the_same_bytes_in_another_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plan, report, table, pictures and page."""
    accept(NEW, moved())
    shutil.copytree(project, tmp_path / "elsewhere")
    written = []
    for folder in (project, tmp_path / "elsewhere"):
        monkeypatch.chdir(folder)
        monitor()
        left = [paths.PLAN, paths.DRIFT_REPORT, paths.DRIFT_PAGE, *paths.DRIFT_PLOTS.iterdir()]
        written.append({path.name: files.sha256(path) for path in left})
    assert written[0] == written[1]
    assert len(written[0]) == 11


LOST: list[tuple[Callable[[], Any], int, str]] = [
    (lambda: shutil.rmtree(paths.CHAMPION_BUNDLE), 3, "models/champion"),
    ((paths.ACCEPTED / "2010-03.parquet").unlink, 3, "2010-03.parquet"),
    (lambda: accept(NEW, moved().drop(columns="age")), 2, "column age"),
    (lambda: accept(NEW, moved().assign(deposit=None)), 2, "nulls in the target"),
]


@pytest.mark.parametrize(
    ("lose", "code", "named"), LOST, ids=["champion", "known batch", "column", "labels"]
)
def test_what_is_missing_ends_in_its_exit_code_by_name_without_a_traceback(
    project: Path, lose: Callable[[], Any], code: int, named: str
) -> None:
    """Never a decision on what could not be read."""
    accept(NEW, moved())
    paths.PLAN.unlink()
    lose()
    ended = subprocess.run(
        [sys.executable, "-m", "perennial.stages.monitor"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not paths.PLAN.exists()
