"""Tests of a number. Each side is sorted once, and every test reads the sorted values."""

import numpy as np
from scipy import special

from perennial.core.drift import tables
from perennial.core.drift.result import Test


def tests(feature: str, reference: np.ndarray, current: np.ndarray, bins: int) -> list[Test]:
    """Return all tests of a number.

    Args:
        feature: Its name.
        reference: Its values, none missing, at least one, shape (rows,), float64. Infinite ones
            count as the largest or smallest; the Wasserstein distance leaves them out.
        current: The same, of the current rows.
        bins: Of the PSI: quantiles of the reference.
    """
    first, second = np.sort(reference), np.sort(current)
    values, gap = _gap(first, second)
    found = [_ks(feature, values, gap, len(first), len(second))]
    inside = [_finite(side) for side in (first, second)]
    if min(map(len, inside)) > 0:
        if sum(map(len, inside)) < len(values):
            values, gap = _gap(*inside)
        found += _wasserstein(feature, values, gap, inside[0])
    return [*found, tables.psi(feature, quantile_table(first, second, bins))]


def ks(feature: str, reference: np.ndarray, current: np.ndarray) -> Test:
    """Test one distribution by Kolmogorov and Smirnov's largest distance of the two, the effect.

    Arguments as for `tests`. The p-value is the distance's in one sample of n·m/(n + m) rows
    (Simard and L'Ecuyer 2011), as scipy.stats.ks_2samp has it.
    """
    values, gap = _gap(np.sort(reference), np.sort(current))
    return _ks(feature, values, gap, len(reference), len(current))


def quantile_table(reference: np.ndarray, current: np.ndarray, bins: int) -> np.ndarray:
    """Return how the rows fall between the reference's quantiles, shape (2, bins); equal edges
    are one.

    Args:
        reference: Sorted, shape (rows,).
        current: Sorted, shape (rows,).
        bins: How many, if no values are equal.
    """
    places = np.ceil(np.arange(1, bins) * len(reference) / bins).astype("int64") - 1
    edges = np.unique(reference[np.maximum(places, 0)])
    return np.array([_between(edges, side) for side in (reference, current)])


def _between(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    ends = np.searchsorted(values, edges, side="right")
    return np.diff(np.concatenate([[0], ends, [len(values)]]))


def _gap(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all values, sorted, and by how much the first distribution function is above the
    second there; among equal values only at the last."""
    values = np.concatenate([first, second])
    values.sort()
    below = np.searchsorted(first, values, side="right")
    above = np.arange(1, len(values) + 1) - below
    return values, below / len(first) - above / len(second)


def _ks(feature: str, values: np.ndarray, gap: np.ndarray, n: int, m: int) -> Test:
    from scipy import stats  # kstwo is nowhere else

    last = np.append(values[1:] != values[:-1], True)
    distance = float(np.abs(gap, where=last, out=np.zeros_like(gap)).max())
    p_value = stats.kstwo.sf(distance, max(1, np.round(n * m / (n + m))))
    least = 2 / special.binom(n + m, n)  # of any two samples so small, however far apart
    return Test("ks", feature, distance, float(np.clip(p_value, min(least, 1), 1)), distance)


def _wasserstein(
    feature: str, values: np.ndarray, gap: np.ndarray, reference: np.ndarray
) -> list[Test]:
    """Return the area between the two distribution functions; the effect is in the reference's
    standard deviations, or in those of all rows where the reference is one value."""
    with np.errstate(over="ignore", invalid="ignore"):
        distance = float((np.abs(gap[:-1]) * np.diff(values)).sum())
        effect = distance / (_spread(reference) or _spread(values) or 1.0)
    if not np.isfinite(effect):  # the numbers' squares are beyond float64
        return []
    return [Test("wasserstein", feature, distance, None, effect)]


def _spread(values: np.ndarray) -> float:
    return float(values.std()) if values[0] < values[-1] else 0.0  # exactly, whatever the rounding


def _finite(values: np.ndarray) -> np.ndarray:
    """Return the finite part of sorted values."""
    low = np.searchsorted(values, -np.inf, side="right")
    return values[low : np.searchsorted(values, np.inf, side="left")]
