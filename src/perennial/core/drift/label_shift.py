"""Label shift: the share of positives moves, while the rows of each class look as they did.

Estimated without labels from what the champion says, and measured once labels are there.
"""

import numpy as np

from perennial.core.statistics import estimates
from perennial.core.statistics.estimates import Estimate

_AT_ONCE = 4_000_000  # replicates · rows in memory
_TOLERANCE = 1e-10  # of a prior


def adjust(probability: np.ndarray, old_prior: float, new_prior: float | np.ndarray) -> np.ndarray:
    """Return probabilities that are calibrated under one prior as they are under another, by Bayes'
    rule (Elkan 2001); shape as broadcast.

    Args:
        probability: Of the positive class, shape (rows,).
        old_prior: Share of positives in the rows they were calibrated on, above 0 and below 1.
        new_prior: Share of positives now, 0 to 1.
    """
    positive = probability * (np.asarray(new_prior) / old_prior)
    negative = (1 - probability) * ((1 - np.asarray(new_prior)) / (1 - old_prior))
    return positive / (positive + negative)


def estimated_prior(
    probability: np.ndarray, old_prior: float, confidence: float, replicates: int, seed: int
) -> Estimate:
    """Return the share of positives among rows without labels, with a bootstrap interval.

    It is the prior of the largest likelihood, to which the EM of Saerens, Latinne and Decaestecker
    (2002) converges; the likelihood is concave in it, so Newton's steps get there in a tenth of
    the rounds. It rests on label shift alone and on calibrated probabilities (Alexandari, Kundaje
    and Shrikumar 2020). The interval tells of the current rows' draw, not of the calibration's
    error nor of the old prior's: compare with `black_box_prior`.

    Args:
        probability: Calibrated, of the current rows, shape (rows,).
        old_prior: Share of positives in the rows they were calibrated on, above 0 and below 1.
        confidence: Of the interval.
        replicates: Of the bootstrap.
        seed: Of the bootstrap.
    """

    def statistic(weights: np.ndarray) -> np.ndarray:
        pieces = -(-weights.size // _AT_ONCE)
        parts = np.array_split(weights, min(pieces, len(weights)))
        return np.concatenate([_most_likely(probability, old_prior, part) for part in parts])

    return estimates.bootstrap(statistic, len(probability), confidence, replicates, seed)


def _most_likely(probability: np.ndarray, old_prior: float, weights: np.ndarray) -> np.ndarray:
    """Return the most likely prior under each replicate's weights, shape (replicates,)."""
    negative = (1 - probability) / (1 - old_prior)
    slope = probability / old_prior - negative
    slope[np.abs(slope) < 1e-12] = 0.0  # a row that tells nothing, but for rounding
    prior = np.full(len(weights), old_prior)
    low, high = np.zeros(len(weights)), np.ones(len(weights))
    left = np.arange(len(weights))  # replicates that still move
    for _ in range(60):
        at = prior[left]
        share = at[:, np.newaxis] * slope
        share += negative
        np.divide(slope, np.maximum(share, 1e-300, out=share), out=share)
        gradient = np.einsum("rn,rn->r", weights, share)
        curve = np.einsum("rn,rn->r", weights, np.square(share, out=share))
        low[left] = np.where(gradient > 0, at, low[left])
        high[left] = np.where(gradient < 0, at, high[left])
        step = at + gradient / np.maximum(curve, 1e-300)
        # outside what is still possible: halve that instead, so that it always ends. A step below
        # the tolerance is no reason to: there rounding, not the likelihood, says which side
        possible = ((step > low[left]) & (step < high[left])) | (np.abs(step - at) < _TOLERANCE)
        step = np.where(possible, np.clip(step, 0, 1), (low[left] + high[left]) / 2)
        prior[left] = step
        moving = np.abs(step - at) >= _TOLERANCE
        if not moving.any():
            break
        left, weights = left[moving], weights[moving]
    return prior


def black_box_prior(
    reference_target: np.ndarray,
    reference_decision: np.ndarray,
    current_decision: np.ndarray,
    confidence: float,
    replicates: int,
    seed: int,
) -> Estimate:
    """Return the share of positives by black box shift estimation (Lipton, Wang and Smola 2018).

    From decisions only, so it needs no calibration: (rate decided now - false positive rate) /
    (true - false positive rate), within 0 to 1. The bootstrap draws reference rows of each class
    and current rows; where the decisions tell nothing about the class, the interval is 0 to 1.

    Args:
        reference_target: 0 or 1, shape (rows,), both present.
        reference_decision: 0 or 1, shape (rows,).
        current_decision: 0 or 1, shape (current rows,).
        confidence: Of the interval.
        replicates: Of the bootstrap.
        seed: Of the bootstrap.
    """
    random = np.random.default_rng(seed)
    sides = [reference_decision[reference_target == c] for c in (1, 0)] + [current_decision]
    counts = [len(side) for side in sides]
    rates = [float(side.mean()) for side in sides]
    value = _solved(*(np.array([rate]) for rate in rates))
    drawn = (
        random.binomial(n, rate, replicates) / n for n, rate in zip(counts, rates, strict=True)
    )
    priors = _solved(*drawn)
    unknown = np.isnan(priors)
    if np.isnan(value[0]) or unknown.mean() > 1 - confidence:
        value = np.where(np.isnan(value), np.mean(reference_target), value)
        return Estimate(float(value[0]), 0.0, 1.0, counts[2])
    tail = (1 - confidence) / 2
    low, high = np.quantile(priors[~unknown], [tail, 1 - tail])
    return Estimate(float(value[0]), float(low), float(high), counts[2])


def _solved(true_rate: np.ndarray, false_rate: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Return the prior; NaN where positives are not decided more often than negatives."""
    told = true_rate - false_rate
    known = told > 0
    prior = (rate - false_rate) / np.where(known, told, 1.0)
    return np.where(known, np.clip(prior, 0.0, 1.0), np.nan)


def measured_shift(
    reference_target: np.ndarray, current_target: np.ndarray, confidence: float
) -> Estimate:
    """Return the current share of positives less the reference's, with Agresti and Caffo's
    interval (2000).

    Args:
        reference_target: 0 or 1, shape (rows,).
        current_target: 0 or 1, shape (current rows,).
        confidence: Of the interval.
    """
    current, reference = (
        (int(target.sum()), len(target)) for target in (current_target, reference_target)
    )
    return estimates.difference(current, reference, confidence)
