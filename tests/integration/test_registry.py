"""The registry with real MLflow on SQLite: what a version is, and that there is one a digest."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.registered import (
    HOLDOUT,
    NAME,
    ROOT,
    Project,
    client,
    flip,
    lose,
    lose_one,
    record,
    ref,
)

from perennial import paths
from perennial.adapters import bundles, files, registry
from perennial.adapters.registry.records import BUNDLE
from perennial.core.model.candidate import Candidate, to_artefacts


def test_a_version_is_found_by_its_digest(registered: Project) -> None:
    report = json.loads((registered.folder / paths.REGISTRATION).read_text())
    assert registry.find_version(registered.uri, NAME, registered.digest) == "1"
    assert registry.find_version(registered.uri, NAME, "0" * 64) is None
    assert registry.find_version(registered.uri, "another", registered.digest) is None
    [version] = registry.versions(registered.uri, NAME)
    assert report == {
        "schema_version": 1,
        "model": NAME,
        "version": version.version,
        "run_id": version.run_id,
        "digest": registered.digest,
    }


def test_a_version_records_where_it_comes_from(registered: Project) -> None:
    """Tags, parameters, metrics with bounds, inputs by digest, reports and the state it met."""
    found = client(registered).get_model_version(NAME, "1")
    run = client(registered).get_run(found.run_id)
    assert found.tags["digest"] == registered.digest
    assert found.tags["plan_sha256"] == files.sha256(registered.folder / paths.PLAN)
    assert found.tags["dvc_lock_sha256"] == files.sha256(registered.folder / "dvc.lock")
    assert found.tags["verdict"] == "promote"
    assert [k for k in found.tags if k.startswith("stage.")] == ["stage.train"]
    assert not any(str(registered.folder) in value for value in found.tags.values())
    assert run.data.params["member_1.max_depth"] == "3"
    assert run.data.params["decision.attribute"] == "age_group"
    assert run.data.metrics == {"roc_auc": 0.71, "roc_auc_low": 0.68, "roc_auc_high": 0.74}
    profiles = {
        item.dataset.name: json.loads(item.dataset.profile) for item in run.inputs.dataset_inputs
    }
    assert profiles["holdout"]["batches"] == [ref(HOLDOUT)]
    assert sorted(profiles) == ["calibration", "holdout", "train"]
    kept = {
        item.path
        for folder in ("origin", "reports", "reports/curves")
        for item in client(registered).list_artifacts(found.run_id, folder)
    }
    assert {f"origin/{n}" for n in ("plan.json", "champion.json", "params.yaml", "dvc.lock")} < kept
    assert {"reports/gate.json", "reports/metrics.json", "reports/curves/roc.png"} < kept


def test_nothing_in_the_registry_is_a_pickle_or_names_this_machine(registered: Project) -> None:
    model = registered.model_folder()
    there = sorted(path for path in model.rglob("*") if path.is_file())
    assert {path.suffix for path in there} <= {".py", ".json", ".ubj", ".yaml", ".txt", ""}
    for path in there:
        content = path.read_bytes()
        assert content[:2] not in {bytes([0x80, protocol]) for protocol in range(6)}, path
        assert str(ROOT).encode() not in content, path
        assert str(registered.folder.parent).encode() not in content, path
    required = (model / "requirements.txt").read_text()
    names = [line.partition("==")[0] for line in required.splitlines()]
    assert names == ["mlflow", "numpy", "pandas", "pydantic", "xgboost-cpu"]


# --- once for a digest ---------------------------------------------------------------------------


def test_a_second_run_registers_nothing_and_imports_nothing_slow(registered: Project) -> None:
    report = (registered.folder / paths.REGISTRATION).read_bytes()
    (registered.folder / paths.REGISTRATION).unlink()
    done = registered.register()
    assert done.stdout.splitlines()[-1] == "[]", "one of the slow ones was imported"
    assert len(registry.versions(registered.uri, NAME)) == 1
    assert (registered.folder / paths.REGISTRATION).read_bytes() == report, "written again"


def test_settings_that_were_changed_are_checked_and_followed(project: Project) -> None:
    """What was read of params.yaml before counts for that very file only."""
    assert project.register().returncode == 0
    params = project.folder / paths.PARAMS
    first = params.read_text()
    params.write_text(first.replace(f"model: {NAME}", "model: other-name"))
    assert project.register().returncode == 0
    assert len(registry.versions(project.uri, "other-name")) == 1
    params.write_text(first.replace(f"model: {NAME}", "model: no name at all"))
    done = project.register()
    assert done.returncode != 0
    assert "registry.model" in done.stderr


def test_another_digest_is_another_version(
    project: Project, candidates: dict[str, Candidate]
) -> None:
    bundles.write(project.folder / paths.CANDIDATE, to_artefacts(candidates["logistic"]))
    made = registry.register(project.uri, record(project))
    assert made.version == "2"
    assert [v.digest for v in registry.versions(project.uri, NAME)] == [
        project.digest,
        made.digest,
    ]


def test_plots_of_nothing_are_not_kept_and_nothing_else_is_lost(project: Project) -> None:
    """Where no attribute is sensitive the folder of fairness's plots is empty."""
    shutil.rmtree(project.folder / paths.REGISTRY)
    (project.folder / paths.FAIRNESS_PLOTS / "deeper").mkdir(parents=True)
    artifacts = {"reports": [project.folder / p for p in (paths.FAIRNESS_PLOTS, paths.METRICS)]}
    made = registry.register(project.uri, record(project, artifacts=artifacts))
    assert registry.faults(project.uri, NAME, made) == []
    there = [
        p.relative_to(project.kept_folder()).as_posix() for p in project.kept_folder().rglob("*")
    ]
    assert sorted(there) == ["kept.json", "reports", "reports/metrics.json"]


