"""A project with three real models, champion one after the other: real Git, DVC and MLflow.

The stages are the small pipeline's; candidates, registration and promotions are the real ones.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.pipelines import Pipeline, make_monitored
from tests.integration.registered import HOLDOUT, RECIPES, ROOT, fitted, ref

from perennial import paths
from perennial.adapters import bundles, dag, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.commands.promote import promote
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.stages.register import register

MODEL = "bank-deposits"
THIRD = {"kind": "xgboost", "members": [{"params": {"max_depth": 2}, "rounds": 4}]}
NEWEST = "2010-09"
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")


@pytest.fixture(scope="session")
def models() -> dict[str, Candidate]:
    """Three models of different digests, by the version that they will have."""
    recipes = (RECIPES["boosted"], RECIPES["logistic"], THIRD)
    return {str(number): fitted(recipe) for number, recipe in enumerate(recipes, start=1)}


@pytest.fixture(scope="session")
def succeeded(models: dict[str, Candidate], tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The project; version 3 is champion, after 2 and 1, and all is committed."""
    made = make_monitored(tmp_path_factory.mktemp("succeeded") / "project")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(made.folder)
        patched.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        for period in (HOLDOUT, NEWEST):
            name = f"{period}.parquet"
            batches.copy(ROOT / paths.BATCHES / name, paths.ACCEPTED / name)
        for version, model in models.items():
            judge(made, model, plan=f"plan of {version}")
            promote()
        commit("three champions")
    return made


@pytest.fixture
def released(succeeded: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A copy of it, for a test to change."""
    return copied(succeeded, tmp_path / "project", monkeypatch)


def copied(project: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Copy a project and work in the copy."""
    shutil.copytree(project.folder, folder, symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    registry.follow(registry.resolve(None))
    return Pipeline(folder)


def judge(pipeline: Pipeline, model: Candidate, plan: str, verdict: str = "promote") -> str:
    """Have a candidate judged and registered by the real stage; return its digest."""
    digest = bundles.write(paths.CANDIDATE, to_artefacts(model))
    dag.track(paths.CANDIDATE)  # in the project it is an output of `train`
    parts = {part: [ref(HOLDOUT)] for part in ("train", "calibration", "holdout")}
    split = {"kind": "time", "key": None, "calibration_rows": 200, "holdout_rows": 200}
    drift = {"period": NEWEST, "action": "retrain", "verdict": "drift", "why": "as the test has it"}
    content = {"schema_version": 1, "action": "retrain", "because": plan, "split": split}
    content |= {"parts": parts, "hyperparameters": {"eta": 0.1 + 0.2}}
    pipeline.behave("second", writes={"reports/drift.json": drift, "data/plan.json": content})
    pipeline.touch(plan)
    pipeline.verdict(verdict)
    dag.walk(lambda step: str(step.run(lambda _: None)))
    register()
    return digest


def commit(message: str) -> None:
    for command in (["add", "--all"], ["commit", "-qm", message]):
        subprocess.run([*GIT, *command], check=True)


def uri() -> str:
    return registry.resolve(read_params("registry").registry.uri)


def alias(name: str) -> str | None:
    return registry.alias_version(uri(), MODEL, name)


def champion() -> Champion:
    found = champions.read()
    assert found is not None
    return found


def digest_of(version: str) -> str:
    found = {each.version: each.digest for each in registry.versions(uri(), MODEL)}[version]
    assert found is not None
    return found


def everything() -> dict[str, Any]:
    """All that a change of champion leaves, but for what follows from the moment it was made at."""
    champion_json = json.loads(paths.CHAMPION.read_text())
    history = [json.loads(line) for line in paths.HISTORY.read_text().splitlines()]
    for timed in (champion_json, *history):
        for key in ("when", "previous", "sha256", "history"):
            timed.pop(key, None)
    return {
        "champion": champion_json,
        "history": history,
        "pointer": Path("models/champion.dvc").read_text(),
        "bundle": {p.name: p.read_bytes() for p in paths.CHAMPION_BUNDLE.iterdir()},
        "aliases": {name: alias(name) for name in ("champion", "challenger", "shadow")},
        "left": sorted(p.name for p in [*Path("models").iterdir(), *paths.STATE.iterdir()]),
    }
