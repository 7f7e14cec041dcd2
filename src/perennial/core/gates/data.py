"""Gates on leaks in the data: rows on both sides, time backwards, answers among the features."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from perennial.core.gates.result import Gate, Precision, on_fact, on_interval
from perennial.core.statistics import roc
from perennial.core.statistics.estimates import Estimate
from perennial.params.gates import Threshold


def overlap(found: Mapping[str, int]) -> Gate:
    """No row (and under a split by key, no key) is on two sides of the split."""
    return on_fact(
        "overlap",
        found["shared"],
        found["rows"],
        0,
        f"{{value}} {found['what']} are both trained on and held out; none may be",
    )


def time_order(found: Mapping[str, Any] | None) -> Gate:
    """Training rows are older than calibration rows, and these than the holdout.

    Args:
        found: How many rows stand on the wrong side of time, of how many; None if the rows are
            not split by time.
    """
    if found is None:
        why = "the rows are not split by time"
        return Gate("time_order", "pass", None, 0.0, why)
    return on_fact(
        "time_order",
        found["backwards"],
        found["rows"],
        0,
        "{value} rows to learn from are not older than the rows held out; none may be",
    )


def single_feature(
    found: Mapping[str, Mapping[str, Any]], settings: Threshold, precision: Precision
) -> Gate:
    """No feature alone predicts the target so well that it must have seen it.

    Each feature's AUC over the training rows with DeLong's interval, widened for their number
    (Bonferroni); the gate's estimate is the largest.
    """
    each = 1 - (1 - precision.confidence) / len(found)
    intervals = {name: roc.reported(own, each) for name, own in found.items()}
    best = max(intervals, key=lambda name: (intervals[name].value, name))
    largest = Estimate(
        intervals[best].value,
        # where one is not a number, neither is the largest
        float(np.max([interval.low for interval in intervals.values()])),
        float(np.max([interval.high for interval in intervals.values()])),
        intervals[best].n,
    )
    return on_interval(
        "single_feature",
        largest,
        settings.threshold,
        "below",
        settings.insufficient,
        f"ROC AUC of {best} alone {{estimate}} must be below {{threshold}}",
    )


def identifier(found: Mapping[str, float], rows: int, at_most: float) -> Gate:
    """No feature names the row: whole numbers or levels that are nearly all distinct."""
    worst = max(found, key=lambda name: (found[name], name), default=None)
    share = found[worst] if worst is not None else 0.0
    return on_fact(
        "identifier",
        share,
        rows,
        at_most,
        f"share of distinct values of {worst or 'any feature'} {{value}} must be at most "
        "{threshold}",
    )
