"""A project whose candidate is registered, for the tests of the registry."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from perennial import paths
from perennial.adapters import bundles, files, registry
from perennial.adapters.files.configuration import read_params
from perennial.adapters.registry.records import BUNDLE, KEPT
from perennial.core import facts
from perennial.core.dataset import features as core
from perennial.core.dataset import labels
from perennial.core.dataset.part import Part
from perennial.core.model.candidate import MODEL, SPEC, Candidate, to_artefacts
from perennial.core.training import fit_candidate

ROOT = Path(__file__).parents[2]
NAME = "bank-deposits"
TRAIN, CALIBRATION, HOLDOUT = "2010-06", "2010-07", "2010-08"
RECIPES = {
    "boosted": {
        "kind": "xgboost",
        "members": [{"params": {"max_depth": 3}, "rounds": 5}] * 2,
    },
    "logistic": {"kind": "logistic", "members": []},
}
SLOW = ("mlflow", "pandas", "numpy", "xgboost", "pydantic")
MODULES = f"[m for m in {SLOW} if m in sys.modules]"


@dataclass(frozen=True)
class Project:
    """A project's folder as it is when `register` runs."""

    folder: Path
    digest: str
    candidate: Candidate

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder.resolve() / paths.REGISTRY / 'registry.db'}"

    def run(self, code: str, *, clean: bool = False) -> subprocess.CompletedProcess[str]:
        """Run code in a process of its own; a `clean` one finds no Perennial."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        if clean:
            del environment["PYTHONPATH"]
        command = [sys.executable, "-c", code]
        folder = self.folder.parent if clean else self.folder
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    def register(self, code: str = "") -> subprocess.CompletedProcess[str]:
        """Run the stage, then `code`."""
        return self.run(f"import sys\nfrom perennial.stages import register\n{code or STAGE}")

    def model_folder(self) -> Path:
        return next((self.folder / paths.REGISTRY).rglob("MLmodel")).parent

    def kept_folder(self) -> Path:
        return next((self.folder / paths.REGISTRY).rglob(KEPT)).parent


STAGE = f"register.register()\nprint({MODULES})"


def ref(period: str) -> dict[str, Any]:
    path = ROOT / paths.BATCHES / f"{period}.parquet"
    return {"period": period, "sha256": files.sha256(path), "rows": len(pd.read_parquet(path))}


def raw(period: str) -> pd.DataFrame:
    return pd.read_parquet(ROOT / paths.BATCHES / f"{period}.parquet")


def fitted(recipe: dict[str, Any]) -> Candidate:
    """Fit a candidate on a month of calls and calibrate it on the next."""
    params = read_params(path=ROOT / paths.PARAMS)
    columns, sensitive = params.features.columns, params.sensitive
    spec = core.fit(core.derive(raw(TRAIN), columns), params.features, sensitive)
    train, calibrate = (
        Part(
            spec.transform(rows),
            labels.binary(rows, params.target, "batch"),
            core.groups(rows, sensitive),
        )
        for rows in (raw(TRAIN), raw(CALIBRATION))
    )
    return fit_candidate(recipe, spec, train, calibrate, params.training, params.seed)


def write_project(folder: Path, candidate: Candidate) -> Project:
    """Write what the stages before `register` leave, for a gate that said `promote`."""
    shutil.copytree(ROOT / paths.BATCHES, folder / paths.BATCHES)
    shutil.copyfile(ROOT / paths.PARAMS, folder / paths.PARAMS)
    digest = bundles.write(folder / paths.CANDIDATE, to_artefacts(candidate))
    estimate = {"value": 0.71, "low": 0.68, "high": 0.74, "n": 260}
    undefined = {"value": None, "low": None, "high": None, "n": 260}
    plan = {
        "action": "bootstrap",
        "because": "bootstrap",
        "split": {"kind": "time", "key": None, "calibration_rows": 200, "holdout_rows": 200},
        "parts": {
            "train": [ref(TRAIN)],
            "calibration": [ref(CALIBRATION)],
            "holdout": [ref(HOLDOUT)],
        },
    }
    written = {
        paths.PLAN: plan,
        paths.METRICS: {"holdout": {"roc_auc": estimate, "f1": undefined}},
        paths.GATE_REPORT: {"verdict": "promote", "candidate": digest, "champion": None},
        paths.CHAMPION: {"version": None, "digest": None},
        paths.EXPLAIN_REPORT: {"base": 0.1},
    }
    for path, content in written.items():
        files.write_json(folder / path, content)
    (folder / "dvc.lock").write_text("stages:\n  train: {cmd: x}\n  register: {cmd: y}\n")
    (folder / paths.CURVES).mkdir()
    (folder / paths.CURVES / "roc.png").write_bytes(b"picture")
    return Project(folder, digest, candidate)


@pytest.fixture(scope="module")
def candidates() -> dict[str, Candidate]:
    return {name: fitted(recipe) for name, recipe in RECIPES.items()}


@pytest.fixture(scope="module")
def registered(
    candidates: dict[str, Candidate], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project whose candidate the stage has registered on a fresh database."""
    project = write_project(tmp_path_factory.mktemp("registered") / "p", candidates["boosted"])
    done = project.register()
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "no banner, no warning"
    return project


@pytest.fixture
def project(registered: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of it, which a test may spoil, as the current folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])  # MLflow adds the code of models it loads
    shutil.copytree(registered.folder, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    return Project(tmp_path / "p", registered.digest, registered.candidate)


def record(project: Project, **changes: Any) -> registry.Record:
    """What the stage says of the project's candidate, in short."""
    artefacts = bundles.read(project.folder / paths.CANDIDATE)
    inputs = facts.raw_inputs(json.loads(artefacts[MODEL]), json.loads(artefacts[SPEC]))
    plan = json.loads((project.folder / paths.PLAN).read_text())
    plain = registry.Record(
        model=NAME,
        digest=bundles.digest(project.folder / paths.CANDIDATE),
        bundle=project.folder / paths.CANDIDATE,
        inputs=inputs,
        example=raw(HOLDOUT)[list(inputs)].head(2),
        params={"seed": 1},
        metrics={"roc_auc": 0.7},
        datasets=plan["parts"],
        artifacts={"origin": [project.folder / paths.PLAN]},
        tags={"verdict": "promote"},
    )
    return replace(plain, **changes)


def client(project: Project) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=project.uri, registry_uri=project.uri)


def lose(folder: Path) -> None:
    shutil.rmtree(folder)


def lose_one(folder: Path) -> None:
    (folder / BUNDLE / "member-00.ubj").unlink()


def flip(folder: Path) -> None:
    path = folder / BUNDLE / "member-00.ubj"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
