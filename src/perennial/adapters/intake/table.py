"""What was read: rows that are put aside, and come back a few columns at a time."""

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters.intake import typed

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 4_000_000  # cells in memory, at the least those of one column


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
        parts: Where they are, in order.
        names: The user's names of columns, made distinct.
        said: What was found out about the source, a sentence each.
        name: What the source is called, for the model's name.
        starts: The name and first row of each file, in order.
        periods: Whether these names are periods.
        comma_is_decimal: Whether `1,234` is one and a bit, where nothing else says so.
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...]
    said: tuple[str, ...]
    name: str
    starts: Sequence[tuple[str, int]]
    periods: bool = False
    comma_is_decimal: bool = False

    @property
    def folder(self) -> Path:
        """Where more can be put aside."""
        path, _ = self.parts[0].places[self.names[0]]
        return path.parent

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(part.rows for part in self.parts)

    def columns(self) -> "Iterator[tuple[str, pd.Series]]":
        """Give each column with its name, in order; text where the source has text."""
        several = max(1, AT_ONCE // self.rows)
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


def _read(part: Part, names: Sequence[str]) -> "dict[str, pd.Series]":
    import pyarrow as pa

    there = sorted((*part.places[name], name) for name in names if name in part.places)
    found: dict[str, pd.Series] = {}
    for path, own in itertools.groupby(there, key=lambda one: one[0]):
        columns = list(own)
        options = pa.ipc.IpcReadOptions(included_fields=[place for _, place, _ in columns])
        with pa.OSFile(str(path)) as file:
            table = pa.ipc.open_file(file, options=options).read_all()
        found |= {name: typed.plain(table.column(n)) for n, (_, _, name) in enumerate(columns)}
    return found


def _together(own: "Sequence[pd.Series | None]", parts: Sequence[Part]) -> "pd.Series":
    """Return one column of what parts have of it: of one type, of text where theirs differ."""
    import pandas as pd

    if len(own) == 1 and own[0] is not None:
        return own[0]
    # what is nothing but missing has no type of its own
    own = [one if one is not None and one.notna().any() else None for one in own]
    kinds = {str(one.dtype) for one in own if one is not None}
    kind = _kind(kinds, lacks=any(one is None for one in own))
    pieces = [
        pd.Series(index=range(part.rows), dtype=kind) if one is None else _as(one, kind)
        for one, part in zip(own, parts, strict=True)
    ]
    return pd.concat(pieces, ignore_index=True)


def _kind(kinds: set[str], lacks: bool) -> str:
    """Return the type for values of several, some of which may be missing."""
    if kinds <= {"int64", "float64"}:
        return "int64" if kinds == {"int64"} and not lacks else "float64"
    if len(kinds) > 1 or (kinds == {"bool"} and lacks):
        return "str"
    return kinds.pop()


def _as(values: "pd.Series", kind: str) -> "pd.Series":
    if kind == "float64":  # of whole numbers
        return values.astype("float64")
    if kind == "str" and str(values.dtype) != "str":
        return values.map(str, na_action="ignore").astype("str")
    return values
