"""Leaks in the data: rows on both sides of the split, time backwards, answers among the features.

Everything here is counted on the rows themselves, before a model is asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.part import evenly
from perennial.core.statistics import clusters, roc
from perennial.params import Split

SCORED = 200_000  # rows that say how well each feature alone predicts, to within 0.003
LEARNED = ("train", "calibration")


def find(
    part: np.ndarray,
    rows: pd.DataFrame,
    derived: pd.DataFrame,
    sensitive: Sequence[str],
    digests: Mapping[str, str],
    split: Split,
) -> dict[str, Any]:
    """Return all that is counted here but how well each feature predicts alone.

    Args:
        part: Each row's part, shape (rows,).
        rows: Period, row, groups and (under a split by key) key of each row.
        derived: Each row's features before fitting.
        sensitive: The names of the groups' columns.
        digests: The SHA-256 of each period's batch.
        split: How the rows were split.
    """
    identity, what = identities(rows, digests, split.kind == "group")
    order = backwards(part, rows["period"].to_numpy()) if split.kind == "time" else None
    names, counts = np.unique(part.astype(str), return_counts=True)
    groups = {
        name: group_sizes(rows.loc[part == name, list(sensitive)]) for name in ("train", "holdout")
    }
    return {
        "rows": {str(name): int(count) for name, count in zip(names, counts, strict=True)},
        "overlap": overlap(part, identity, what),
        "time_order": order,
        "distinct": distinct_shares(derived[part == "train"]),
        "group_sizes": groups,
    }


def overlap(part: np.ndarray, identity: np.ndarray, what: str) -> dict[str, Any]:
    """Count what is both learned from (trained on or calibrated with) and held out.

    Args:
        part: Each row's part, shape (rows,).
        identity: What a row is: its batch's digest and place, or its key. Never its content, as
            two calls may look the same; shape (rows,).
        what: The identity in words, for the report.
    """
    learned = np.unique(identity[np.isin(part, LEARNED)])
    held = np.unique(identity[part == "holdout"])
    shared = np.intersect1d(learned, held, assume_unique=True)
    return {"what": what, "shared": len(shared), "rows": len(part)}


def backwards(part: np.ndarray, period: np.ndarray) -> dict[str, Any]:
    """Count rows to learn from that are not older than what they are judged by.

    Training rows must be of an earlier period than every calibration row, and these than every
    holdout row.
    """
    count = 0
    for earlier, later in (("train", "calibration"), ("calibration", "holdout")):
        count += int((period[part == earlier] >= period[part == later].min()).sum())
    return {"backwards": count, "rows": len(part)}


def single_features(
    features: pd.DataFrame, target: np.ndarray, key: np.ndarray | None = None
) -> dict[str, dict[str, Any]]:
    """Return how well each feature alone predicts the target: its ROC AUC and DeLong's error.

    A number is taken as it is, in the direction that is better, missing values lowest. A category
    is ranked by its levels' rates in the other half of the rows, or many levels would look like
    knowledge. Of many rows, `SCORED` are looked at, evenly spaced. `key` is each row's cluster.
    """
    chosen = evenly(len(target), SCORED)
    features, target = features.iloc[chosen], target[chosen]
    key = None if key is None else key[chosen]
    rarer = clusters.rarer(key, target)
    found = {}
    for name in features:
        score = _score(features[name], target)
        aucs, covariance = roc.delong(target, score[np.newaxis], key)
        value = float(aucs[0])
        found[str(name)] = {
            "value": max(value, 1 - value),
            "error": float(np.sqrt(covariance[0, 0])),
            "positives": int(target.sum()),
            "negatives": int((1 - target).sum()),
            "rarer": rarer,
            "clustered": key is not None,
        }
    return found


def _score(values: pd.Series, target: np.ndarray) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values):
        return values.fillna(-np.inf).to_numpy(dtype="float64")
    levels = values.astype(object).where(values.notna(), "(missing)").to_numpy()
    half = np.arange(len(levels)) % 2 == 0
    score = np.empty(len(levels))
    for own in (half, ~half):
        rates = pd.Series(target[~own]).groupby(levels[~own]).mean()
        score[own] = pd.Series(levels[own]).map(rates).fillna(target[~own].mean())
    return score


def distinct_shares(derived: pd.DataFrame) -> dict[str, float]:
    """Return the share of distinct values of each feature that could be an identifier.

    Those are categories and whole numbers; a measurement with decimals may well never repeat.

    Args:
        derived: The training rows before levels are pooled, as `features.derive` returns them.
    """
    shares = {}
    for name in derived:
        values = derived[name].dropna()
        numeric = pd.api.types.is_numeric_dtype(values)
        if len(values) and not (numeric and (values % 1 != 0).any()):
            shares[str(name)] = values.nunique() / len(values)
    return shares


def group_sizes(groups: pd.DataFrame) -> dict[str, int]:
    """Return the rows of each group of each attribute, by "attribute: group"."""
    return {
        f"{attribute}: {group}": int(rows)
        for attribute in groups
        for group, rows in sorted(groups[attribute].value_counts().items())
    }


def identities(
    rows: pd.DataFrame, digests: Mapping[str, str], keyed: bool
) -> tuple[np.ndarray, str]:
    """Return what each row is, and in words: its key, or its place in its batch by content.

    By the batch's digest, so that a month delivered twice under two names is the same rows.
    """
    if keyed:
        return rows["key"].to_numpy(), "keys"
    batch, _ = pd.factorize(rows["period"].map(dict(digests)))
    place = rows["row"].to_numpy()
    return batch * (int(place.max(initial=0)) + 1) + place, "rows"
