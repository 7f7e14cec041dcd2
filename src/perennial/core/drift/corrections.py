"""Cheaper corrections than a retraining: what each would have been worth on labelled rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from perennial.core.drift.label_shift import adjust
from perennial.core.model import calibration
from perennial.core.model.decision import choose_threshold, row_utility
from perennial.core.statistics import estimates
from perennial.core.statistics.estimates import Estimate
from perennial.core.statistics.metrics import row_log_loss
from perennial.params import Utility

FOLDS = 5


@dataclass(frozen=True)
class Labelled:
    """Rows whose labels have arrived, in order of arrival, and what the champion says of them.

    All have shape (rows,): `target` and `decision` are 0 or 1, `margin` is log odds before
    calibration, `probability` is calibrated.
    """

    target: np.ndarray
    margin: np.ndarray
    probability: np.ndarray
    decision: np.ndarray


def gains(
    rows: Labelled, old_prior: float, new_prior: float, utility: Utility, confidence: float
) -> dict[str, Estimate]:
    """Return what each correction gains a row, the champion's own trees left as they are.

    A correction is fitted on four fifths of the rows and measured on the fifth, in turn: in blocks
    of arrival, so that neighbours are on one side. The same rows are scored before and after, so
    the intervals are of paired differences. Where four fifths have fewer than two rows of a class,
    nothing is fitted: the champion's own word stays for the fifth.

    Args:
        rows: The newest labelled rows, at least as many as folds.
        old_prior: Share of positives in the rows that the champion was calibrated on.
        new_prior: As estimated from newer rows without their labels.
        utility: Of a decision.
        confidence: Of each interval.

    Returns:
        `recalibration` and `prior`: nats of log loss less; `threshold`: utility more.
    """
    found = {"recalibration": _saved(rows, _recalibrated(rows), confidence)}
    adjusted = adjust(rows.probability, old_prior, float(np.clip(new_prior, 0.001, 0.999)))
    found["prior"] = _saved(rows, adjusted, confidence)
    decided = _redecided(rows, utility)
    before, after = (row_utility(utility, rows.target, d) for d in (rows.decision, decided))
    found["threshold"] = estimates.mean(after - before, confidence)
    return found


def to_json(found: Mapping[str, Estimate], needed: float) -> list[dict[str, Any]]:
    """Return gains as JSON values, each with whether it is proven to be worth having."""
    units = {"threshold": "utility a row"}
    return [
        {
            "name": name,
            "gain": gain.to_json(),
            "unit": units.get(name, "nats of log loss a row"),
            "proven": gain.low > (needed if name != "threshold" else 0.0),
        }
        for name, gain in found.items()
    ]


def _saved(rows: Labelled, probability: np.ndarray, confidence: float) -> Estimate:
    before = row_log_loss(rows.target, rows.probability)
    return estimates.mean(before - row_log_loss(rows.target, probability), confidence)


def _recalibrated(rows: Labelled) -> np.ndarray:
    fitted = rows.probability.copy()
    for held, own in _blocks(rows.target):
        line = calibration.fit("sigmoid", rows.margin[own], rows.target[own])
        fitted[held] = line.probability(rows.margin[held])
    return fitted


def _redecided(rows: Labelled, utility: Utility) -> np.ndarray:
    decided = rows.decision.copy()
    for held, own in _blocks(rows.target):
        cut = choose_threshold(utility, rows.target[own], rows.probability[own])
        decided[held] = rows.probability[held] >= cut
    return decided


def _blocks(target: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each fifth and the rest, where the rest has two rows of each class to fit on."""
    block = np.arange(len(target)) * FOLDS // len(target)
    for fold in range(FOLDS):
        own = block != fold
        if min(target[own].sum(), (1 - target[own]).sum()) >= 2:
            yield ~own, own
