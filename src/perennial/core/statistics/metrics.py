"""Metrics of probabilities and decisions, each with its interval.

Every metric here takes row weights for many bootstrap replicates at once, so that 2,000
replicates cost a few matrix products. Tests hold them equal to scikit-learn's.
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from perennial.core.statistics import clusters, estimates, roc
from perennial.core.statistics.estimates import Estimate

Statistic = Callable[[np.ndarray], np.ndarray]
Make = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None], Statistic]
MANY = 200_000  # rows, from which on intervals are drawn on cells of like rows
CELLS = 10_000  # bins of the probability, each with up to four cells
GROUPS = 1_000  # of clusters, drawn together where rows are many
METRICS = ("roc_auc", "average_precision", "log_loss", "brier", "ece", "accuracy", "f1")


def holdout_metrics(
    target: np.ndarray,
    probability: np.ndarray,
    decision: np.ndarray,
    bins: int,
    confidence: float,
    replicates: int,
    seed: int,
    key: np.ndarray | None = None,
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
        key: Each row's cluster, shape (rows,), if rows are not independent.
    """
    precision = (confidence, replicates, seed, key)
    found = {
        name: holdout_metric(name, target, probability, decision, *precision)
        for name in ("roc_auc", "average_precision", "log_loss", "brier", "accuracy", "f1")
    }
    ece = ece_of(bins, calibration_effect(target, probability, bins, key))
    found["ece"] = resampled(ece, target, probability, decision, *precision)
    return {name: found[name] for name in METRICS}


def holdout_metric(
    name: str,
    target: np.ndarray,
    probability: np.ndarray,
    decision: np.ndarray,
    confidence: float,
    replicates: int,
    seed: int,
    key: np.ndarray | None = None,
) -> Estimate:
    """Return one of the metrics, all but the ECE; arguments as `holdout_metrics` has them."""
    if name == "roc_auc":
        return roc.roc_auc(target, probability, confidence, key)
    if name == "log_loss":
        return estimates.mean(row_log_loss(target, probability), confidence, key)
    if name == "brier":
        return estimates.mean((probability - target) ** 2, confidence, key)
    if name == "accuracy":
        return estimates.share(decision == target, confidence, key)
    make: Make = {
        "average_precision": lambda target, probability, _, __: average_precision(
            target, probability
        ),
        "f1": lambda target, _, decision, __: f1(target, decision),
    }[name]
    return resampled(make, target, probability, decision, confidence, replicates, seed, key)


def resampled(
    make: Make,
    target: np.ndarray,
    probability: np.ndarray,
    decision: np.ndarray,
    confidence: float,
    replicates: int,
    seed: int,
    key: np.ndarray | None = None,
) -> Estimate:
    """Return a statistic of rows with its bootstrap interval, drawn on cells where rows are many.

    More than `MANY` rows are merged into cells: those of one of `CELLS` equal-mass bins of the
    probability, of one class and decision. A multinomial over the cells is what a draw of the rows
    is to a statistic that can't tell the rows of a cell apart; each is taken at its bin's mean
    probability. Of clusters, up to `GROUPS` groups of them are drawn with all their rows.

    Args:
        make: From target, probability, decision and (of cells) rows, to a function of weights.
        target: 0 or 1, shape (rows,).
        probability: Of the positive class, shape (rows,).
        decision: 0 or 1, shape (rows,).
        confidence: Of the interval.
        replicates: Of the bootstrap.
        seed: Of the draws.
        key: Each row's cluster, shape (rows,), if rows are not independent.
    """
    statistic, merged = make(target, probability, decision, None), None
    several = None if key is None else clusters.rarer(key, target)
    if len(target) > MANY:
        cell, cells = _cells(target, probability, decision)
        counted = cells[-1] if key is None else _of_groups(cell, len(cells[-1]), key)
        merged, key = (make(*cells), counted), None
    drawn = (confidence, replicates, seed, merged, key, several)
    return estimates.bootstrap(statistic, len(target), *drawn)


