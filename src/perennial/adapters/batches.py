"""Batches: one immutable Parquet file a period. Which there are, and what is in them."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters import files
from perennial.core.plan import BatchRef
from perennial.errors import InputError, IntegrityError

if TYPE_CHECKING:
    import pandas as pd

PERIOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


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
    if faults:
        raise InputError(faults, remedy)
    batches = [Batch(p.stem, p) for p in paths if as_of in ("latest", p.stem) or p.stem < as_of]
    if not batches:
        raise InputError(f"{folder}: no batch up to data.as_of = {as_of}", remedy)
    return batches


def describe(batch: Batch) -> BatchRef:
    """Return a batch's period, SHA-256 and number of rows, without reading its columns."""
    import pyarrow.parquet as pq

    rows = pq.read_metadata(batch.path).num_rows
    return {"period": batch.period, "sha256": files.sha256(batch.path), "rows": rows}


def read(path: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Read a batch, or some of its columns.

    Raises:
        InputError: the file is no readable Parquet; the message tells a CSV from a torn file.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path, columns=list(columns) if columns is not None else None)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
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
        IntegrityError: no folder has a file of that period with that digest.
    """
    found = {ref["period"]: _locate(ref, folders) for ref in refs}
    missing = [period for period, path in found.items() if path is None]
    if missing:
        raise IntegrityError(
            [f"{p}.parquet: not in {' or '.join(map(str, folders))} as planned" for p in missing],
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


def _locate(ref: BatchRef, folders: Sequence[Path]) -> Path | None:
    for folder in folders:
        path = folder / f"{ref['period']}.parquet"
        if path.is_file() and files.sha256(path) == ref["sha256"]:
            return path
    return None


def _unreadable(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
    if size == 0:
        return f"{path}: empty file (0 bytes)", "Write the batch again, or take the file away."
    if head != b"PAR1":
        return f"{path}: not Parquet (it starts with {head!r})", (
            "Convert it, for example pandas.read_csv(...).to_parquet(...), under the same name."
        )
    return f"{path}: torn Parquet, its end is missing ({size:,} bytes)", "Copy the file again."
