"""Tests of a table of counts: how the rows of the reference and the current rows fall into cells.

A table has shape (2, cells): the reference first, the current rows second.
"""

import numpy as np
from scipy import special  # not scipy.stats: it costs 0.3 s where XGBoost is not loaded

from perennial.core.drift.result import Test


def chi_square(feature: str, table: np.ndarray) -> Test:
    """Test equal shares by Pearson's chi-square, without Yates' correction.

    The effect is Cramér's V, 0 to 1, corrected for its bias under independence (Bergsma 2013), or
    a rare level among few rows looks like an effect.
    """
    table = _used(table)
    n, cells = table.sum(), table.shape[1]
    if cells < 2:
        return Test("chi_square", feature, 0.0, 1.0, 0.0)
    expected = _expected(table)
    statistic = float(((table - expected) ** 2 / expected).sum())
    excess = max(0.0, statistic / n - (cells - 1) / (n - 1))
    width = min(cells - (cells - 1) ** 2 / (n - 1), 2 - 1 / (n - 1)) - 1
    effect = float(np.sqrt(excess / width)) if width > 0 else 0.0
    return Test("chi_square", feature, statistic, _p_value(statistic, cells), effect)


def jensen_shannon(feature: str, table: np.ndarray) -> Test:
    """Test equal shares by the likelihood ratio, 2 · rows · the Jensen-Shannon divergence of the
    two sides weighted by their rows (the G-test).

    The effect is the Jensen-Shannon distance (Endres and Schindelin 2003; both sides weigh the
    same; base 2, so 0 to 1) without what chance adds to its square, about
    (cells - 1)(1/n + 1/m) / 8 nats.
    """
    table = _used(table)
    cells = table.shape[1]
    if cells < 2:
        return Test("jensen_shannon", feature, 0.0, 1.0, 0.0)
    statistic = max(0.0, 2 * float(special.rel_entr(table, _expected(table)).sum()))
    divergence = jensen_shannon_divergence(table)
    excess = max(0.0, divergence - (cells - 1) * _noise(table) / 8)
    effect = float(np.sqrt(excess / np.log(2)))
    return Test("jensen_shannon", feature, statistic, _p_value(statistic, cells), effect)


def jensen_shannon_divergence(table: np.ndarray) -> float:
    """Return the divergence of the two sides' shares in nats, 0 to log 2."""
    shares = table / table.sum(axis=1, keepdims=True)
    return float(special.rel_entr(shares, shares.mean(axis=0)).sum() / 2)


def psi(feature: str, table: np.ndarray) -> Test:
    """Test equal shares by the population stability index, Σ (p - q) log(p / q).

    With no drift it is about (1/n + 1/m) times a chi-square of cells - 1 (Yurdakul 2018): that
    gives the p-value, and the effect is the index less its mean, (cells - 1)(1/n + 1/m), not below
    0. Half a row is added to each cell, or an empty one would make the index infinite.
    """
    table = _used(table)
    cells = table.shape[1]
    if cells < 2:
        return Test("psi", feature, 0.0, 1.0, 0.0)
    shares = (table + 0.5) / (table + 0.5).sum(axis=1, keepdims=True)
    index = float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
    effect = max(0.0, index - (cells - 1) * _noise(table))
    return Test("psi", feature, index, _p_value(index / _noise(table), cells), effect)


def missing(feature: str, missing_rows: tuple[int, int], rows: tuple[int, int]) -> Test:
    """Test equal shares of missing values by two proportions' z² (Pearson's chi-square).

    The effect is how far the shares are apart, 0 to 1.

    Args:
        feature: Of what.
        missing_rows: How many rows miss it, in the reference and in the current rows.
        rows: How many rows there are of each, both above 0.
    """
    absent = np.array(missing_rows, dtype="float64")
    found = chi_square(feature, np.array([absent, np.array(rows) - absent]).T)
    effect = float(abs(np.subtract(*(absent / np.array(rows)))))
    return Test("missing", feature, found.statistic, found.p_value, effect)


def pooled(table: np.ndarray, expected: float = 5.0) -> np.ndarray:
    """Return the table with its rare cells as one (Cochran 1954): those that expect under five rows
    on either side. The chi-square of a likelihood ratio or of a PSI does not hold for them."""
    if table.shape[1] == 0:
        return table
    rare = _expected(table).min(axis=0) < expected
    return np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])


def _used(table: np.ndarray) -> np.ndarray:
    return np.asarray(table, dtype="float64")[:, table.sum(axis=0) > 0]


def _expected(table: np.ndarray) -> np.ndarray:
    return table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()


def _noise(table: np.ndarray) -> float:
    return float((1 / table.sum(axis=1)).sum())


def _p_value(statistic: float, cells: int) -> float:
    return float(special.chdtrc(cells - 1, statistic))
