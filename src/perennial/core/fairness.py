"""Fairness: rates by group with intervals, the differences between groups, and reweighing."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from perennial.core.statistics import clusters, estimates
from perennial.core.statistics.estimates import Count, Estimate
from perennial.params import Fairness

Counted = Mapping[str, Mapping[str, Count]]
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")


def combinations_of(settings: Fairness) -> list[list[str]]:
    """Return the attributes to report on, one by one and, if asked for, each pair of them."""
    single = [[name] for name in settings.attributes]
    pairs = [list(pair) for pair in combinations(settings.attributes, 2)]
    return single + (pairs if settings.intersections else [])


def group_names(groups: pd.DataFrame, attributes: list[str]) -> np.ndarray:
    """Return each row's group, or its intersection of groups, as one name; shape (rows,)."""
    names = groups[attributes[0]].astype(object)
    for attribute in attributes[1:]:
        names = names + " · " + groups[attribute].astype(object)
    return names.to_numpy()


def counts(
    target: np.ndarray, decision: np.ndarray, group: np.ndarray, key: np.ndarray | None = None
) -> dict[str, dict[str, Count]]:
    """Return (successes, n) of every rate of every group, and of clusters their design.

    As fairlearn's MetricFrame counts them, which a test holds: that takes a second to import, and
    most of a minute for a million rows. A group without any row that a rate is about (no
    positives, say) has n = 0.

    Args:
        target: 0 or 1, shape (rows,).
        decision: 0 or 1, shape (rows,).
        group: Each row's group, shape (rows,).
        key: Each row's cluster, shape (rows,), if rows are not independent.
    """
    number, names = pd.factorize(group, sort=True)
    found: dict[str, dict[str, Count]] = {str(name): {} for name in names}
    for rate in RATES:
        counted, success = _of(rate, target, decision)
        success = counted & success
        n, x = (np.bincount(number[rows], minlength=len(names)) for rows in (counted, success))
        for place, name in enumerate(names):
            count: Count = (int(x[place]), int(n[place]))
            if key is not None:
                own = np.flatnonzero(counted & (number == place))
                count = (count[0], count[1], *clusters.design(success[own], key[own]))
            found[str(name)][rate] = count
    return found


def _of(rate: str, target: np.ndarray, decision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows a rate is about, and which of all are its successes; (rows,) each."""
    return {
        "selection_rate": (np.ones(len(target), dtype=bool), decision == 1),
        "true_positive_rate": (target == 1, decision == 1),
        "false_positive_rate": (target == 0, decision == 1),
        "precision": (decision == 1, target == 1),
        "accuracy": (np.ones(len(target), dtype=bool), decision == target),
    }[rate]


def table(
    counted: Counted, confidence: float
) -> dict[str, dict[str, dict[str, float | int] | None]]:
    """Return every rate of every group with Wilson's interval; None where there are no rows."""
    return {
        name: {
            rate: estimates.share_of(one, confidence).to_json() if one[1] else None
            for rate, one in rates.items()
        }
        for name, rates in counted.items()
    }


def largest_difference(
    counted: Counted,
    rate: str,
    min_group: int,
    confidence: float,
) -> tuple[Estimate, tuple[str, str]] | None:
    """Return the largest difference of a rate between two groups, and which two.

    All pairs of groups are compared at once, so each interval is widened for the number of pairs
    (Bonferroni): the interval of the largest difference is the largest low and the largest high
    bound of any pair, and holds simultaneously.

    Args:
        counted: As `counts` returns it.
        rate: Which rate.
        min_group: Groups with fewer rows that the rate is about are left out.
        confidence: Of the interval, for all pairs together.

    Returns:
        The estimate and the pair with the higher rate first; None with fewer than two groups.
    """
    able, pairs, each = _pairs(counted, rate, min_group, confidence)
    if not pairs:
        return None
    found = {(a, b): estimates.difference(able[a], able[b], each) for b, a in pairs}
    widest = max(found, key=lambda pair: found[pair].value)
    return (
        Estimate(
            found[widest].value,
            # where one pair's bound is not a number, neither is the largest's
            float(np.max([_nearest_to_zero(e) for e in found.values()])),
            float(np.max([(abs(e.low), abs(e.high)) for e in found.values()])),
            sum(n for _, n, *_ in able.values()),
        ),
        widest,
    )


def smallest_ratio(
    counted: Counted,
    rate: str,
    min_group: int,
    confidence: float,
) -> tuple[Estimate, tuple[str, str]] | None:
    """Return the smallest ratio of a rate between two groups, lower over higher, and which two.

    The interval of one pair is Katz et al.'s (1978), on the log scale, with half a success added to
    each group so that a rate of 0 has one too; that of the smallest of all pairs is widened for
    their number, as in `largest_difference`.

    Args:
        counted: As `counts` returns it.
        rate: Which rate.
        min_group: Groups with fewer rows that the rate is about are left out.
        confidence: Of the interval, for all pairs together.

    Returns:
        The estimate and the pair with the lower rate first; None with fewer than two groups.
    """
    able, pairs, each = _pairs(counted, rate, min_group, confidence)
    if not pairs:
        return None
    found = {(a, b): estimates.ratio(able[a], able[b], each) for a, b in pairs}
    widest = min(found, key=lambda pair: found[pair].value)
    return (
        Estimate(
            found[widest].value,
            # a ratio and its inverse are the same gap: whichever bound is further from 1
            float(np.min([(e.low, 1 / e.high) for e in found.values()])),
            float(np.min([_nearest_to_one(e) for e in found.values()])),
            sum(n for _, n, *_ in able.values()),
        ),
        widest,
    )


def _pairs(
    counted: Counted, rate: str, min_group: int, confidence: float
) -> tuple[dict[str, Count], list[tuple[str, str]], float]:
    """Return the groups with rows enough, their pairs with the lower rate first, and the
    confidence of each pair with which all hold together."""
    able = {name: rates[rate] for name, rates in counted.items() if rates[rate][1] >= min_group}
    ordered = sorted(sorted(able), key=lambda name: able[name][0] / able[name][1])
    pairs = list(combinations(ordered, 2))
    return able, pairs, 1 - (1 - confidence) / max(1, len(pairs))


def _nearest_to_one(estimate: Estimate) -> float:
    """Return the largest ratio (of lower over higher) that the interval allows."""
    if np.isnan(estimate.low) or np.isnan(estimate.high):
        return float("nan")
    if estimate.low <= 1 <= estimate.high:
        return 1.0
    return estimate.high if estimate.high < 1 else 1 / estimate.low


def _nearest_to_zero(estimate: Estimate) -> float:
    """Return the smallest size of difference that the interval allows."""
    return float(np.max([estimate.low, -estimate.high, 0.0]))  # what is not a number stays so


def reweighing(target: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return row weights under which group and target are independent (Kamiran, Calders 2012)."""
    frame = pd.DataFrame({"target": target, "group": group})
    n = len(frame)
    joint = frame.groupby(["group", "target"])["target"].transform("size") / n
    by_group = frame.groupby("group")["target"].transform("size") / n
    by_target = frame.groupby("target")["group"].transform("size") / n
    return (by_group * by_target / joint).to_numpy()
