"""Tests of a category: its levels' shares, and levels that came or went."""

import numpy as np
import pandas as pd
from scipy import special

from perennial.core.drift import tables
from perennial.core.drift.result import Test


def tests(feature: str, table: np.ndarray) -> list[Test]:
    """Return all tests of a category by its table of counts, shape (2, levels); no side is
    empty."""
    common = tables.pooled(table)
    return [
        tables.chi_square(feature, table),
        tables.jensen_shannon(feature, common),
        tables.psi(feature, common),
        new_levels(feature, table),
        vanished_levels(feature, table),
    ]


def count(column: pd.Series) -> tuple[pd.Series, int]:
    """Return the rows of each level, by its name and in its order, and how many are missing."""
    found = column.value_counts(dropna=False, sort=False)
    absent = np.asarray(found.index.isna())
    rows = found.to_numpy()
    used = ~absent & (rows > 0)
    levels = pd.Series(rows[used], index=[str(level) for level in found.index[used]])
    return levels.groupby(level=0).sum(), int(rows[absent].sum())


def table_of(reference: pd.Series, current: pd.Series) -> np.ndarray:
    """Return two sides' counts by level as one table, shape (2, levels)."""
    joined = pd.concat([reference, current], axis=1).fillna(0).sort_index()
    return joined.to_numpy(dtype="float64").T


def new_levels(feature: str, table: np.ndarray) -> Test:
    """Test for levels that the reference does not have.

    Statistic and effect are the share of current rows with such a level. The p-value is a bound:
    see `_chance`.
    """
    return _one_sided("new_levels", feature, table[0], table[1])


def vanished_levels(feature: str, table: np.ndarray) -> Test:
    """Test for levels that no current row has, by the share of reference rows that had them."""
    return _one_sided("vanished_levels", feature, table[1], table[0])


def _one_sided(name: str, feature: str, without: np.ndarray, own: np.ndarray) -> Test:
    rows = float(own[without == 0].sum())
    share = rows / float(own.sum())
    p_value = _chance(without + own, float(own.sum()), rows) if rows else 1.0
    return Test(name, feature, share, p_value, share)


def _chance(levels: np.ndarray, side: float, rows: float) -> float:
    """Return a bound on the chance that so many rows of one side have levels it alone has.

    If no row drifted, the side is a draw without replacement from the rows of both. A level of c
    rows is then the side's alone with the chance C(side, c) / C(all, c). Such events of several
    levels are negatively associated (Joag-Dev and Proschan 1983), so that Chernoff's bound (1952)
    on the sum of their rows holds as if they were independent. A column of names that never repeat
    has no new levels by this measure: there they are expected.

    Args:
        levels: Rows of each level on both sides together, shape (levels,).
        side: Rows of the side.
        rows: Of them, those whose level is the side's alone.
    """
    total = float(levels.sum())
    size, repeats = np.unique(levels[(levels > 0) & (levels <= side)], return_counts=True)
    alone = special.gammaln(side + 1) - special.gammaln(side - size + 1)
    alone += special.gammaln(total - size + 1) - special.gammaln(total + 1)
    tilt = (np.log1p(total / side) * np.linspace(0.01, 4, 400))[:, np.newaxis]
    # log of 1 + q (e^(tc) - 1), by log sums so that nothing overflows
    stay = np.log1p(-np.exp(np.minimum(alone, -1e-15)))
    moment = np.logaddexp(stay, alone + tilt * size)
    bound = (repeats * moment).sum(axis=1) - tilt[:, 0] * rows
    return float(np.exp(min(0.0, bound.min())))
