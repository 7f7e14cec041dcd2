"""Reading whatever the user names: a file, a folder of files, or a database."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from perennial.adapters.intake import database, delimited, typed
from perennial.adapters.intake.table import SHOWN, Table, require_room
from perennial.adapters.intake.unpacking import opened
from perennial.core.profiling.columns import distinct_names
from perennial.errors import InputError, for_each

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {".csv", ".tsv", ".tab", ".txt", ".psv", ".parquet", ".pq", ".brotli", ".data"}
PACKED = {".gz", ".zip", ".bz2", ".xz"}
PERIOD = re.compile(
    r"(?:.*?[-_ ])?((?:19|20)\d\d(?:[-_]?(?:Q[1-4]|W\d\d|H[12]|\d\d(?:[-_]?\d\d)?))?)",
    re.IGNORECASE,
)
OTHERS = {b"\xd0\xcf\x11\xe0": "an old Excel file", b"SQLite f": "an SQLite database"}
OTHERS |= {b"%PDF": "a PDF", b"ARROW1": "an Arrow file", b"\x89HDF": "an HDF5 file"}


def read(data: str, query: str | None = None) -> Table:
    """Read the user's rows.

    Args:
        data: The path of a file or folder, or the address of a database.
        query: The rows of a database.

    Raises:
        InputError: it is not there, or faulty; all faults at once.
        UnreachableError: the database can't be reached.
    """
    if "://" in data:
        table, shown, name = database.read(data, query)
        rows, said = _named(table, table.column_names, shown)
        return Table(rows, (f"{shown}, by a query", *said), name, ((shown, 0),))
    if query is not None:
        remedy = "Leave it out, or give the address of a database as --data."
        raise InputError(f"--query goes with a database, and --data is {data}", remedy)
    path = Path(data)
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise InputError(f"--data {data}: no such file or folder", "Name one that is there.")
    if not path.is_file():
        raise InputError(f"--data {data}: neither a file nor a folder", "Give a file.")
    rows, said, decimal = _file(path)
    table = Table(rows, (f"{path.name}: {'; '.join(said)}",), _stem(path), ((path.name, 0),))
    return _with(table, decimal)


def _with(table: Table, comma_is_decimal: bool) -> Table:
    from dataclasses import replace

    return replace(table, comma_is_decimal=comma_is_decimal)


def _file(path: Path) -> "tuple[pd.DataFrame, list[str], bool]":
    with opened(path) as (file, how):
        said = [how] if how else []
        head = file.read(8)
        if head.startswith(b"PAR1"):
            table = typed.read_parquet(file, str(path))
            rows, more = _named(table, table.column_names, str(path))
            return rows, [*said, "Parquet", *more], False
        _require_text(head, file, path)
        table, header, more = delimited.read(file, str(path))
        rows, renamed = _named(table, header, str(path))
        return rows, [*said, *more, *renamed], "semicolons" in more[0]


def _require_text(head: bytes, file: IO[bytes], path: Path) -> None:
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            raise InputError(f"{path}: {what}", "Export it as CSV or Parquet.")
    if head[:1] in b"{[" and path.suffix in (".json", ".jsonl", ".ndjson"):
        raise InputError(f"{path}: JSON", "Export it as CSV or Parquet.")
    file.seek(0)


def _named(table: Any, header: Sequence[str], what: str) -> "tuple[pd.DataFrame, list[str]]":
    """Return a table with a name of its own for each column, and what was done to that end."""
    require_room(what, table.nbytes, table.num_rows, len(header))
    if table.num_rows == 0:
        raise InputError(f"{what}: a header and no rows", "Export it again, with rows.")
    names, renamed = distinct_names(list(header))
    rows, left_out = typed.plain(table.rename_columns(names))
    said = [f"{why}, so it is called `{new}`" for new, why in renamed.items()]
    if left_out:
        said.append(f"left out, as lists, structures or bytes: {', '.join(left_out[:SHOWN])}")
    if rows.columns.empty:
        raise InputError(f"{what}: no column that can be used", "Export it as a flat table.")
    return rows, said


def _folder(folder: Path) -> Table:
    """Read every file of a folder: parts of a table, or a period each, as their names say."""
    import pandas as pd

    paths = sorted(p for p in folder.iterdir() if not p.name.startswith((".", "_")) and p.is_file())
    paths = [p for p in paths if {s.lower() for s in p.suffixes} & (ENDINGS | PACKED)]
    if not paths:
        fault = f"{folder}: no file that ends in .csv, .tsv, .txt or .parquet (or those compressed)"
        raise InputError(fault, "Put the data there, or name a file.")
    read_all = for_each(_file, paths)
    frames = [rows for rows, _, _ in read_all]
    said = [f"{len(paths):,} files, the first {paths[0].name}: {'; '.join(read_all[0][1])}"]
    said += _differences(paths, frames)
    starts, first = [], 0
    periods = [_period(path) for path in paths]
    are_periods = all(periods) and len(set(periods)) == len(paths) > 1
    for path, period, frame in zip(paths, periods, frames, strict=True):
        starts.append((period if are_periods and period else path.name, first))
        first += len(frame)
    require_room(str(folder), 0, first, max(len(frame.columns) for frame in frames))
    together = pd.concat(_alike(frames), ignore_index=True)
    decimal = any(found for _, _, found in read_all)
    return Table(together, tuple(said), _stem(folder), tuple(starts), are_periods, decimal)


def _differences(paths: Sequence[Path], frames: "Sequence[pd.DataFrame]") -> list[str]:
    every = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    said = []
    for path, frame in zip(paths, frames, strict=True):
        absent = [name for name in every if name not in frame.columns]
        if absent:
            more = ", …" if len(absent) > SHOWN else ""
            said.append(f"{path.name} lacks {', '.join(absent[:SHOWN])}{more}: taken as missing")
    return said[:SHOWN]


def _alike(frames: "Sequence[pd.DataFrame]") -> "list[pd.DataFrame]":
    """Return frames whose columns are of one type each: where they differ, of text."""
    import pandas as pd

    kinds: dict[str, set[str]] = {}
    for frame in frames:
        for name, kind in frame.dtypes.items():
            kinds.setdefault(str(name), set()).add(str(kind))
    mixed = {
        n for n, found in kinds.items() if len(found) > 1 and not found <= {"int64", "float64"}
    }
    return [
        frame.assign(
            **{
                str(name): frame[name].map(str, na_action="ignore").astype("str")
                for name in frame.columns
                if name in mixed and not pd.api.types.is_string_dtype(frame[name])
            }
        )
        for frame in frames
    ]


def _period(path: Path) -> str | None:
    """Return the period that a file is called after, such as 2024-01; None if it isn't."""
    stem = path.name.split(".")[0]
    found = PERIOD.fullmatch(stem)
    return found.group(1).replace("_", "-") if found else None


def _stem(path: Path) -> str:
    return path.resolve().name.split(".")[0]
