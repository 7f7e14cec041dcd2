"""Performance of the champion on a window of rows: estimated without labels, measured with them."""

import numpy as np
from scipy import special

from perennial.core.statistics import estimates, metrics
from perennial.core.statistics.estimates import Estimate

METRICS = ("roc_auc", "log_loss", "brier", "accuracy")


def estimated(
    probability: np.ndarray,
    decision: np.ndarray,
    confidence: float,
    replicates: int,
    seed: int,
) -> dict[str, Estimate]:
    """Return what each metric is expected to be, if the probabilities mean what they say.

    Confidence-based performance estimation (CBPE; Białek et al. 2024, the algorithm of NannyML):
    a row counts as a positive with its probability, as a negative with the rest. It sees what a
    shift of the features does. It can't see concept drift: then the probabilities are wrong, and
    so is the estimate.

    The intervals tell of the draw of the rows (Student's for means of rows, the bootstrap for the
    AUC), not of the calibration's error.

    Args:
        probability: Calibrated, of the positive class, shape (rows,).
        decision: 0 or 1, shape (rows,).
        confidence: Of each interval.
        replicates: Of the AUC's bootstrap.
        seed: Of the bootstrap.

    Returns:
        By the names of `METRICS`; no `roc_auc` where all rows are certain to be of one class.
    """
    expected = {
        "log_loss": special.entr(probability) + special.entr(1 - probability),
        "brier": probability * (1 - probability),
        "accuracy": np.where(decision == 1, probability, 1 - probability),
    }
    found = {name: estimates.mean(values, confidence) for name, values in expected.items()}
    if 0 < probability.mean() < 1:
        auc = expected_roc_auc(probability)
        found["roc_auc"] = estimates.bootstrap(auc, len(probability), confidence, replicates, seed)
    return {name: found[name] for name in METRICS if name in found}


def expected_roc_auc(probability: np.ndarray) -> metrics.Statistic:
    """Return the expected AUC of calibrated probabilities as a function of row weights.

    The share of pairs of a positive and a negative that are in order, each pair of rows counted
    by how likely it is to be one. No row makes a pair with itself.
    """
    order = np.argsort(probability, kind="stable")
    sure = probability[order].astype("float64")
    ends = np.append(np.flatnonzero(np.diff(sure) > 0), len(sure) - 1)

    def statistic(weights: np.ndarray) -> np.ndarray:
        drawn = weights[:, order].astype("float64")
        # sums up to each distinct probability
        positive = np.cumsum(drawn * sure, axis=1)[:, ends]
        negative = np.cumsum(drawn * (1 - sure), axis=1)[:, ends]
        own = np.diff(negative, axis=1, prepend=0.0)
        won = (np.diff(positive, axis=1, prepend=0.0) * (negative - own / 2)).sum(axis=1)
        itself = drawn @ (sure * (1 - sure))
        pairs = positive[:, -1] * negative[:, -1] - itself
        return np.divide(
            won - itself / 2, pairs, out=np.full(len(weights), np.nan), where=pairs > 0
        )

    return statistic


def measured(
    target: np.ndarray, probability: np.ndarray, decision: np.ndarray, confidence: float
) -> dict[str, Estimate]:
    """Return each metric on rows whose labels are there.

    The AUC has DeLong's interval, accuracy Wilson's, the means of rows Student's.

    Args:
        target: 0 or 1, shape (rows,), at least two rows.
        probability: Of the positive class, shape (rows,).
        decision: 0 or 1, shape (rows,).
        confidence: Of each interval.

    Returns:
        By the names of `METRICS`; no `roc_auc` where a class has fewer than two rows.
    """
    rarer = min(int(target.sum()), int((1 - target).sum()))
    return {
        name: metrics.holdout_metric(name, target, probability, decision, confidence, 0, 0)
        for name in METRICS
        if name != "roc_auc" or rarer >= 2
    }


def change(current: Estimate, reference: Estimate) -> Estimate:
    """Return a metric's current value less the reference's, where no row is in both.

    The interval is Zou and Donner's (2008), from the two estimates' own intervals at one
    confidence: it keeps their asymmetry, and is the unpaired one of the textbooks where they are
    symmetric. Both may be measured, or one estimated.
    """
    value = current.value - reference.value
    down = np.hypot(current.value - current.low, reference.high - reference.value)
    up = np.hypot(current.high - current.value, reference.value - reference.low)
    n = current.n + reference.n
    return Estimate(value, float(value - down), float(value + up), n)
