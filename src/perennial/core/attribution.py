"""Attribution: how much of what the model says comes from each feature."""

from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.part import evenly
from perennial.core.statistics.metrics import Statistic


def importance(values: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each feature's mean |SHAP| (log odds) and its share of the sum, largest first."""
    size = values.abs().mean()
    total = float(size.sum()) or 1.0
    rows = [
        {"feature": str(name), "mean_abs_shap": float(value), "share": float(value) / total}
        for name, value in size.items()
    ]
    return sorted(rows, key=lambda row: (-row["share"], row["feature"]))


def largest_share(values: pd.DataFrame) -> Statistic:
    """Return the largest share of any one feature as a function of row weights.

    The largest is taken anew in each replicate, so the interval covers the choice of the feature.
    """
    absolute = values.abs().to_numpy(dtype="float64")

    def statistic(weights: np.ndarray) -> np.ndarray:
        sums = weights @ absolute
        total = sums.sum(axis=1)
        return np.divide(sums.max(axis=1), total, out=np.zeros_like(total), where=total > 0)

    return statistic


def rank_correlation(first: pd.DataFrame, second: pd.DataFrame) -> Statistic:
    """Return Spearman's correlation of two models' mean |SHAP| as a function of row weights.

    Args:
        first: One model's SHAP values, shape (rows, features).
        second: The other's, of the same rows and features.
    """
    both = [frame.abs().to_numpy(dtype="float64") for frame in (first, second)]

    def statistic(weights: np.ndarray) -> np.ndarray:
        ranks = [pd.DataFrame(weights @ values).rank(axis=1).to_numpy() for values in both]
        centred = [r - r.mean(axis=1, keepdims=True) for r in ranks]
        covariance = (centred[0] * centred[1]).sum(axis=1)
        size = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
        return np.divide(covariance, size, out=np.zeros_like(size), where=size > 0)

    return statistic


def additivity_error(values: np.ndarray, base: float, margin: np.ndarray) -> float:
    """Return the largest |base + sum of SHAP values - margin| of any row, in log odds.

    Additivity (local accuracy) is what makes SHAP values an explanation of this model and no
    other (Lundberg and Lee 2017, property 1).
    """
    return float(np.max(np.abs(base + values.sum(axis=1) - margin)))


def spread(probability: np.ndarray, count: int) -> list[int]:
    """Return `count` row numbers from the lowest probability to the highest, evenly by rank."""
    order = np.argsort(probability, kind="stable")
    return [int(order[i]) for i in evenly(len(order), count)]
