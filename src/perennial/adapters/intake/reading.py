"""Reading whatever the user names: a file, a folder of files, or a database."""

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from perennial.adapters.intake import database, delimited, scratch, typed, unpacking
from perennial.adapters.intake.landing import land
from perennial.adapters.intake.limits import SHOWN, require_room
from perennial.adapters.intake.table import Table
from perennial.errors import InputError, for_each

ENDINGS = {".csv", ".tsv", ".tab", ".txt", ".psv", ".parquet", ".pq", ".brotli", ".data"}
PACKED = {".gz", ".zip", ".bz2", ".xz"}
PERIOD = re.compile(
    r"(?:.*?[-_ ])?((?:19|20)\d\d(?:[-_]?(?:Q[1-4]|W\d\d|H[12]|\d\d(?:[-_]?\d\d)?))?)",
    re.IGNORECASE,
)
OTHERS = {b"\xd0\xcf\x11\xe0": "an old Excel file", b"SQLite f": "an SQLite database"}
OTHERS |= {b"%PDF": "a PDF", b"ARROW1": "an Arrow file", b"\x89HDF": "an HDF5 file"}


@contextlib.contextmanager
def read(data: str, query: str | None = None) -> Iterator[Table]:
    """Read the user's rows; they are there until the end of the `with`.

    Args:
        data: The path of a file or folder, or the address of a database.
        query: The rows of a database.

    Raises:
        InputError: it is not there, or faulty; all faults at once.
        UnreachableError: the database can't be reached.
    """
    with scratch.folder() as folder:
        with scratch.on_temporary_disk():
            table = _table(data, query, folder)
        yield table


def _table(data: str, query: str | None, folder: Path) -> Table:
    if "://" in data:
        with database.opened(data, query) as (header, blocks, shown, name):
            table = land(header, [(range(len(header)), blocks)], folder, shown)
        return replace(table, said=(f"{shown}, by a query", *table.said), name=name)
    if query is not None:
        remedy = "Leave it out, or give the address of a database as --data."
        raise InputError(f"--query goes with a database, and --data is {data}", remedy)
    path = Path(data)
    if path.is_dir():
        return _folder(path, folder)
    if not path.exists():
        raise InputError(f"--data {data}: no such file or folder", "Name one that is there.")
    if not path.is_file():
        raise InputError(f"--data {data}: neither a file nor a folder", "Give a file.")
    table = _file(path, folder)
    return replace(table, said=(f"{path.name}: {'; '.join(table.said)}",))


def _file(path: Path, folder: Path) -> Table:
    """Put a file's rows aside; `said` is then what was found of it, in a few words each."""
    with unpacking.opened(path) as (file, how):
        found = [how] if how else []
        head = file.read(8)
        if head.startswith(b"PAR1"):
            source = typed.parquet(file, str(path))
            header, decimal = source.schema_arrow.names, False
            table = land(header, typed.groups(source, str(path)), folder, str(path))
            found.append("Parquet")
        else:
            _require_text(head, file, path)
            with delimited.opened(file, str(path)) as (header, blocks, more):
                table = land(header, [(range(len(header)), blocks)], folder, str(path))
            found += more
            decimal = "semicolons" in more[0]
    said = (*found, *table.said)
    starts = ((path.name, 0),)
    return replace(table, said=said, name=_stem(path), starts=starts, comma_is_decimal=decimal)


def _require_text(head: bytes, file: IO[bytes], path: Path) -> None:
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            raise InputError(f"{path}: {what}", "Export it as CSV or Parquet.")
    if head[:1] in b"{[" and path.suffix in (".json", ".jsonl", ".ndjson"):
        raise InputError(f"{path}: JSON", "Export it as CSV or Parquet.")
    file.seek(0)


def _folder(source: Path, folder: Path) -> Table:
    """Read every file of a folder: parts of a table, or a period each, as their names say."""
    paths = sorted(p for p in source.iterdir() if not p.name.startswith((".", "_")) and p.is_file())
    paths = [p for p in paths if {s.lower() for s in p.suffixes} & (ENDINGS | PACKED)]
    if not paths:
        fault = f"{source}: no file that ends in .csv, .tsv, .txt or .parquet (or those compressed)"
        raise InputError(fault, "Put the data there, or name a file.")
    tables = for_each(lambda path: _file(path, folder), paths)
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    rows = [table.rows for table in tables]
    size = sum(table.size for table in tables)
    require_room(str(source), size, sum(rows), len(names))
    periods = [_period(path) for path in paths]
    are_periods = all(periods) and len(set(periods)) == len(paths) > 1
    called = [str(p) for p in periods] if are_periods else [path.name for path in paths]
    return Table(
        folder=folder,
        parts=tuple(part for table in tables for part in table.parts),
        names=names,
        said=(
            f"{len(paths):,} files, the first {paths[0].name}: {'; '.join(tables[0].said)}",
            *_differences(paths, tables, names),
        ),
        name=_stem(source),
        size=size,
        starts=tuple(zip(called, itertools.accumulate(rows, initial=0), strict=False)),
        periods=are_periods,
        comma_is_decimal=any(table.comma_is_decimal for table in tables),
    )


def _differences(paths: Sequence[Path], tables: Sequence[Table], names: Sequence[str]) -> list[str]:
    said = []
    for path, table in zip(paths, tables, strict=True):
        absent = [name for name in names if name not in table.names]
        if absent:
            more = ", …" if len(absent) > SHOWN else ""
            said.append(f"{path.name} lacks {', '.join(absent[:SHOWN])}{more}: taken as missing")
    return said[:SHOWN]


def _period(path: Path) -> str | None:
    """Return the period that a file is called after, such as 2024-01; None if it isn't."""
    stem = path.name.split(".")[0]
    found = PERIOD.fullmatch(stem)
    return found.group(1).replace("_", "-") if found else None


def _stem(path: Path) -> str:
    return path.resolve().name.split(".")[0]
