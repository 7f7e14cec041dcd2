"""The main job on the data that ships, from a fresh clone to a champion, and what follows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import NAME, PHONE, SECRETS, Project
from tests.pickles import pickles_below
from tests.traces import traces

Done = tuple[Project, subprocess.CompletedProcess[str]]


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


def test_secrets_of_the_environment_are_nowhere(done: Done) -> None:
    """Neither said nor in what a run leaves: reports, logs, dvc.lock, cache, registry,
    champion. Git has this very test as it was committed, and no run commits."""
    project, result = done
    parts = [value.rpartition("/")[2] for value in SECRETS.values()]  # of an address, its secret
    assert not any(part in result.stdout + result.stderr for part in parts)
    assert traces(project.folder, parts, ["tests", ".git"]) == []
    (project.folder / "planted.log").write_text(parts[-1])
    try:
        assert traces(project.folder, parts, ["tests", ".git"]) == ["planted.log"]
    finally:
        (project.folder / "planted.log").unlink()


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
    before = project.lock()
    result = project.dvc("repro")
    assert result.returncode == 0, result.stdout + result.stderr
    assert project.ran(result.stdout) <= {"register"}
    assert project.lock() == before
    assert project.read("reports/gate.json")["verdict"] == "keep"


def test_a_registry_that_was_emptied_is_filled_again(project: Project) -> None:
    shutil.rmtree(project.folder / ".perennial/mlflow")
    assert project.dvc("repro").returncode == 0
    digest = project.read("champion.json")["digest"]
    assert project.read("reports/registration.json")["digest"] == digest


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_champion_of_another_digest_is_exit_3(project: Project) -> None:
    digest = project.read("champion.json")["digest"]
    project.edit("champion.json", rf'^ "digest": "{digest}"', f' "digest": "{"0" * 64}"')
    result = project.perennial("run")
    assert result.returncode == 3, result.stdout + result.stderr
    assert project.perennial("verify").returncode == 3


@pytest.mark.slow
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
    before = project.lock()
    path: Path = project.folder / "params.yaml"
    path.write_text(path.read_text() + text)
    result = project.perennial("run")
    assert result.returncode == 2
    assert "params.yaml" in result.stderr
    assert "Traceback" not in result.stderr
    assert project.lock() == before
