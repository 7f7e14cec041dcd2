"""What runs again when something changes: a folder, a threshold, a month, a feature, a person."""

import subprocess
from collections.abc import Callable

import pandas as pd
import pytest

from tests.e2e.conftest import NAME, Project, name_nobody, name_people

Done = tuple[Project, subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_another_folder_and_one_worker_give_the_same_hashes(
    fresh: Callable[[str], Project], done: Done
) -> None:
    first, _ = done
    second = fresh("second")
    name_people(second)
    result = second.dvc("repro", PERENNIAL_WORKERS="1")
    assert result.returncode == 0, result.stdout + result.stderr
    theirs, own = first.lock(), second.lock()
    own_only = {"monitor", "gate", "register"}  # the first has a champion by now
    assert {k: v for k, v in own.items() if k not in own_only} == {
        k: v for k, v in theirs.items() if k not in own_only
    }
    assert second.read("champion.json")["digest"] is None
    gate = second.read("reports/gate.json")
    assert gate["candidate"] == first.read("champion.json")["digest"]
    again = second.dvc("repro", "--force", PERENNIAL_WORKERS="2")
    assert again.returncode == 0, again.stdout + again.stderr
    assert second.lock() == own


def test_another_threshold_runs_gate_and_register_only(project: Project) -> None:
    project.edit("params.yaml", r"threshold: 0\.6 ", "threshold: 0.59 ")
    result = project.dvc("repro")
    assert result.returncode == 0, result.stdout + result.stderr
    assert project.ran(result.stdout) == {"gate", "register"}


@pytest.mark.slow
def test_a_new_month_costs_its_own_validation(project: Project) -> None:
    project.edit("params.yaml", r'as_of: "2010-08"', 'as_of: "2010-09"')
    result = project.dvc("repro")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "(1 validated now, 27 known by content)" in result.stdout
    drift = project.read("reports/drift.json")
    assert drift["period"] == "2010-09"
    assert drift["tests"], "the newest month has been compared"
    if drift["action"] == "keep":
        assert project.ran(result.stdout) <= {"validate", "monitor", "register"}
    else:
        assert "1 batches computed" in result.stdout


@pytest.mark.slow
def test_a_request_to_retrain_computes_the_new_month_only(project: Project) -> None:
    """The plan takes the month in: one batch is computed, nothing is searched, and the champion is
    compared on the same rows."""
    project.edit("params.yaml", r'as_of: "2010-08"', 'as_of: "2010-09"')
    project.edit("params.yaml", r"request: none ", "request: retrain ")
    result = project.dvc("repro")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "features: 1 batches computed, 27 known by content" in result.stdout
    assert "nothing is searched" in result.stdout
    gate = project.read("reports/gate.json")
    assert gate["champion"] == project.read("champion.json")["digest"]
    assert gate["candidate"] != gate["champion"]
    comparison = next(g for g in gate["gates"] if g["name"] == "champion")
    assert comparison["estimate"] is not None


@pytest.mark.slow
def test_duration_put_back_is_blocked(project: Project) -> None:
    """The textbook leak ends in exit 1, is named, and leaves the champion alone."""
    name_nobody(project)
    nobody = (project.folder / "champion.json").read_bytes()
    project.edit("params.yaml", r"^    duration: known only.*\n", "")
    feature = (
        "    duration: {from: duration, as: number, missing: null, why: a leak}\n    age: {from"
    )
    project.edit("params.yaml", r"^    age: \{from", feature)
    result = project.perennial("run")
    assert result.returncode == 1, result.stdout + result.stderr
    gate = project.read("reports/gate.json")
    assert gate["verdict"] == "block"
    failed = {g["name"] for g in gate["gates"] if g["verdict"] == "fail"}
    assert {"leakage", "forbidden_features", "direction_duration"} <= failed
    assert "duration" in gate["why"]
    assert (project.folder / "champion.json").read_bytes() == nobody


@pytest.mark.slow
def test_a_month_that_has_moved_asks_for_a_retraining(project: Project) -> None:
    """The plan takes it in, with the champion's hyperparameters; a quiet month changes nothing."""
    batches = project.folder / "data/batches"
    moved = pd.read_parquet(batches / "2010-08.parquet")
    moved["age"] = (moved["age"] + 30).clip(upper=95)
    moved["balance"] = 90_000
    moved.to_parquet(batches / "2010-12.parquet")
    project.edit("params.yaml", r'as_of: "2010-08"', "as_of: latest")
    result = project.dvc("repro", "monitor")
    assert result.returncode == 0, result.stdout + result.stderr
    drift, plan = project.read("reports/drift.json"), project.read("data/plan.json")
    assert (drift["verdict"], drift["action"]) == ("drift", "retrain")
    assert {t["feature"] for t in drift["tests"] if t["drifted"]} >= {"age", "balance"}
    assert plan["parts"]["holdout"][-1]["period"] == "2010-12"
    assert plan["because"] == "drift"
    assert plan["hyperparameters"]["members"]


@pytest.mark.long
def test_a_person_is_forgotten_and_the_next_candidate_is_trained_without(project: Project) -> None:
    """One row of a month of the training rows; the command runs the DAG too."""
    path = project.folder / "data/batches/2010-02.parquet"
    before = project.read("champion.json")
    who = f"{NAME} 2010-02 311"
    assert who in set(pd.read_parquet(path)["name"])
    project.edit("params.yaml", r"^  subject: null", "  subject: name")
    result = project.perennial("forget", "--key", who)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    assert who not in set(pd.read_parquet(path)["name"])
    plan, gate = project.read("data/plan.json"), project.read("reports/gate.json")
    assert plan["because"] == "forgotten"
    assert plan["hyperparameters"] == project.read("models/recipe.json")
    assert gate["champion"] == before["digest"] != gate["candidate"]
    found = project.read("reports/forgotten.json")
    assert [item["rows"] for item in found["batches"]] == [1]
    assert found["champion"]["version"] == before["version"]
    old = {ref["sha256"] for refs in before["plan"]["parts"].values() for ref in refs}
    new = {ref["sha256"] for refs in plan["parts"].values() for ref in refs}
    assert len(old - new) == len(new - old) == 1
    assert project.perennial("verify").returncode == 0
    assert project.perennial("run").returncode == result.returncode, "and it stays so"
