"""Batching: columns that were put aside become batches, of which a few are in memory at once."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters import files
from perennial.core.profiling.columns import Column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROW_GROUP = 1 << 20  # rows, as Arrow writes them
CELLS = 32 << 20  # of a row group


def write_batches(
    columns: Sequence[Column], rows: "Mapping[str, np.ndarray]", path: Callable[[str], Path]
) -> None:
    """Write a Parquet file a batch.

    Args:
        columns: Of all rows.
        rows: Those of each batch, by their places.
        path: Says where a batch goes.
    """
    import pandas as pd

    size = _row_group(len(columns))
    for period, places in rows.items():
        pieces = (places[start : start + size] for start in range(0, len(places), size))
        _write(path(period), (pd.DataFrame({c.name: c.at(p) for c in columns}) for p in pieces))


def write_batch(path: Path, frame: "pd.DataFrame") -> None:
    """Write one batch, of the same rows the same bytes as `write_batches` does."""
    size = _row_group(len(frame.columns))
    starts = range(0, max(len(frame), 1), size)
    _write(path, (frame.iloc[start : start + size] for start in starts))


def _row_group(columns: int) -> int:
    """Return how many rows of so many columns are in memory at once."""
    return max(1, min(ROW_GROUP, CELLS // columns))


def _write(path: Path, frames: "Iterator[pd.DataFrame]") -> None:
    """Write pieces of a batch, each a row group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = next(frames)
    schema = pa.Schema.from_pandas(first, preserve_index=False)
    with (
        files.replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for frame in itertools.chain([first], frames):
            writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))
