"""The main job on the data that ships, from a fresh clone to a champion, and what follows."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.e2e.chaos import campaign, state
from tests.e2e.chaos.killing import Kill
from tests.e2e.conftest import NAME, PHONE, Project, name_nobody
from tests.pickles import pickles_below
from tests.traces import traces

Done = tuple[Project, subprocess.CompletedProcess[str]]


def lock(project: Project) -> dict[str, object]:
    return yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]


def test_a_fresh_clone_ends_with_a_champion(done: Done) -> None:
    project, result = done
    assert result.returncode == 0, result.stdout + result.stderr
    champion = project.read("champion.json")
    registration = project.read("reports/registration.json")
    assert champion["digest"] == registration["digest"]
    assert champion["version"] == registration["version"]
    assert champion["plan"]["action"] == "bootstrap"
    assert project.perennial("verify").returncode == 0


def test_nothing_that_a_run_leaves_is_or_holds_a_pickle(done: Done) -> None:
    """Test `test_no_pickle.py` proves that one is found."""
    project, _ = done
    for name in ("data", "models", "reports", ".perennial/mlflow", ".dvc/cache"):
        assert any((project.folder / name).rglob("*.*"))
        assert pickles_below(project.folder / name) == []


def test_who_somebody_is_stays_in_the_batches(done: Done) -> None:
    """Nowhere in what a run leaves, cache and registry and logs included; test_traces.py proves
    that a value is found. Git has the batches as they were committed, without these columns."""
    project, result = done
    assert NAME not in result.stdout + result.stderr
    assert traces(project.folder / "data/batches", [NAME, PHONE])
    assert traces(project.folder, [NAME, PHONE], ["data/batches", ".git", "tests"]) == []


def test_nothing_but_loopback_is_reached(done: Done) -> None:
    project, _ = done
    log = project.folder.parent / "network.log"
    assert not log.exists(), log.read_text()
    probe = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    assert project.run(sys.executable, "-c", probe).returncode != 0
    assert "192.0.2.1" in log.read_text()
    log.unlink()


def test_nothing_is_left_in_the_home_directory(done: Done) -> None:
    project, _ = done
    left = [p for p in (project.folder.parent / "home").rglob("*") if p.is_file()]
    assert not left


def test_every_report_has_the_keys_of_the_contract(done: Done) -> None:
    project, _ = done
    estimate = {"value", "low", "high", "n"}
    validation = project.read("reports/validation.json")["batches"][0]
    assert {"period", "rows", "success", "quarantined", "failures"} <= set(validation)
    drift = project.read("reports/drift.json")
    assert {"period", "reference", "n", "verdict", "action", "why", "tests"} <= set(drift)
    holdout = project.read("reports/metrics.json")["holdout"]
    for name in ("roc_auc", "average_precision", "log_loss", "brier", "ece", "accuracy", "f1"):
        assert set(holdout[name]) == estimate
    gate = project.read("reports/gate.json")
    assert {"verdict", "candidate", "champion", "gates"} <= set(gate)
    for result in gate["gates"]:
        assert {"name", "verdict", "estimate", "threshold", "why"} <= set(result)
        assert result["estimate"] is None or set(result["estimate"]) == estimate
    registration = project.read("reports/registration.json")
    assert {"model", "version", "run_id", "digest"} <= set(registration)


def test_after_a_promotion_the_dag_has_converged(project: Project) -> None:
    """Nothing but the check of the registry is left to run, and nothing changes."""
    before = lock(project)
    result = project.dvc("repro")
    assert result.returncode == 0, result.stdout + result.stderr
    assert project.ran(result.stdout) <= {"register"}
    assert lock(project) == before
    assert project.read("reports/gate.json")["verdict"] == "keep"


def test_a_registry_that_was_emptied_is_filled_again(project: Project) -> None:
    shutil.rmtree(project.folder / ".perennial/mlflow")
    assert project.dvc("repro").returncode == 0
    digest = project.read("champion.json")["digest"]
    assert project.read("reports/registration.json")["digest"] == digest


def test_another_folder_and_one_worker_give_the_same_hashes(
    fresh: Callable[[str], Project], done: Done
) -> None:
    first, _ = done
    second = fresh("second")
    result = second.dvc("repro", PERENNIAL_WORKERS="1")
    assert result.returncode == 0, result.stdout + result.stderr
    theirs, own = lock(first), lock(second)
    own_only = {"monitor", "gate", "register"}  # the first has a champion by now
    assert {k: v for k, v in own.items() if k not in own_only} == {
        k: v for k, v in theirs.items() if k not in own_only
    }
    assert second.read("champion.json")["digest"] is None
    gate = second.read("reports/gate.json")
    assert gate["candidate"] == first.read("champion.json")["digest"]
    again = second.dvc("repro", "--force", PERENNIAL_WORKERS="2")
    assert again.returncode == 0, again.stdout + again.stderr
    assert lock(second) == own


def test_another_threshold_runs_gate_and_register_only(project: Project) -> None:
    project.edit("params.yaml", r"threshold: 0\.6 ", "threshold: 0.59 ")
    result = project.dvc("repro")
    assert result.returncode == 0, result.stdout + result.stderr
    assert project.ran(result.stdout) == {"gate", "register"}


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


def test_a_champion_that_cannot_be_had_is_exit_3(project: Project) -> None:
    """It is never counted as nobody: the gate does not pass, and nothing is promoted past it."""
    shutil.rmtree(project.folder / "models/champion")
    (project.folder / "models/champion.dvc").unlink()
    before = (project.folder / "champion.json").read_bytes()
    project.edit("params.yaml", r"threshold: 0\.6 ", "threshold: 0.59 ")
    result = project.perennial("run")
    assert result.returncode == 3, result.stdout + result.stderr
    assert "models/champion" in result.stdout + result.stderr
    assert (project.folder / "champion.json").read_bytes() == before


def test_a_champion_of_another_digest_is_exit_3(project: Project) -> None:
    digest = project.read("champion.json")["digest"]
    project.edit("champion.json", rf'^ "digest": "{digest}"', f' "digest": "{"0" * 64}"')
    result = project.perennial("run")
    assert result.returncode == 3, result.stdout + result.stderr
    assert project.perennial("verify").returncode == 3


def test_a_champion_that_was_damaged_is_fetched_again(project: Project) -> None:
    """By its digest, from DVC's cache: a flipped byte in the folder is never loaded."""
    member = next((project.folder / "models/champion").glob("*.ubj"))
    whole = member.read_bytes()
    member.chmod(0o644)
    member.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert project.perennial("verify").returncode == 3
    project.edit("params.yaml", r"threshold: 0\.6 ", "threshold: 0.59 ")
    result = project.perennial("run")
    assert result.returncode == 0, result.stdout + result.stderr
    assert member.read_bytes() == whole