def _cells(
    target: np.ndarray, probability: np.ndarray, decision: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Return each row's cell, shape (rows,); and each cell's target, its bin's mean probability,
    decision and rows, (cells,)."""
    member, _ = _bins(probability, CELLS)
    code = member * 4 + target.astype("int64") * 2 + decision.astype("int64")
    names, cell, rows = np.unique(code, return_inverse=True, return_counts=True)
    # of the whole bin: at their own means, the classes of a bin would be told apart
    mean = np.bincount(member, weights=probability) / np.bincount(member)
    return cell, (names % 4 // 2, mean[names // 4], names % 2, rows)


def _of_groups(cell: np.ndarray, cells: int, key: np.ndarray) -> np.ndarray:
    """Return how many rows of each group of clusters are in each cell, shape (groups, cells)."""
    number, several = clusters.numbered(key)
    groups = min(GROUPS, several)
    place = number % groups * cells + cell  # every so many in the order of keys: none is chosen
    return np.bincount(place, minlength=groups * cells).reshape(groups, cells).astype("float32")


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


def ece_of(bins: int, effect: float = 1.0) -> Make:
    """Return how `resampled` makes the `calibration_error` of so many bins."""
    return lambda target, probability, _, rows: calibration_error(
        target, probability, bins, rows, effect
    )


def calibration_error(
    target: np.ndarray,
    probability: np.ndarray,
    bins: int,
    rows: np.ndarray | None = None,
    effect: float = 1.0,
) -> Statistic:
    """Return the debiased expected calibration error as a function of row weights.

    Equal-mass bins. The plain ECE of a perfectly calibrated model is not 0 but the mean noise of
    its bins (about 0.037 at 1,000 rows). The noise is taken off as Kumar, Liang and Ma (2019)
    suggest: a gap t that is observed with standard error s has the mean size E|N(t, s²)|, so its
    excess over t is taken off, with t the root mean squared gap of all bins, itself debiased.
    Below 0 it is 0. Where all the error is in one bin of ten, it is overstated.

    With `rows`, each is a cell of so many rows, drawn as one. Rows of clusters have so much more
    noise as `calibration_effect` says.
    """
    member, bins = _bins(probability, bins, rows)
    onehot = np.zeros((len(target), bins), dtype="float32")
    onehot[np.arange(len(target)), member] = 1.0

    def statistic(weights: np.ndarray) -> np.ndarray:
        mass = weights @ onehot
        safe = np.maximum(mass, 1.0)
        rate = (weights * target) @ onehot / safe
        gap = rate - (weights * probability) @ onehot / safe
        # Kish's effective size: a replicate has the noise of the rows and of the draw
        # of a cell, the sum of its rows' squared weights is known by its mean
        square = weights**2 if rows is None else weights * (1 + (weights - 1) / rows)
        binomial = np.maximum(rate * (1 - rate), 0.0) * (square @ onehot) / safe**2
        variance = effect * binomial
        share = mass / mass.sum(axis=1, keepdims=True)
        true = (share * (gap**2 - variance)).sum(axis=1, keepdims=True)
        true = np.sqrt(np.maximum(true, 0.0))
        noise = folded_normal_mean(true, np.sqrt(variance)) - true
        return np.maximum((share * (np.abs(gap) - noise)).sum(axis=1), 0.0)

    return statistic


def calibration_effect(
    target: np.ndarray, probability: np.ndarray, bins: int, key: np.ndarray | None
) -> float:
    """Return how many rows of clusters say as much of a bin's rate as one independent row.

    The design effect of all bins together (see `clusters.design`); at least 1.
    """
    if key is None:
        return 1.0
    member, bins = _bins(probability, bins)
    rate = np.bincount(member, weights=target) / np.bincount(member)
    off = target - rate[member]
    of_bin_and_key = clusters.numbered(clusters.numbered(key)[0] * bins + member)[0]
    between = np.bincount(of_bin_and_key, weights=off) ** 2
    within = float((off**2).sum())
    return max(1.0, float(between.sum()) / within) if within else 1.0


def folded_normal_mean(mean: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return E|X| for X normal with this mean and standard error (Leone et al. 1961)."""
    safe = np.maximum(error, 1e-12)
    return safe * np.sqrt(2 / np.pi) * np.exp(-(mean**2) / (2 * safe**2)) + mean * (
        1 - 2 * special.ndtr(-mean / safe)
    )


def calibration_curve(
    target: np.ndarray,
    probability: np.ndarray,
    bins: int,
    confidence: float,
    key: np.ndarray | None = None,
) -> list[dict[str, float | int]]:
    """Return each equal-mass bin's mean probability and its rate with Wilson's interval."""
    member, bins = _bins(probability, bins)
    rows = []
    for index in range(bins):
        inside = member == index
        own = None if key is None else key[inside]
        rate = estimates.share(target[inside] == 1, confidence, own)
        rows.append({"stated": float(probability[inside].mean()), **rate.to_json()})
    return rows


def _bins(
    probability: np.ndarray, bins: int, rows: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Return each row's equal-mass bin and how many bins there are; equal scores share a bin."""
    every = probability if rows is None else np.repeat(probability, rows)
    edges = np.unique(np.quantile(every, np.linspace(0, 1, bins + 1)[1:-1]))
    member = np.searchsorted(edges, probability, side="right")
    used, member = np.unique(member, return_inverse=True)
    return member, len(used)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(
        above, below, out=np.full(above.shape, np.nan, dtype="float64"), where=below > 0
    )
