"""Metrics of probabilities and decisions, each with its interval.

Every metric here takes row weights for many bootstrap replicates at once, so that 2,000
replicates cost a few matrix products. Tests hold them equal to scikit-learn's.
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from perennial.core import estimates
from perennial.core.estimates import Estimate

Statistic = Callable[[np.ndarray], np.ndarray]
METRICS = ("roc_auc", "average_precision", "log_loss", "brier", "ece", "accuracy", "f1")


def holdout_metrics(
    target: np.ndarray,
    probability: np.ndarray,
    decision: np.ndarray,
    bins: int,
    confidence: float,
    replicates: int,
    seed: int,
) -> dict[str, Estimate]:
    """Return the contract's seven metrics of a model on held-out rows.

    Args:
        target: 0 or 1, shape (rows,).
        probability: Of the positive class, shape (rows,).
        decision: 0 or 1, shape (rows,).
        bins: Equal-mass bins of the ECE.
        confidence: Of each interval.
        replicates: Of the bootstrap, where no closed form holds.
        seed: Of the bootstrap.
    """
    precision = (confidence, replicates, seed)
    found = {
        name: holdout_metric(name, target, probability, decision, *precision)
        for name in ("roc_auc", "average_precision", "log_loss", "brier", "accuracy", "f1")
    }
    ece = calibration_error(target, probability, bins)
    found["ece"] = estimates.bootstrap(ece, len(target), *precision)
    return {name: found[name] for name in METRICS}


def holdout_metric(
    name: str,
    target: np.ndarray,
    probability: np.ndarray,
    decision: np.ndarray,
    confidence: float,
    replicates: int,
    seed: int,
) -> Estimate:
    """Return one of the metrics, all but the ECE; arguments as `holdout_metrics` has them."""
    if name == "roc_auc":
        return estimates.roc_auc(target, probability, confidence)
    if name == "log_loss":
        return estimates.mean(row_log_loss(target, probability), confidence)
    if name == "brier":
        return estimates.mean((probability - target) ** 2, confidence)
    if name == "accuracy":
        return estimates.proportion(int((decision == target).sum()), len(target), confidence)
    score = {
        "average_precision": lambda: average_precision(target, probability),
        "f1": lambda: f1(target, decision),
    }[name]()
    return estimates.bootstrap(score, len(target), confidence, replicates, seed)


def row_log_loss(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return each row's log loss in nats, shape (rows,)."""
    safe = np.clip(probability, 1e-15, 1 - 1e-15)
    return -np.log(np.where(target == 1, safe, 1 - safe))


def average_precision(target: np.ndarray, score: np.ndarray) -> Statistic:
    """Return average precision as a function of row weights (scikit-learn's definition)."""
    order = np.argsort(-score, kind="stable")
    hit = target[order].astype("float32")
    ends = np.append(np.flatnonzero(np.diff(score[order]) < 0), len(score) - 1)

    def statistic(weights: np.ndarray) -> np.ndarray:
        drawn = weights[:, order]
        found = np.cumsum(drawn * hit, axis=1, dtype="float64")[:, ends]
        taken = np.cumsum(drawn, axis=1, dtype="float64")[:, ends]
        precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
        gained = np.diff(found, axis=1, prepend=0.0)
        return _ratio((gained * precision).sum(axis=1), found[:, -1])

    return statistic


def f1(target: np.ndarray, decision: np.ndarray) -> Statistic:
    """Return the F1 score of the positive class as a function of row weights."""
    both = ((target == 1) & (decision == 1)).astype("float32")
    either = (target + decision).astype("float32")

    def statistic(weights: np.ndarray) -> np.ndarray:
        return _ratio(2 * (weights @ both), weights @ either)

    return statistic


def calibration_error(target: np.ndarray, probability: np.ndarray, bins: int) -> Statistic:
    """Return the debiased expected calibration error as a function of row weights.

    Equal-mass bins. The plain ECE of a perfectly calibrated model is not 0 but the mean noise of
    its bins (about 0.037 at 1,000 rows). The noise is taken off as Kumar, Liang and Ma (2019)
    suggest: a gap t that is observed with standard error s has the mean size E|N(t, s²)|, so its
    excess over t is taken off, with t the root mean squared gap of all bins, itself debiased.
    Below 0 it is 0. Where all the error is in one bin of ten, it is overstated.
    """
    member, bins = _bins(probability, bins)
    onehot = np.zeros((len(target), bins), dtype="float32")
    onehot[np.arange(len(target)), member] = 1.0

    def statistic(weights: np.ndarray) -> np.ndarray:
        mass = weights @ onehot
        safe = np.maximum(mass, 1.0)
        rate = (weights * target) @ onehot / safe
        gap = rate - (weights * probability) @ onehot / safe
        # Kish's effective size: a replicate has the noise of the rows and of the draw
        variance = np.maximum(rate * (1 - rate), 0.0) * (weights**2 @ onehot) / safe**2
        share = mass / mass.sum(axis=1, keepdims=True)
        true = (share * (gap**2 - variance)).sum(axis=1, keepdims=True)
        true = np.sqrt(np.maximum(true, 0.0))
        noise = folded_normal_mean(true, np.sqrt(variance)) - true
        return np.maximum((share * (np.abs(gap) - noise)).sum(axis=1), 0.0)

    return statistic


def folded_normal_mean(mean: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return E|X| for X normal with this mean and standard error (Leone et al. 1961)."""
    safe = np.maximum(error, 1e-12)
    return safe * np.sqrt(2 / np.pi) * np.exp(-(mean**2) / (2 * safe**2)) + mean * (
        1 - 2 * special.ndtr(-mean / safe)
    )


def calibration_curve(
    target: np.ndarray, probability: np.ndarray, bins: int, confidence: float
) -> list[dict[str, float | int]]:
    """Return each equal-mass bin's mean probability and its rate with Wilson's interval."""
    member, bins = _bins(probability, bins)
    rows = []
    for index in range(bins):
        inside = member == index
        rate = estimates.proportion(int(target[inside].sum()), int(inside.sum()), confidence)
        rows.append({"stated": float(probability[inside].mean()), **rate.to_json()})
    return rows


def _bins(probability: np.ndarray, bins: int) -> tuple[np.ndarray, int]:
    """Return each row's equal-mass bin and how many bins there are; equal scores share a bin."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    member = np.searchsorted(edges, probability, side="right")
    used, member = np.unique(member, return_inverse=True)
    return member, len(used)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(
        above, below, out=np.full(above.shape, np.nan, dtype="float64"), where=below > 0
    )
