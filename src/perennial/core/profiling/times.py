"""When rows are of: the column that says it, and the periods that they are cut into."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from perennial.core.profiling import periods, roles
from perennial.core.profiling.columns import Column
from perennial.core.profiling.periods import Periods
from perennial.core.profiling.sizes import Sizes
from perennial.core.profiling.wished import Wishes

PART_OF_A_CLASS = 5  # rows that each part needs of either class


@dataclass(frozen=True)
class When:
    """When rows are of.

    Attributes:
        periods: Each row's period; None for one batch.
        column: The column that says it; None where files do, or nothing.
        said: What a person should know of it.
    """

    periods: Periods | None
    column: str | None = None
    said: tuple[str, ...] = ()


def find(
    columns: Mapping[str, Column],
    wishes: Wishes,
    named: np.ndarray | None,
    positive: np.ndarray,
    wanted: Sizes,
) -> When:
    """Return when rows are of: as the user says, as files are called, or as one column says.

    Args:
        columns: By name.
        wishes: What the user asks for.
        named: Each row's period as its file is called; None if files have no periods for names.
        positive: 1 where the target is, shape (rows,).
        wanted: How many rows are held out.
    """
    if wishes.no_time:
        return When(None)
    if wishes.time is None and named is not None:
        return When(_checked(periods.given(named, "file", wanted), positive, wanted))
    name = wishes.time
    if name is None:
        able, by_first = roles.times(columns, wishes.target, positive, wanted)
        if by_first is None or len(able) > 1:
            several = f"{', '.join(able)} could each be the rows' time: say which with --time"
            return When(None, said=(several,) if able else ())
        (name,) = able
        said = f"{name} is taken for the rows' time; --no-time if it isn't"
        return When(_checked(by_first, positive, wanted), name, (said,))
    column = columns[name]
    if column.kind == "number":
        numbers = periods.of_numbers(column.cells)
        cut = periods.given(numbers, f"value of {name}", wanted)
    else:
        cut = periods.cut(column.cells, positive, wanted)
    return When(_checked(cut, positive, wanted), name)


def _checked(cut: Periods, positive: np.ndarray, wanted: Sizes) -> Periods | None:
    """Return periods that are split by only if each part has both classes; None if there is one."""
    if len(periods.places(cut.names)[0]) < 2:
        return None
    if not cut.split:
        return cut
    part = periods.part_of(cut.names, wanted)
    for name in ("train", "calibration", "holdout"):
        own = positive[part == name]
        if min(own.sum(), len(own) - own.sum()) < PART_OF_A_CLASS:
            told = f"too few of a class in the {name} rows, so rows are held out at random"
            return replace(cut, split=False, why=f"{cut.why}; but {told}")
    return cut