def test_dvc_shows_metrics_and_plots(project: Project) -> None:
    project.edit("params.yaml", r"threshold: 0\.6 ", "threshold: 0.59 ")
    shown = project.dvc("metrics", "show", "--json")
    assert "roc_auc" in shown.stdout
    assert project.dvc("metrics", "diff").returncode == 0
    plots = project.dvc("plots", "show")
    assert plots.returncode == 0, plots.stderr
    assert (project.folder / "dvc_plots/index.html").exists()


@pytest.mark.parametrize("text", ["gates:\n  sped: 1\n", "seed: [1"])
def test_wrong_parameters_stop_before_anything_runs(project: Project, text: str) -> None:
    before = lock(project)
    path: Path = project.folder / "params.yaml"
    path.write_text(path.read_text() + text)
    result = project.perennial("run")
    assert result.returncode == 2
    assert "params.yaml" in result.stderr
    assert "Traceback" not in result.stderr
    assert lock(project) == before


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


# --- killed anywhere: the whole campaign is `make chaos` -----------------------------------------


@pytest.mark.slow
def test_a_run_killed_anywhere_is_finished_by_the_same_command(
    project: Project, tmp_path: Path
) -> None:
    """No half file, no stale lock, one version, one entry, and the hashes of an undisturbed run."""
    seed = int(os.environ.get("CHAOS_SEED", "1"))
    report = campaign.brief(project, tmp_path, seed)
    assert report.ok, f"CHAOS_SEED={seed}: {report.summary()}"
    assert len(report.kills) == 4


PLANTED = {
    "lock_that_stays": ("promote", Kill("begin", "os.chmod .champion.json", None), "exit 4"),
    "another_entry": ("promote", Kill("begin", "os.chmod .champion.json", None), "2 entries"),
    "write_in_place": ("gate", Kill("gate'", "os.chmod reports/gate.json", None), "half a file"),
    "registered_again": ("register", Kill("register'", -1, None), "2 registered versions"),
    "uncounted_trials": ("tune", Kill("tune'", -1, None), "trials: 5, not 4"),
}


@pytest.mark.long
@pytest.mark.parametrize("plant", PLANTED)
def test_kills_find_the_fault_they_are_for(project: Project, plant: str) -> None:
    """The campaign itself fails on a write in place, a lock that stays, anything done twice."""
    what, kill, told = PLANTED[plant]
    command: tuple[str, ...] = ("dvc", "repro", "--force", "--single-item", what)
    if what == "promote":
        command = campaign.PROMOTE
        name_nobody(project)
        shutil.rmtree(project.folder / "models/champion")
        assert project.dvc("repro").returncode == 0
    start = state.look(project.folder)
    known, report = campaign.Undisturbed(start, start, start), campaign.Report(1)
    chain = campaign.Chain(plant, project.folder, command, known, report, plant)
    assert chain.kill(kill)
    chain.finish(start)
    assert told in report.summary() + " ".join(state.wounds(project.folder, [start]))


WOUNDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "half a report": (lambda f: cut(f / "reports/gate.json"), "reports/gate.json: half a file"),
    "half a fit": (lambda f: cut(next((f / ".perennial/studies").glob("*/*.npz"))), "half a file"),
    "a spoilt cache": (
        lambda f: cut(next(p for p in (f / state.OBJECTS).glob("*/*") if p.stat().st_size > 9)),
        "not what its name says",
    ),
    "a second entry": (
        lambda f: (f / "history.jsonl").write_text(2 * (f / "history.jsonl").read_text()),
        "2 entries of one promotion",
    ),
    "half a champion": (lambda f: cut(f / "champion.json"), "champion.json: "),
    "a lock of another run": (
        lambda f: (f / "dvc.lock").write_text(
            (f / "dvc.lock").read_text().replace("size: ", "size: 1")
        ),
        "an entry that no undisturbed run has",
    ),
}


@pytest.mark.parametrize("wound", WOUNDS)
def test_what_a_kill_may_leave_is_found_right_after_it(project: Project, wound: str) -> None:
    """By what looks at a project after each kill; nothing is found where nothing is wrong."""
    start = state.look(project.folder)
    assert state.wounds(project.folder, [start]) == []
    hurt, told = WOUNDS[wound]
    hurt(project.folder)
    found = state.wounds(project.folder, [start])
    assert found
    assert all(told in each for each in found), found


def cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-7])
