"""The domain classifier: how well a model tells the current rows from the reference.

It sees what no feature shows alone, such as two features that no longer go together (Rabanser,
Günnemann and Lipton 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.part import evenly
from perennial.core.model import boosting
from perennial.core.statistics import clusters, roc
from perennial.core.statistics.estimates import Estimate
from perennial.params.drift import DomainClassifier


@dataclass(frozen=True)
class DomainShift:
    """How well current rows are told from the reference.

    Attributes:
        roc_auc: Out of fold; 0.5 if they can't be told apart.
        importance: Each feature's share of all gain, the largest first; they sum to 1, unless
            nothing was split.
        threshold: Of the interval's low bound.
        drifted: Whether the low bound is above it.
    """

    roc_auc: Estimate
    importance: dict[str, float]
    threshold: float
    drifted: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; importance as a list, as JSON objects have no order."""
        return {
            "roc_auc": self.roc_auc.to_json(),
            "importance": [{"feature": k, "share": v} for k, v in self.importance.items()],
            "threshold": self.threshold,
            "drifted": self.drifted,
        }


def classify(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    settings: DomainClassifier,
    confidence: float,
    seed: int,
    keys: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> DomainShift | None:
    """Tell current rows from the reference with a small XGBoost, by cross-validation.

    Folds are stratified: each has its share of either side's rows, or of those whom they are of.
    With keys all rows of one are in one fold, as a model that knows again who was there has not
    seen a drift. A row without a key is of nobody else.

    Returns:
        None where a side has too few rows, or rows of too few keys: two for each fold.

    Args:
        reference: The champion's feature matrix (dataset.features.apply), shape (rows, features).
        current: The same of the current rows, with the same categories.
        settings: How many rows of each side at most (evenly spaced), folds, rounds and the ROC
            AUC to exceed.
        confidence: Of the two-sided interval, DeLong's over the scores out of fold; with keys,
            that between them.
        seed: Of the folds and the model.
        keys: Whose each row is, of the reference and of the current rows; shape (rows,) each.
    """
    import xgboost

    chosen = [evenly(len(side), settings.rows) for side in (reference, current)]
    sides = [side.iloc[own] for side, own in zip((reference, current), chosen, strict=True)]
    rows = pd.concat(sides, ignore_index=True)
    target = np.repeat([0, 1], [len(side) for side in sides])
    whose = [key[own] for key, own in zip(keys, chosen, strict=True) if key is not None]
    who = clusters.named(np.concatenate(whose)) if len(whose) == len(keys) else np.arange(len(rows))
    if min(len(np.unique(who[target == side])) for side in (0, 1)) < 2 * settings.folds:
        return None
    fold = _folds(target, settings.folds, seed, who)
    simple: Mapping[str, Any] = boosting.DEFAULT
    params = {**boosting.FIXED, **simple["params"], "seed": seed}
    whole = boosting.matrix(rows, target)
    score, gain = np.zeros(len(rows)), pd.Series(0.0, index=rows.columns)
    for held in range(settings.folds):
        inside = fold != held
        own, others = (whole.slice(np.flatnonzero(side)) for side in (~inside, inside))
        booster = xgboost.train(params, others, settings.rounds)
        score[~inside] = boosting.margin(booster, own)
        gained = pd.Series(booster.get_score(importance_type="total_gain"), dtype="float64")
        gain = gain.add(gained, fill_value=0.0)
    found = roc.roc_auc(target, score, confidence, who if whose else None)
    shares = (gain / (gain.sum() or 1.0)).sort_values(ascending=False, kind="stable")
    importance = {str(name): float(share) for name, share in shares.items()}
    return DomainShift(found, importance, settings.roc_auc, found.low > settings.roc_auc)


def _folds(target: np.ndarray, folds: int, seed: int, who: np.ndarray) -> np.ndarray:
    """Return each row's fold, shape (rows,), one for all rows of one `who`: each has the same share
    of those who are among the current rows, and of those who are not."""
    random = np.random.default_rng(seed)
    fold = np.empty(who.max() + 1, dtype="int64")
    current = np.unique(who[target == 1])
    for own in (np.setdiff1d(who, current), current):
        fold[random.permutation(own)] = np.arange(len(own)) % folds
    return fold[who]
