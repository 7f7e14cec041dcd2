"""Small projects to search in, with real workers and a real disk; or with answers made up here."""

import contextlib
import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from perennial import paths
from perennial.adapters import files, study
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import matrices
from perennial.core.dataset.part import Part
from perennial.core.search import Task, make_folds
from perennial.params.search import Search
from perennial.stages.tune import tune

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "trials": 8,
    "trials_per_round": 2,
    "folds": 3,
    "learning_rate": 0.2,
    "max_rounds": 40,
    "max_rows": 50_000,
    "early_stopping_rounds": 5,
    "ensemble": 3,
    "simpler_within_errors": 0.0,
}
KINDS = {"kinds": ["depthwise", "leafwise", "onehot"], "composed": "greedy", "ensemble": 4}


def make_project(folder: Path, seed: int = 7, recipe: Any = None, **settings: Any) -> Path:
    """Write what `tune` starts from: parameters, plan and training matrices."""
    yaml = YAML()
    params = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["seed"] = seed
    params["search"].update({**SETTINGS, **settings})
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / paths.PARAMS).open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    files.write_json(folder / paths.PLAN, {"hyperparameters": recipe})
    random = np.random.default_rng(0)
    x, level = random.normal(size=(800, 3)), random.choice(["u", "v", "w"], 800)
    odds = np.sin(2 * x[:, 0]) * 2 + x[:, 1] * x[:, 2] + (level == "u")
    features = pd.DataFrame(x, columns=["a", "b", "c"]).assign(level=pd.Categorical(level))
    rows = pd.DataFrame({"period": "2020-01", "row": np.arange(800), "g": "all"})
    rows["target"] = (random.random(800) < 1 / (1 + np.exp(-odds))).astype("int64")
    matrices.write_part(folder / paths.FEATURES, "train", features, rows)
    return folder


def run(folder: Path, worker_count: int = 1) -> Path:
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_WORKERS", str(worker_count))
        tune()
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    """Return everything that the search left for DVC, pictures too."""
    found = [folder / paths.RECIPE, *(folder / paths.SEARCH_REPORT).rglob("*")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in found if p.is_file()}


def fits(folder: Path) -> dict[str, tuple[int, int]]:
    """Return each kept fit, and what is another number as soon as it is written again."""
    kept = (folder / paths.STUDIES).glob("*/*.npz")
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in kept if p.name[0] != "."}


def trials(folder: Path) -> list[dict[str, str]]:
    with (folder / paths.SEARCH_REPORT / "trials.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def settings(tmp_path: Path, **changes: Any) -> Search:
    return read_params(path=make_project(tmp_path, **changes) / paths.PARAMS).search


def asked(search: Search, seed: int = 1) -> tuple[list[Any], list[Task]]:
    """Search where deeper trees are worse; return the trials and every task asked for."""
    target = np.tile([0, 1], 60)
    whole = Part(pd.DataFrame(index=range(120)), target, pd.DataFrame())
    folds, tasks = make_folds(whole, search.folds, 1), []

    def evaluate(new: list[Task]) -> list[tuple[np.ndarray, int]]:
        tasks.extend(new)
        return [
            ((2 * target[folds[t.fold]] - 1) * 3.0 / t.params["max_depth"], 5 + t.fold) for t in new
        ]

    return list(study.search(search, target, folds, seed, evaluate)), tasks
