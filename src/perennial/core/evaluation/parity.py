"""Parity: whether another form of the candidate says what it says, edge rows included."""

from decimal import ROUND_UP, Context
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.features import FeatureSpec, apply


def coded(features: pd.DataFrame) -> np.ndarray:
    """Return a feature matrix as numbers alone, float32, shape (rows, features).

    A category is its level's place among the levels; NaN is missing.
    """
    values = np.empty(features.shape, dtype="float32")
    for i, (_, column) in enumerate(features.items()):
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            values[:, i] = np.where(codes < 0, np.nan, codes)
        else:
            values[:, i] = column.to_numpy()
    return values


def edge_rows(spec: FeatureSpec) -> pd.DataFrame:
    """Return rows of the feature matrix where an export goes wrong first, with a spec's dtypes.

    One row has nothing. From each of two corners (numbers lowest and categories at their first
    level; numbers highest and categories at their last): the corner, each level of each category,
    and each feature missing.
    """
    fitted = spec.fitted
    low = {name: f.levels[0] if f.levels else f.low for name, f in fitted.items()}
    high = {name: f.levels[-1] if f.levels else f.high for name, f in fitted.items()}
    rows: list[dict[str, Any]] = [dict.fromkeys(fitted), low, high]
    for corner in (low, high):
        for name, learnt in fitted.items():
            rows += [{**corner, name: value} for value in (*(learnt.levels or ()), None)]
    derived = {
        name: pd.Series(
            [row[name] for row in rows], dtype="float64" if fitted[name].levels is None else object
        )
        for name in spec.columns
    }
    return apply(spec, pd.DataFrame(derived))


def largest_gap(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest absolute difference of two lots of probabilities, shape (rows,).

    It is infinite where either has no number or a row more: nothing may pass for agreement.
    """
    if first.shape != second.shape:
        return float("inf")
    gaps = np.abs(first - second)
    return float("inf") if np.isnan(gaps).any() else float(gaps.max(initial=0.0))


def rounded_up(gap: float) -> float:
    """Return a gap rounded up to one significant digit.

    A gap of 1e-8 is rounding error, whose last digits differ between processors; reports are
    hashed, and must not.
    """
    return float(Context(prec=1, rounding=ROUND_UP).create_decimal(repr(gap)))
