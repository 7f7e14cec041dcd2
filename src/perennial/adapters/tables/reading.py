"""Rows of a file, a piece at a time, so that memory is bounded by the piece and not by the file."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.adapters.tables.schemas import REMEDY, Source, kind_of
from perennial.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 8 << 20  # bytes of CSV read at a time; a row must fit into it
SHOWN = 5  # faults of one kind that are named

Told = Callable[[float], None]


class Cells:
    """What is wrong with a file's rows and cells, collected until it is read through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ragged: list[tuple[int, int, int]] = []  # row, fields, expected
        self._bad: dict[str, list[int]] = {}
        self._examples: dict[str, list[tuple[int, str]]] = {}

    def ragged(self, row: Any) -> str:
        """Note a row of other length than the header; skip it, to find all."""
        self._ragged.append((row.number, row.actual_columns, row.expected_columns))
        return "skip"

    def no_number(self, name: str, rows: np.ndarray, piece: "pa.Table", before: int) -> None:
        """Note cells of a column that are no numbers.

        Args:
            name: The column.
            rows: Where in the piece.
            piece: The rows.
            before: How many rows came before the piece.
        """
        self._bad[name] = [*self._bad.get(name, [0]), len(rows)]
        kept = self._examples.setdefault(name, [])
        for row in rows[: SHOWN - len(kept)]:
            kept.append((before + int(row), str(piece[name][int(row)].as_py())))

    def require_none(self) -> None:
        """Raise all that was noted.

        Raises:
            InputError: there is any.
        """
        faults = [
            f"{self._path}: row {row - 1:,}: {fields} fields, the header has {expected}"
            for row, fields, expected in self._ragged[:SHOWN]
        ]
        if len(self._ragged) > SHOWN:
            more = len(self._ragged) - SHOWN
            faults.append(f"{self._path}: {more:,} more rows of another length than the header")
        for name, counts in self._bad.items():
            shown = ", ".join(
                f"{text!r} in row {self._place(row):,}" for row, text in self._examples[name]
            )
            more = sum(counts) - len(self._examples[name])
            rest = f" and {more:,} more" if more else ""
            faults.append(f"{self._path}: column {name}: not a number: {shown}{rest}")
        if faults:
            raise InputError(
                faults,
                "Rows are counted from 1 after the header. Correct them, or leave a cell that is "
                "not known empty. Nothing was written for this file.",
            )

    def _place(self, row: int) -> int:
        """Return a row's number in the file, where rows of another length were skipped."""
        row += 1
        for skipped in sorted(number - 1 for number, _, _ in self._ragged):
            row += skipped <= row
        return row


def pieces(
    source: Source, names: Sequence[str], rows: int, cells: Cells, tell: Told
) -> "Iterator[pa.Table]":
    """Yield a file's rows, at most `rows` at a time, in order.

    Args:
        source: The file.
        names: The columns to read.
        rows: How many at once; memory is bounded by it.
        cells: Notes rows that are not as long as the header, which are left out.
        tell: Is told which share of the file is read.

    Raises:
        InputError: the file is damaged.
    """
    import pyarrow as pa

    try:
        read = _csv if source.kind == "csv" else _parquet
        yield from read(source, names, rows, cells, tell)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        what = str(error).splitlines()[0]
        raise InputError(f"{source.path}: damaged {source.kind}: {what}", REMEDY) from error


def _parquet(
    source: Source, names: Sequence[str], rows: int, _: Cells, tell: Told
) -> "Iterator[pa.Table]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    done, total = 0, source.rows or 1
    # no memory map, no read-ahead of whole row groups: a file may be larger than memory
    with pq.ParquetFile(source.path, pre_buffer=False) as file:
        for batch in file.iter_batches(rows, columns=list(names)):
            yield pa.Table.from_batches([batch]).replace_schema_metadata()
            done += batch.num_rows
            tell(done / total)


def _csv(
    source: Source, names: Sequence[str], rows: int, cells: Cells, tell: Told
) -> "Iterator[pa.Table]":
    import pyarrow as pa
    from pyarrow import csv

    _, compression = kind_of(source.path)
    size = max(1, source.path.stat().st_size)
    with pa.OSFile(str(source.path)) as file, contextlib.ExitStack() as stack:
        stream = (
            stack.enter_context(pa.CompressedInputStream(file, compression))
            if compression
            else file
        )
        try:
            reader = csv.open_csv(
                stream,
                # one thread: only then does Arrow number the rows
                csv.ReadOptions(block_size=BLOCK, use_threads=False),
                csv.ParseOptions(
                    delimiter=source.delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=cells.ragged,
                ),
                csv.ConvertOptions(
                    column_types=source.schema,
                    include_columns=list(names),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):  # a header and not even the end of its line
                return
            raise
        for batch in reader:
            table = pa.Table.from_batches([batch])
            for start in range(0, table.num_rows, rows):
                yield table.slice(start, rows)
            tell(file.tell() / size)
