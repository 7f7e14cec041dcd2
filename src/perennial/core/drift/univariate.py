"""All tests of each column by itself, one column at a time, so that a table need not fit in memory.

NumPy's sorts and searches release Python's lock: threads work on several columns at once.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import pandas as pd

from perennial.core.drift import categorical, numeric, tables
from perennial.core.drift.result import Test

Kind = Literal["number", "category"]


@dataclass(frozen=True)
class Column:
    """A column to test.

    Attributes:
        name: Of the feature.
        kind: Whether its values are amounts or names.
        read: Returns its values in the reference and in the current rows. Called when the column's
            turn comes, in a thread; what it returns is let go before the next one.
    """

    name: str
    kind: Kind
    read: Callable[[], tuple[pd.Series, pd.Series]]


def run(columns: Iterable[Column], bins: int, threads: int = 2) -> list[Test]:
    """Return all tests of all columns, in the order of the columns.

    Args:
        columns: What to test. No more than `threads` of them are in memory at once.
        bins: Of the PSI of a number.
        threads: How many columns are worked on at once. The result does not depend on it.
    """

    def work(column: Column) -> list[Test]:
        return tests(column.name, column.kind, *column.read(), bins=bins)

    with ThreadPoolExecutor(threads) as pool:
        return list(chain.from_iterable(pool.map(work, columns)))


def tests(name: str, kind: Kind, reference: pd.Series, current: pd.Series, bins: int) -> list[Test]:
    """Return all tests of one column; missing values are tested by themselves, where there are any.

    Raises:
        ValueError: one side has no row.
    """
    rows = len(reference), len(current)
    if min(rows) == 0:
        raise ValueError(f"{name}: {rows[0]} reference rows and {rows[1]} current rows to compare")
    if kind == "number":
        first, second = (_present(side) for side in (reference, current))
        present = len(first), len(second)
        found = numeric.tests(name, first, second, bins) if min(present) else []
    else:
        counts = [categorical.count(side) for side in (reference, current)]
        present = rows[0] - counts[0][1], rows[1] - counts[1][1]
        table = categorical.table_of(counts[0][0], counts[1][0])
        found = categorical.tests(name, table) if min(present) else []
    if present != rows:
        found.append(tables.missing(name, (rows[0] - present[0], rows[1] - present[1]), rows))
    return found


def _present(column: pd.Series) -> np.ndarray:
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    absent = np.isnan(values)
    return values[~absent] if absent.any() else values
