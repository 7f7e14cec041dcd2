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
AT_ONCE = 32 << 20  # cells in memory


def write(
    columns: Sequence[Column], rows: "Mapping[str, np.ndarray]", path: Callable[[str], Path]
) -> None:
    """Write a Parquet file a batch, as `batches.write_parquet` does.

    Args:
        columns: Of all rows.
        rows: Those of each batch, by their places.
        path: Says where a batch goes.
    """
    most = max(1, min(ROW_GROUP, AT_ONCE // len(columns)))
    for period, pieces in itertools.groupby(_pieces(columns, rows, most), lambda piece: piece[0]):
        _write(path(period), (frame for _, frame in pieces))


def _pieces(
    columns: Sequence[Column], rows: "Mapping[str, np.ndarray]", most: int
) -> "Iterator[tuple[str, pd.DataFrame]]":
    """Give the rows of each batch in pieces, reading each column once for as many as may be."""
    import numpy as np
    import pandas as pd

    for some in _groups(rows, most):
        places = np.concatenate([own for _, own in some])
        cells = {c.name: c.cells.iloc[places].reset_index(drop=True) for c in columns}
        frame = pd.DataFrame(cells)
        start = 0
        for period, own in some:
            yield period, frame.iloc[start : start + len(own)]
            start += len(own)


def _groups(
    rows: "Mapping[str, np.ndarray]", most: int
) -> "Iterator[list[tuple[str, np.ndarray]]]":
    """Give pieces of batches, several at once as long as these have no more than `most` rows."""
    some: list[tuple[str, np.ndarray]] = []
    held = 0
    for period, places in rows.items():
        for start in range(0, len(places), most):
            piece = places[start : start + most]
            if some and held + len(piece) > most:
                yield some
                some, held = [], 0
            some.append((period, piece))
            held += len(piece)
    yield some


def _write(path: Path, frames: "Iterator[pd.DataFrame]") -> None:
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
