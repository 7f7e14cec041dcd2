"""Batches: one immutable Parquet file a period. Which there are, and what is in them."""

import contextlib
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from perennial import names
from perennial.adapters import files
from perennial.core.dataset.plan import BatchRef
from perennial.errors import InputError, IntegrityError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PERIOD = names.WORD


@dataclass(frozen=True)
class Batch:
    """A batch file and what it is called."""

    period: str
    path: Path


def find(folder: Path, as_of: str = "latest") -> list[Batch]:
    """Return the batches of `folder` up to and including the period `as_of`, in order of period.

    Raises:
        InputError: the folder is missing or empty, a file has no period for a name, or nothing is
            as old as `as_of`; all faults at once.
    """
    remedy = "Keep one file a period there, named <period>.parquet, for example 2010-08.parquet."
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder", remedy)
    paths = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    faults = [
        f"{p}: not a batch: the name is not <period>.parquet"
        for p in paths
        if p.suffix != ".parquet" or not PERIOD.fullmatch(p.stem) or not p.is_file()
    ]
    faults += [fault for p in paths if (fault := link_fault(p))]
    if faults:
        raise InputError(faults, remedy)
    batches = [Batch(p.stem, p) for p in paths if as_of in ("latest", p.stem) or p.stem < as_of]
    if not batches:
        raise InputError(f"{folder}: no batch up to data.as_of = {as_of}", remedy)
    return batches


def link_fault(path: Path) -> str | None:
    """Return what is wrong with a file that is a link: it may lead to DVC's cache or elsewhere in
    the project or the folder it is in, and nowhere else. None if it is none, or does."""
    if not path.is_symlink():
        return None
    target = path.resolve()
    if any(target.is_relative_to(folder.resolve()) for folder in (Path(), path.parent)):
        return None
    return f"{path}: a link that leads out of the project; copy what it leads to"


def describe(batch: Batch) -> BatchRef:
    """Return a batch's period, SHA-256 and number of rows, without reading its columns.

    Raises:
        InputError: the file is no readable Parquet.
    """
    import pyarrow.parquet as pq

    with _readable(batch.path):
        rows = pq.read_metadata(batch.path).num_rows
    return {"period": batch.period, "sha256": files.sha256(batch.path), "rows": rows}


def has_column(batch: Batch, name: str) -> bool:
    """Say whether a batch has a column, without reading its rows.

    Raises:
        InputError: the file is no readable Parquet.
    """
    return name in columns(batch.path)


def columns(path: Path) -> dict[str, str]:
    """Return a batch's columns with their kinds, without reading its rows.

    A kind is number, text, boolean, time or else what Parquet calls it. Whole numbers become
    floats when one value is missing, so that is no difference.

    Raises:
        InputError: the file is no readable Parquet.
    """
    import pyarrow.parquet as pq

    with _readable(path):
        return {field.name: _kind(field.type) for field in pq.read_schema(path)}


def kinds(refs: Sequence[BatchRef], folders: Sequence[Path]) -> list[dict[str, str]]:
    """Return each planned batch's columns with their kinds, as `columns` does.

    Args:
        refs: `{"period", "sha256"}` of each batch, which `read_verified` has found to be there.
        folders: Where to look, in order.
    """
    located = [path for ref in refs if (path := _locate(ref, folders)) is not None]
    return [columns(path) for path in located]


def _kind(of: "pa.DataType") -> str:
    from pyarrow import types

    if types.is_dictionary(of):
        of = of.value_type
    if types.is_integer(of) or types.is_floating(of) or types.is_decimal(of):
        return "number"
    if types.is_string(of) or types.is_large_string(of):
        return "text"
    if types.is_boolean(of):
        return "boolean"
    return "time" if types.is_temporal(of) else str(of)


