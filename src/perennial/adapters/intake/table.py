"""What was read, and the limits of what is."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

GIB = 1 << 30
LARGEST = 8 * GIB  # bytes of a table, unpacked
CELLS = 2_000_000_000
MOST_COLUMNS = 20_000
SHOWN = 10  # faults of a kind that are named one by one


@dataclass(frozen=True)
class Table:
    """The user's rows.

    Attributes:
        rows: Columns by the user's names, made distinct; text where the source has text.
        said: What was found out about the source, a sentence each.
        name: What the source is called, for the model's name.
        starts: The name and first row of each file, in order.
        periods: Whether these names are periods.
        comma_is_decimal: Whether `1,234` is one and a bit, where nothing else says so.
    """

    rows: "pd.DataFrame"
    said: tuple[str, ...]
    name: str
    starts: Sequence[tuple[str, int]]
    periods: bool = False
    comma_is_decimal: bool = False

    def place(self, row: int) -> str:
        """Say where a row is: its number, from 1 after the header, and its file."""
        index = bisect_right([start for _, start in self.starts], row) - 1
        name, start = self.starts[max(index, 0)]
        return f"row {row - start + 1}" + (f" of {name}" if len(self.starts) > 1 else "")


def require_room(what: str, size: int, rows: int, columns: int) -> None:
    """Check that a table is one that can be worked with.

    Raises:
        InputError: it is too large; each limit that it breaks is named.
    """
    faults = []
    if size > LARGEST:
        faults.append(f"{what}: {size / GIB:,.1f} GiB unpacked; at most {LARGEST // GIB} are read")
    if rows * columns > CELLS:
        faults.append(f"{what}: {rows:,} rows × {columns:,} columns; at most {CELLS:,} cells")
    if columns > MOST_COLUMNS:
        faults.append(f"{what}: {columns:,} columns; at most {MOST_COLUMNS:,} are read")
    if faults:
        raise InputError(faults, "Take fewer rows or columns, for example the newest periods.")
