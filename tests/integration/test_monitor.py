"""The stage monitor on real batches with a real champion: what it decides, and what it leaves."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.integration.crowned import (
    NEW,
    NEWER,
    RECIPE,
    accept,
    crown,
    edit,
    moved,
    page,
    project,
    quiet,
    report,
)
from tests.integration.strict_html import Page

from perennial import paths
from perennial.adapters import files
from perennial.adapters.bundles import champions
from perennial.stages.monitor import monitor

__all__ = ["project"]
KEYS = {"schema_version", "period", "reference", "window", "n", "verdict", "action", "why", "late"}
KEYS |= {"replaced", "schema", "history", "tests", "domain", "signals", "corrections"}


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
