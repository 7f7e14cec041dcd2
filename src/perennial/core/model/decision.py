"""Decisions: the threshold on the probability that is worth most on the calibration rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from perennial.params import Utility

MIN_POSITIVES = 20  # fewer positives (or rows) of a group than this set no threshold of their own


@dataclass(frozen=True)
class Decision:
    """A threshold, and where it is permitted one per group of a sensitive attribute."""

    threshold: float
    attribute: str | None = None
    by_group: Mapping[str, float] = field(default_factory=dict)

    def decide(self, probability: np.ndarray, group: np.ndarray | None) -> np.ndarray:
        """Return 1 where the probability reaches the row's threshold, else 0; shape (rows,)."""
        if self.attribute is None or group is None:
            return (probability >= self.threshold).astype("int64")
        place, names = pd.factorize(group, use_na_sentinel=False)
        thresholds = [self.by_group.get(name, self.threshold) for name in names]
        each = np.array(thresholds, dtype="float64")[place]
        return (probability >= each).astype("int64")

    def to_json(self) -> dict[str, Any]:
        """Return the decision as JSON values."""
        return {
            "threshold": self.threshold,
            "attribute": self.attribute,
            "by_group": dict(self.by_group),
        }


def row_utility(utility: Utility, target: np.ndarray, decided: np.ndarray) -> np.ndarray:
    """Return the utility of each row's decision, shape (rows,)."""
    return np.where(
        target == 1,
        np.where(decided == 1, utility.true_positive, utility.false_negative),
        np.where(decided == 1, utility.false_positive, utility.true_negative),
    )


def choose_threshold(utility: Utility, target: np.ndarray, probability: np.ndarray) -> float:
    """Return the threshold with the highest utility on these rows (midway between two scores).

    Every cut between two scores is tried, so it is the best there is for the rows given.
    """
    order = np.argsort(-probability, kind="stable")
    scores, labels = probability[order], target[order]
    gain = np.where(
        labels == 1,
        utility.true_positive - utility.false_negative,
        utility.false_positive - utility.true_negative,
    )
    total = np.concatenate([[0.0], np.cumsum(gain)])
    cuts = np.concatenate([[True], scores[1:] < scores[:-1], [True]])  # never between two equals
    best = int(np.argmax(np.where(cuts, total, -np.inf)))
    if best == 0:
        return float(np.nextafter(scores[0], np.inf))
    if best == len(scores):
        return float(scores[-1])
    middle = float((scores[best - 1] + scores[best]) / 2)
    return middle if middle > scores[best] else float(scores[best - 1])  # neighbours have no middle


def choose_by_group(
    utility: Utility,
    target: np.ndarray,
    probability: np.ndarray,
    group: np.ndarray,
    attribute: str,
    constraint: str,
) -> Decision:
    """Return thresholds that give every group the same rate, at the rate that is worth most.

    The rate is the constraint's: of positives (equal opportunity), of negatives, or of all rows
    that are decided 1 (Hardt, Price and Srebro 2016). Unlike fairlearn's ThresholdOptimizer, no
    decision is drawn at random: docs/decisions/0004-thresholds-per-group.md.
    """
    overall = choose_threshold(utility, target, probability)
    counted = {
        "true_positive_rate_parity": target == 1,
        "false_positive_rate_parity": target == 0,
        "demographic_parity": np.ones(len(target), dtype=bool),
    }[constraint]
    names = [g for g in sorted(set(group)) if (counted & (group == g)).sum() >= MIN_POSITIVES]
    above = float(np.nextafter(probability.max(), np.inf))
    best = Decision(above, attribute, dict.fromkeys(names, above))  # nobody: rate 0
    best_utility = float(row_utility(utility, target, np.zeros(len(target))).mean())
    for rate in np.linspace(0.01, 1.0, 100):
        by_group = {
            g: float(np.quantile(probability[counted & (group == g)], 1 - rate)) for g in names
        }
        tried = Decision(overall, attribute, by_group)
        worth = float(row_utility(utility, target, tried.decide(probability, group)).mean())
        if worth > best_utility:
            best, best_utility = tried, worth
    return best
