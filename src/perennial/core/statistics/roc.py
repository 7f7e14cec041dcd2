"""ROC AUC and differences of it, with their intervals (DeLong 1988, Obuchowski 1997)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.statistics import clusters
from perennial.core.statistics.estimates import Estimate, proportion, quantile


def roc_auc_difference(
    target: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    confidence: float,
    key: np.ndarray | None = None,
) -> Estimate:
    """Return the ROC AUC of `first` less that of `second`, on the same rows.

    The interval is DeLong's (1988), by the algorithm of Sun and Xu (2014): scores may tie.

    Args:
        target: 0 or 1, shape (rows,), both present.
        first: Scores, shape (rows,).
        second: Scores, shape (rows,).
        confidence: Of the two-sided interval.
        key: Each row's cluster, shape (rows,), if rows are not independent.
    """
    aucs, covariance = delong(target, np.vstack([first, second]), key)
    value = float(aucs[0] - aucs[1])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    several = None if key is None else clusters.rarer(key, target)
    half = float(quantile(confidence, several) * np.sqrt(max(variance, 0.0)))
    return Estimate(value, value - half, value + half, len(target))


def roc_auc(
    target: np.ndarray, score: np.ndarray, confidence: float, key: np.ndarray | None = None
) -> Estimate:
    """Return the ROC AUC with DeLong's interval, taken on the logit scale so as to stay in 0..1."""
    aucs, covariance = delong(target, score[np.newaxis], key)
    error = float(np.sqrt(covariance[0, 0]))
    positives = int(target.sum())
    counts = (positives, len(target) - positives, clusters.rarer(key, target))
    return roc_auc_from(float(aucs[0]), error, *counts, confidence, key is not None)


def roc_auc_from(
    value: float,
    error: float,
    positives: int,
    negatives: int,
    rarer: int,
    confidence: float,
    clustered: bool,
) -> Estimate:
    """Return a ROC AUC and its standard error as an estimate, as `roc_auc` does.

    `rarer` is how many rows, or (`clustered`) clusters, the class has that has fewer.
    """
    n, several = positives + negatives, rarer if clustered else None
    if np.isnan(value):  # one class only
        return Estimate(value, value, value, n)
    if not 0 < value < 1:  # no spread is seen: as many successes as the rarer class has
        bound = proportion(round(value) * rarer, rarer, confidence, 1.0, several)
        return Estimate(value, bound.low, bound.high, n)
    centre = np.log(value / (1 - value))
    half = quantile(confidence, several) * error / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-half, half]))))
    return Estimate(value, float(low), float(high), n)


def reported(found: Mapping[str, Any], confidence: float) -> Estimate:
    """Return the ROC AUC of a report as an estimate.

    Args:
        found: `value`, `error` (None where it is unknown), `positives`, `negatives`, `rarer` and
            `clustered`, as `roc_auc_from` takes them.
        confidence: Of the two-sided interval.
    """
    positives, negatives, rarer = (int(found[one]) for one in ("positives", "negatives", "rarer"))
    error = np.nan if found["error"] is None else found["error"]  # as JSON has it
    about = (positives, negatives, rarer, confidence, bool(found["clustered"]))
    return roc_auc_from(found["value"], error, *about)


def delong(
    target: np.ndarray, scores: np.ndarray, key: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the AUC of each row of `scores`, shape (models, rows), and their covariance.

    With `key`, the cluster of each row, the covariance between clusters (Obuchowski 1997); not a
    number where one cluster has all rows of a class.
    """
    positive, negative = scores[:, target == 1], scores[:, target == 0]
    m, n = positive.shape[1], negative.shape[1]
    ranks = _midranks(np.hstack([positive, negative]))
    above = (ranks[:, :m] - _midranks(positive)) / n
    below = 1 - (ranks[:, m:] - _midranks(negative)) / m
    aucs = above.mean(axis=1)
    if key is None:
        return aucs, np.atleast_2d(np.cov(above)) / m + np.atleast_2d(np.cov(below)) / n
    number, several = clusters.numbered(key)
    off = [(above - aucs[:, np.newaxis]) / m, (below - aucs[:, np.newaxis]) / n]
    sums, having = [], []
    for one, values in zip((1, 0), off, strict=True):
        own = number[target == one]
        sums.append(np.array([np.bincount(own, model, several) for model in values]))
        having.append(clusters.count(key, target == one))
    if min(having) < 2:  # of one cluster's rows of a class nothing is known
        return aucs, np.full((len(scores), len(scores)), np.nan)
    both = sums[0] @ sums[1].T
    alone = sum(k / (k - 1) * of @ of.T for k, of in zip(having, sums, strict=True))
    return aucs, np.asarray(alone + several / (several - 1) * (both + both.T))


def _midranks(scores: np.ndarray) -> np.ndarray:
    """Return each row's ranks from 1, shape as given; equal scores share their mean rank."""
    return np.asarray(pd.DataFrame(scores.T).rank(method="average").to_numpy().T)