def read(path: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Read a batch, or some of its columns.

    Raises:
        InputError: the file is no readable Parquet (the message tells a CSV from a torn file), or
            lacks a column asked for.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    with _readable(path):
        absent = sorted(set(columns or ()) - set(pq.read_schema(path).names)) if columns else []
        if not absent:
            return pd.read_parquet(path, columns=list(columns) if columns is not None else None)
    raise InputError(
        [f"{path}: column {name}: missing" for name in absent],
        "Write the batch again with the column, or take what needs it out of params.yaml.",
    )


def read_through(path: Path) -> None:
    """Read a batch piece by piece, keeping none: it can be read.

    Raises:
        InputError: the file is no readable Parquet.
    """
    import pyarrow.parquet as pq

    with _readable(path), pq.ParquetFile(path) as file:
        for _ in file.iter_batches():
            pass


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes the reader raise into one error that says what it is."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(*_unreadable(path)) from error


def read_verified(
    refs: Sequence[BatchRef], folders: Sequence[Path], columns: Sequence[str] | None = None
) -> "dict[str, pd.DataFrame]":
    """Read the batches a plan names, by digest, from the first of `folders` that has each.

    Args:
        refs: `{"period", "sha256"}` of each batch.
        folders: Where to look, in order.
        columns: The columns to read; all if None.

    Raises:
        IntegrityError: no folder has a file of that period with that digest; all are named.
    """
    found = {ref["period"]: _locate(ref, folders) for ref in refs}
    missing = [ref for ref in refs if found[ref["period"]] is None]
    if missing:
        raise IntegrityError(
            [_not_as_planned(ref, folders) for ref in missing],
            "Put the batch back as it was, or move data.as_of on to its period; a batch is never "
            "edited: corrected rows are a batch of their own.",
        )
    return {period: read(path, columns) for period, path in found.items() if path is not None}


def copy(source: Path, target: Path) -> None:
    """Copy a batch byte for byte."""
    with files.replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def write_parquet(path: Path, frame: "pd.DataFrame") -> None:
    """Write a frame as Parquet; the same frame gives the same bytes."""
    with files.replacing(path) as temporary:
        frame.to_parquet(temporary, index=False, compression="zstd")


def taking_out(path: Path, column: str, keys: Collection[str]) -> "tuple[pa.Table, pa.Table]":
    """Return a file's rows without those of some keys, as they are there; and those of the keys.

    Nothing of the rows taken out is kept in the first: no level of a category, no note.

    Raises:
        InputError: the file is no readable Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from perennial.core.dataset.features import text_of

    with _readable(path):
        table = pq.read_table(path)
    if column not in table.column_names:
        return table, table.slice(0, 0)
    gone = pa.array(text_of(table[column].to_pandas()).isin(list(keys)).to_numpy())
    kept = table.filter(pa.compute.invert(gone))
    for number, field in enumerate(kept.schema):
        if pa.types.is_dictionary(field.type):
            levels = kept[field.name].to_pandas().cat.remove_unused_categories()
            kept = kept.set_column(number, field, pa.array(levels, type=field.type))
    notes = {k: v for k, v in (table.schema.metadata or {}).items() if k == b"pandas"}
    return kept.replace_schema_metadata(notes or None), table.filter(gone)


def write_table(path: Path, table: "pa.Table") -> None:
    """Write a table as Parquet; the same table gives the same bytes."""
    import pyarrow.parquet as pq

    with files.replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_rows(
    refs: Sequence[BatchRef], rows: "pd.DataFrame", folders: Sequence[Path]
) -> "pd.DataFrame":
    """Return the raw rows that `rows` names by period and place, in its order.

    Raises:
        IntegrityError: a batch is not what the plan names.
    """
    import pandas as pd

    raw = read_verified(refs, folders)
    starts = dict(zip(raw, accumulate(map(len, raw.values()), initial=0), strict=False))
    together = pd.concat(list(raw.values()), ignore_index=True)
    places = rows["period"].map(starts).to_numpy() + rows["row"].to_numpy()
    return together.iloc[places].reset_index(drop=True)


def _locate(ref: BatchRef, folders: Sequence[Path]) -> Path | None:
    if not PERIOD.fullmatch(ref["period"]):
        return None  # a plan from elsewhere may name anything
    for folder in folders:
        path = folder / f"{ref['period']}.parquet"
        if path.is_file() and files.sha256(path) == ref["sha256"]:
            return path
    return None


def _not_as_planned(ref: BatchRef, folders: Sequence[Path]) -> str:
    name = f"{ref['period']}.parquet"
    if not PERIOD.fullmatch(ref["period"]):
        return f"the plan names {ref['period']!r}, which is no period"
    for folder in reversed(folders):  # the last is where batches arrive
        if (folder / name).is_file():
            there = files.sha256(folder / name)[:12]
            return (
                f"{folder / name}: other content (SHA-256 {there}…) than the plan was made with "
                f"({ref['sha256'][:12]}…)"
            )
    return f"{name}: not in {' or '.join(map(str, folders))}, and the plan needs it"


def _unreadable(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if size == 0:
        return f"{path}: empty file (0 bytes)", "Write the batch again, or take the file away."
    if head != b"PAR1":
        return f"{path}: not Parquet (it starts with {head!r})", (
            "Convert it, for example pandas.read_csv(...).to_parquet(...), under the same name."
        )
    damage = "damaged Parquet" if tail == b"PAR1" else "torn Parquet, its end is missing"
    return f"{path}: {damage} ({size:,} bytes)", "Copy the file again."
