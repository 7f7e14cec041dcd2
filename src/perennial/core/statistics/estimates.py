"""Estimates with intervals: what every report shows and every gate decides on."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from perennial.core.statistics import clusters

Merged = tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]
# successes and rows; of clusters also their design effect, and how many there are
Count = tuple[int, int] | tuple[int, int, float, int | None]


@dataclass(frozen=True)
class Estimate:
    """A value, the interval it lies in with the stated confidence, and the rows it rests on."""

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """Return the estimate as JSON values."""
        return asdict(self)


def resampling_weights(
    rows: int, replicates: int, seed: int, shares: np.ndarray | None = None
) -> np.ndarray:
    """Return how often each row is drawn in each bootstrap replicate, shape (replicates, rows).

    The same seed gives the same draws, so that two models are compared on the same rows. With
    `shares` of the rows in each cell, how often any row of a cell is drawn, (replicates, cells).
    """
    random = np.random.default_rng(seed)
    each = np.full(rows, 1.0 / rows) if shares is None else shares
    return random.multinomial(rows, each, size=replicates).astype("float32")


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    rows: int,
    confidence: float,
    replicates: int,
    seed: int,
    merged: Merged | None = None,
    key: np.ndarray | None = None,
    several: int | None = None,
) -> Estimate:
    """Return a statistic with its percentile bootstrap interval (Efron 1979).

    Args:
        statistic: From row weights, shape (replicates, rows), to values, shape (replicates,). A
            replicate on which it is not defined (one class only) is NaN and left out.
        rows: How many rows there are.
        confidence: Of the two-sided interval.
        replicates: How many times the rows are drawn. Done in blocks, so memory stays bounded.
        seed: Of the draws.
        merged: For many rows, the statistic of weights of cells, each of which stands for like
            rows, and how many rows each is, shape (cells,); or, to draw clusters of rows, how many
            of each cluster are in each, (clusters, cells). The interval is drawn on them, the value
            is not.
        key: Each row's cluster, shape (rows,): whole clusters are drawn (Field and Welsh 2007).
        several: How many clusters the statistic rests on, if that is fewer than there are.
    """
    value = float(statistic(np.ones((1, rows), dtype="float32"))[0])
    drawn_on, width = (statistic, rows) if merged is None else (merged[0], merged[1].shape[-1])
    draw, there = _drawing(rows, None if merged is None else merged[1], key)
    several = there if several is None else several
    if several is not None and several < 2:
        return Estimate(value, np.nan, np.nan, rows)
    block = max(1, min(replicates, 20_000_000 // width))
    drawn = [
        drawn_on(draw(min(block, replicates - start), seed + start))
        for start in range(0, replicates, block)
    ]
    tail = (1 - confidence) / 2 if several is None else _wider(confidence, several)
    low, high = np.nanquantile(np.concatenate(drawn), [tail, 1 - tail])
    return Estimate(value, float(low), float(high), rows)


def _drawing(
    rows: int, cells: np.ndarray | None, key: np.ndarray | None
) -> tuple[Callable[[int, int], np.ndarray], int | None]:
    """Return what draws weights, from a number of replicates and a seed, and of how many clusters
    if of any; see `bootstrap`."""
    if cells is not None and cells.ndim == 2:
        several = len(cells)
        return lambda count, seed: resampling_weights(several, count, seed) @ cells, several
    if cells is not None:
        return lambda count, seed: resampling_weights(rows, count, seed, cells / rows), None
    if key is None:
        return lambda count, seed: resampling_weights(rows, count, seed), None
    number, several = clusters.numbered(key)
    return lambda count, seed: resampling_weights(several, count, seed)[:, number], several


def _wider(confidence: float, clusters: int) -> float:
    """Return the tail of a percentile interval that few clusters need (Hesterberg 2015)."""
    from scipy import special

    return float(special.ndtr(-np.sqrt(clusters / (clusters - 1)) * quantile(confidence, clusters)))


def mean(values: np.ndarray, confidence: float, key: np.ndarray | None = None) -> Estimate:
    """Return a mean with Student's interval, for values of one row each, shape (rows,).

    With `key`, the cluster of each row, its error is that between clusters (Liang and Zeger 1986).
    """
    value, n = float(values.mean()), len(values)
    if key is None:
        independent, error = n, float(values.std(ddof=1) / np.sqrt(n))
    else:
        off = clusters.totals(values - value, key)
        independent = len(off)
        error = float(np.sqrt(independent / max(independent - 1, 1) * (off**2).sum()) / n)
    half = quantile(confidence, independent) * error
    return Estimate(value, value - half, value + half, n)


def share(success: np.ndarray, confidence: float, key: np.ndarray | None = None) -> Estimate:
    """Return the share of rows that are a success, shape (rows,), as `proportion` does."""
    design = clusters.design(success, key)
    return proportion(int(success.sum()), len(success), confidence, *design)


def share_of(counted: Count, confidence: float) -> Estimate:
    """Return the share that was counted, as `proportion` does."""
    return proportion(counted[0], counted[1], confidence, *counted[2:])


def proportion(
    successes: int, n: int, confidence: float, effect: float = 1.0, several: int | None = None
) -> Estimate:
    """Return a proportion with Wilson's interval (1927), which holds for few rows too.

    Rows of `several` clusters count as fewer, by their design effect (Rao and Scott 1992).
    """
    z, rate, rows = quantile(confidence, several), successes / n, n / effect
    centre = (rate + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(rate * (1 - rate) / rows + z**2 / (4 * rows**2))
    low = 0.0 if successes == 0 else float(centre - half)  # exactly, whatever the rounding
    high = 1.0 if successes == n else float(centre + half)
    return Estimate(rate, low, high, n)


def quantile(confidence: float, several: int | None = None) -> float:
    """Return how many standard errors a two-sided interval reaches to each side.

    That of a normal distribution; of clusters, Student's (Korn and Graubard 1998). Of one cluster
    nothing is known: not a number.
    """
    from scipy import special  # not scipy.stats, and not where nothing is asked: a stage's time

    if several is None:
        return float(special.ndtri((1 + confidence) / 2))
    return float(special.stdtrit(several - 1, (1 + confidence) / 2)) if several > 1 else np.nan


def difference(first: Count, second: Count, confidence: float) -> Estimate:
    """Return the difference of two independent proportions.

    The interval is Agresti and Caffo's (2000): one success and one failure added to each.
    """
    (x1, n1), (x2, n2), reach = _effective(first, second, confidence)
    p1, p2 = (x1 + 1) / (n1 + 2), (x2 + 1) / (n2 + 2)
    error = np.sqrt(p1 * (1 - p1) / (n1 + 2) + p2 * (1 - p2) / (n2 + 2))
    half = float(reach * error)
    value = first[0] / first[1] - second[0] / second[1]
    return Estimate(value, p1 - p2 - half, p1 - p2 + half, first[1] + second[1])


def ratio(first: Count, second: Count, confidence: float) -> Estimate:
    """Return the ratio of two independent proportions.

    The interval is Katz et al.'s (1978), normal on the log scale, with half a success added to each
    so that none of them is 0 (Walter 1975).
    """
    (x1, n1), (x2, n2), reach = _effective(first, second, confidence)
    p1, p2 = (x1 + 0.5) / (n1 + 0.5), (x2 + 0.5) / (n2 + 0.5)
    spread = 1 / (x1 + 0.5) - 1 / (n1 + 0.5) + 1 / (x2 + 0.5) - 1 / (n2 + 0.5)
    half = reach * np.sqrt(max(spread, 0.0))
    centre = p1 / p2
    value = (first[0] / first[1]) / (second[0] / second[1]) if x2 else 1.0
    low, high = float(centre * np.exp(-half)), float(centre * np.exp(half))
    return Estimate(value, low, high, first[1] + second[1])


def _effective(
    first: Count, second: Count, confidence: float
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Return successes and rows of each as so many independent ones (Rao and Scott 1992), and how
    many errors the interval reaches, by the one of fewer clusters."""
    one, other = (clusters.Design(*counted[2:]) for counted in (first, second))
    known = [each.clusters for each in (one, other) if each.clusters is not None]
    return (
        (first[0] / one.effect, first[1] / one.effect),
        (second[0] / other.effect, second[1] / other.effect),
        quantile(confidence, min(known) if known else None),
    )
