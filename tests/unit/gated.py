"""Planted scores, attributions and thresholds, for the tests of the gates."""

from typing import Any

import numpy as np
import pandas as pd

from perennial.core.gates.result import Gate, Precision
from perennial.core.statistics.estimates import Estimate
from perennial.params.gates import (
    Threshold,
)

NAN, INF = float("nan"), float("inf")
SURE = Precision(confidence=0.99, replicates=300, seed=0)
ROWS = 3000
ALONE = {"design_effect": 1.0, "clusters": None}  # of rows that are all independent


def limit(threshold: float, insufficient: Any = "block") -> Threshold:
    return Threshold(threshold=threshold, insufficient=insufficient)


def estimate(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 100)


def gate(name: str = "any", verdict: Any = "pass", insufficient: Any = "block") -> Gate:
    return Gate(name, verdict, None, 0.5, "because", insufficient)


def scores(rows: int = ROWS, seed: int = 0, **columns: Any) -> pd.DataFrame:
    """What the stage evaluate writes, of a candidate that states the truth."""
    random = np.random.default_rng(seed)
    odds = 1.5 * random.normal(size=rows)
    truth = 1 / (1 + np.exp(-odds))
    sound = {
        "target": (random.random(rows) < truth).astype("int64"),
        "probability": truth,
        "decision": (truth > 0.5).astype("int64"),
        "logistic": 1 / (1 + np.exp(-odds - 0.3 * random.normal(size=rows))),
        "prior": 0.5,
    }
    return pd.DataFrame({**sound, **columns})


def noise(rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(9).random(rows)


def shap(seed: int = 0, rows: int = 500, **factors: float) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = {"a": 1.0, "b": 0.9, "c": 0.6, "d": 0.3, "e": 0.1, **factors}
    return pd.DataFrame({name: f * random.normal(size=rows) for name, f in size.items()})


def alone(value: float, error: float = 0.01) -> dict[str, Any]:
    counts = {"positives": 500, "negatives": 500, "rarer": 500, "clustered": False}
    return {"value": value, "error": error, **counts}
