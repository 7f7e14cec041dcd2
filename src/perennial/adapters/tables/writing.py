"""Rows with what the model says of them, written whole or not at all.

The same rows give the same bytes, in whatever pieces they come.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perennial.adapters import files
from perennial.adapters.tables.schemas import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

CELLS = 1 << 21  # of a row group: 8 MB of numbers to a few hundred MB of text
ROWS = 1 << 17

Write = Callable[["pa.Table"], None]


def extended(piece: "pa.Table", columns: Mapping[str, np.ndarray]) -> "pa.Table":
    """Return rows with further columns; numbers, or text."""
    import pyarrow as pa

    for name, values in columns.items():
        kind = pa.string() if values.dtype == object else pa.from_numpy_dtype(values.dtype)
        piece = piece.append_column(name, pa.array(values, kind))
    return piece


@contextlib.contextmanager
def writer(path: Path, schema: "pa.Schema", delimiter: str) -> Iterator[Write]:
    """Yield a function that writes rows; what they make takes the place of `path` at the end.

    Args:
        path: Its name says how it is written.
        schema: The rows' columns. A dictionary is written as what it stands for.
        delimiter: Of a CSV file; one that is called .tsv has tabs.
    """
    kind, compression = kind_of(path)
    delimiter = "\t" if ".tsv" in path.suffixes else delimiter
    plain = _plain(schema)
    with files.replacing(path) as temporary:
        opened = (
            _parquet(temporary, plain)
            if kind == "parquet"
            else _csv(temporary, plain, delimiter, compression)
        )
        with opened as write:
            yield lambda piece: write(piece.cast(plain))


def _plain(schema: "pa.Schema") -> "pa.Schema":
    import pyarrow as pa

    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in schema
    ]
    return pa.schema(fields)


@contextlib.contextmanager
def _parquet(path: Path, schema: "pa.Schema") -> Iterator[Write]:
    """Write row groups whose size hangs on the columns alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = max(1024, min(ROWS, CELLS // len(schema)))
    waiting = schema.empty_table()
    with pq.ParquetWriter(path, schema, compression="zstd") as file:

        def write(piece: "pa.Table") -> None:
            nonlocal waiting
            waiting = pa.concat_tables([waiting, piece])
            while waiting.num_rows >= size:
                file.write_table(waiting.slice(0, size).combine_chunks(), row_group_size=size)
                waiting = waiting.slice(size)

        yield write
        if waiting.num_rows:
            file.write_table(waiting.combine_chunks(), row_group_size=size)


@contextlib.contextmanager
def _csv(
    path: Path, schema: "pa.Schema", delimiter: str, compression: str | None
) -> Iterator[Write]:
    import pyarrow as pa
    from pyarrow import csv

    with pa.output_stream(str(path), compression=compression) as stream:
        options = csv.WriteOptions(delimiter=delimiter)
        with csv.CSVWriter(stream, schema, write_options=options) as file:
            yield file.write_table
