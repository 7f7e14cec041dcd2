"""Keeping: what columns were found to be is put aside too, where that is much."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from perennial.adapters.intake import scratch
from perennial.adapters.intake.table import CELLS_AT_ONCE, Table
from perennial.core.profiling.columns import Column, recognise

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def recognised(table: Table) -> Iterator[Column]:
    """Give each column as what it is; of a large table so that one at a time is in memory, for as
    long as the table is there."""
    large = table.rows * len(table.names) > CELLS_AT_ONCE
    for name, values in table.columns():
        column = recognise(values, name, table.comma_is_decimal)
        yield _aside(column, table) if large else column


def _aside(column: Column, table: Table) -> Column:
    import pyarrow as pa
    from pyarrow import feather

    with scratch.on_temporary_disk():
        path = str(scratch.new_file(table.folder))
        cells = pa.table({"cells": pa.array(column.cells)})
        # neither compressed nor in pieces, so that it is mapped, and some rows are read as such
        feather.write_feather(cells, path, compression="uncompressed", chunksize=table.rows)

    def read(rows: "np.ndarray | None") -> "pd.Series":
        kept = feather.read_table(path, memory_map=True).column("cells")
        return (kept if rows is None else kept.take(pa.array(rows))).to_pandas()

    return replace(column, read=read)