def test_an_emptied_registry_is_filled_again(project: Project) -> None:
    """Also where the process that empties it has written to it before."""
    for _ in range(2):
        shutil.rmtree(project.folder / paths.REGISTRY)
        assert registry.find_version(project.uri, NAME, project.digest) is None
        assert registry.alias_version(project.uri, NAME, "champion") is None
        assert registry.register(project.uri, record(project)).version == "1"
        assert registry.find_version(project.uri, NAME, project.digest) == "1"


@pytest.mark.parametrize("spoil", [lose, lose_one, flip])
def test_a_version_that_lost_its_files_gets_them_back(
    project: Project, spoil: Callable[[Path], None]
) -> None:
    """The version, its number and its alias stay; the files are the candidate's again."""
    registry.set_alias(project.uri, NAME, "champion", "1")
    spoil(project.model_folder())
    assert registry.find_version(project.uri, NAME, project.digest) is None
    assert registry.register(project.uri, record(project)).version == "1"
    assert registry.find_version(project.uri, NAME, project.digest) == "1"
    assert registry.alias_version(project.uri, NAME, "champion") == "1"
    assert bundles.is_whole(project.model_folder() / BUNDLE, project.digest)


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_what_is_kept_beside_a_lost_model_stays_or_is_kept_anew_and_the_old_put_aside(
    project: Project, damaged: bool
) -> None:
    registry.set_alias(project.uri, NAME, "champion", "1")  # the paths follow the copied folder
    kept, report = project.kept_folder(), "reports/metrics.json"
    before = (kept / report).read_bytes()
    if damaged:
        (kept / report).write_bytes(b"{}")
    lose(project.model_folder())
    (version,) = registry.versions(project.uri, NAME)
    assert len(registry.faults(project.uri, NAME, version)) == 1 + damaged
    registry.register(project.uri, record(project))
    (version,) = registry.versions(project.uri, NAME)
    assert registry.faults(project.uri, NAME, version) == []
    if damaged:
        assert (kept.parent / "artifacts.damaged-1" / report).read_bytes() == b"{}"
    else:
        assert (kept / report).read_bytes() == before


def test_a_project_that_was_copied_has_a_registry_of_its_own(
    registered: Project, project: Project
) -> None:
    """MLflow's absolute paths follow the folder: the original is neither read nor written."""
    assert registry.find_version(project.uri, NAME, project.digest) is None
    assert registry.register(project.uri, record(project)).version == "1"
    assert registry.find_version(project.uri, NAME, project.digest) == "1"
    with sqlite3.connect(project.folder / paths.REGISTRY / "registry.db") as database:
        content = "\n".join(database.iterdump())
    assert f"{registered.folder}/" not in content.replace(f"{registered.folder}/mlruns", "")


def test_two_processes_at_once_on_a_fresh_database_make_one_version(project: Project) -> None:
    shutil.rmtree(project.folder / paths.REGISTRY)
    command = [sys.executable, "-m", "perennial.stages.register"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert [v.version for v in registry.versions(project.uri, NAME)] == ["1"]


KILLS = {
    "while the database is made": (
        "from alembic.runtime.migration import HeadMaintainer as target\n"
        "steps, plain = [], target.update_to_step\n"
        "target.update_to_step = lambda *a: "
        "os._exit(9) if len(steps) == 9 else (steps.append(1), plain(*a))"
    ),
    "before there is a version": (
        "from mlflow import MlflowClient as target\n"
        "target.finalize_logged_model = lambda *a: os._exit(9)"
    ),
}


@pytest.mark.parametrize("when", KILLS)
def test_a_run_that_was_killed_is_finished_by_the_next(project: Project, when: str) -> None:
    shutil.rmtree(project.folder / paths.REGISTRY)
    killed = project.register(f"import os\n{KILLS[when]}\nregister.register()")
    assert killed.returncode == 9, killed.stderr
    assert registry.find_version(project.uri, NAME, project.digest) is None
    assert registry.register(project.uri, record(project)).version == "1"
    assert len(registry.versions(project.uri, NAME)) == 1
