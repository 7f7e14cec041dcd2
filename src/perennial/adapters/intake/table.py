"""What was read: rows that are put aside, and come back a few columns at a time."""

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.adapters.intake import typed

if TYPE_CHECKING:
    import pandas as pd

CELLS_AT_ONCE = 4_000_000  # in memory, at the least those of one column


@dataclass(frozen=True)
class Part:
    """Rows that are put aside.

    Attributes:
        places: The Arrow file that each column is in, and its place there.
        rows: How many there are.
    """

    places: Mapping[str, tuple[Path, int]]
    rows: int


@dataclass(frozen=True)
class Table:
    """The user's rows.

    Attributes:
        folder: Where they are, and more can be put aside.
        parts: Which these are, in order.
        names: The user's names of columns, made distinct.
        said: What was found out about the source, a sentence each.
        name: What the source is called, for the model's name.
        starts: The name and first row of each file, in order.
        size: Bytes, unpacked.
        periods: Whether these names are periods.
        comma_is_decimal: Whether `1,234` is one and a bit, where nothing else says so.
    """

    folder: Path
    parts: tuple[Part, ...]
    names: tuple[str, ...]
    said: tuple[str, ...]
    name: str
    starts: Sequence[tuple[str, int]]
    size: int
    periods: bool = False
    comma_is_decimal: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(part.rows for part in self.parts)

    def columns(self) -> "Iterator[tuple[str, pd.Series]]":
        """Give each column with its name, in order; text where the source has text."""
        several = max(1, CELLS_AT_ONCE // self.rows)
        for start in range(0, len(self.names), several):
            names = self.names[start : start + several]
            read = [_read(part, names) for part in self.parts]
            for name in names:
                yield name, _together([found.pop(name, None) for found in read], self.parts)

    def place(self, row: int) -> str:
        """Say where a row is: its number, from 1 after the header, and its file."""
        index = bisect_right([start for _, start in self.starts], row) - 1
        name, start = self.starts[max(index, 0)]
        return f"row {row - start + 1}" + (f" of {name}" if len(self.starts) > 1 else "")


def _read(part: Part, names: Sequence[str]) -> dict[str, Any]:
    """Return columns of a part as Arrow has them."""
    import pyarrow as pa

    there = sorted((*part.places[name], name) for name in names if name in part.places)
    found: dict[str, Any] = {}
    for path, own in itertools.groupby(there, key=lambda one: one[0]):
        columns = list(own)
        options = pa.ipc.IpcReadOptions(included_fields=[place for _, place, _ in columns])
        with pa.OSFile(str(path)) as file:
            table = pa.ipc.open_file(file, options=options).read_all()
        found |= {name: table.column(n) for n, (_, _, name) in enumerate(columns)}
    return found


def _together(own: Sequence[Any], parts: Sequence[Part]) -> "pd.Series":
    """Return one column of what parts have of it: of one type, of text where theirs differ."""
    import pandas as pd

    plain = [None if column is None else typed.plain(column) for column in own]
    if len(plain) == 1 and plain[0] is not None:
        return plain[0]
    # what is nothing but missing has no say in the type, unless all is
    there = [None if one is None or one.isna().all() else one for one in plain]
    kinds = {None if one is None else str(one.dtype) for one in there}
    kind = _of_missing(plain) if kinds == {None} else _kind(kinds)
    pieces = []
    for column, values, part in zip(own, there, parts, strict=True):
        if values is None:
            pieces.append(pd.Series(index=range(part.rows), dtype=kind))
        elif str(values.dtype) == kind:
            pieces.append(values)
        else:
            pieces.append(typed.text(column) if kind == "str" else values.astype("float64"))
    return pd.concat(pieces, ignore_index=True)


def _of_missing(values: "Sequence[pd.Series | None]") -> str:
    kinds = [str(one.dtype) for one in values if one is not None]
    return next((kind for kind in kinds if kind != "float64"), "float64")


def _kind(kinds: set[str | None]) -> str:
    """Return the type for values of several; None stands for parts without any."""
    lacks, own = None in kinds, {kind for kind in kinds if kind is not None}
    if own <= {"int64", "float64"}:
        return "int64" if own == {"int64"} and not lacks else "float64"
    if len(own) > 1 or (own == {"bool"} and lacks):
        return "str"
    return own.pop()
