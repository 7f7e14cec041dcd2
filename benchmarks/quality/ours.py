"""Perennial on one split: the functions that the DAG calls, with what `perennial init` writes.

python ours.py TRAIN.parquet TEST.parquet OUT.json SEED
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from perennial.adapters.files.configuration import read_params
from perennial.core.dataset import features
from perennial.core.dataset.part import Part
from perennial.core.evaluation import cost
from perennial.core.model.candidate import Candidate
from perennial.core.profiling import ensembling
from perennial.core.training import BASELINES, fit_candidate, without_mitigation
from perennial.params import Feature, Features, Params
from perennial.stages import searching

ROOT = Path(__file__).parents[2]
TARGET, RARE, CALIBRATION = "target", 50, 1000


def main() -> None:
    """Search, fit and predict; write probabilities, seconds, and what was chosen at which cost."""
    *files, seed = sys.argv[1:]
    train, test = (pd.read_parquet(path) for path in files[:2])
    params = read_params(path=ROOT / "params.yaml")
    start = time.perf_counter()
    fitted, chosen, default = fit(train, params, int(seed))
    rows = fitted.spec.transform(test)
    found = fitted.probability(rows)
    took = time.perf_counter() - start
    spent = sum(os.times()[:4])  # of this process and of those it waited for
    costs = [cost.measure(candidate, rows[:2000]) for candidate in (fitted, default)]
    written = {
        "seconds": took,
        "processor_seconds": spent,
        "chosen": chosen,
        "members": len(fitted.boosters),
        "cost": {name: costs[0][name] / costs[1][name] for name in costs[0]},
        "probability": found.tolist(),
    }
    Path(files[2]).write_text(json.dumps(written), encoding="utf-8")


def fit(train: pd.DataFrame, params: Params, seed: int) -> tuple[Candidate, str, Candidate]:
    """Return the candidate, what the search chose, and default XGBoost for its cost.

    The calibration rows are taken from the training rows, as the DAG does: peers have them too.
    """
    columns = {name: _feature(train[name]) for name in train if name != TARGET}
    later = np.zeros(len(train), dtype=bool)
    later[np.random.default_rng(seed).choice(len(train), CALIBRATION, replace=False)] = True
    derived = features.derive(train, columns)
    asked = Features(rare_below=RARE, columns=columns, drop={})
    spec = features.fit(derived[~later], asked, {})
    matrix, target = features.apply(spec, derived), train[TARGET].to_numpy()
    parts = [
        Part(
            matrix[own].reset_index(drop=True),
            target[own],
            pd.DataFrame(index=range(int(own.sum()))),
        )
        for own in (~later, later)
    ]
    search = params.search.model_copy(update=ensembling.search(len(train) - CALIBRATION))
    with tempfile.TemporaryDirectory() as memo:
        choice, _ = searching.search(parts[0], seed, search, Path(memo))
    settings = without_mitigation(params.training)
    fitted, default = (
        fit_candidate(recipe, spec, *parts, settings, seed)
        for recipe in (choice["recipe"], BASELINES["default"])
    )
    return fitted, choice["chosen"], default


def _feature(values: pd.Series) -> Feature:
    kind = "number" if pd.api.types.is_numeric_dtype(values) else "category"
    content = {"from": str(values.name), "as": kind, "missing": None, "why": "a benchmark"}
    return Feature.model_validate(content)


if __name__ == "__main__":
    main()
