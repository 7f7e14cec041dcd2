"""Keeping: what columns were found to be is put aside too, where that is much."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from perennial.adapters.intake.limits import on_temporary_disk
from perennial.adapters.intake.table import AT_ONCE, Table
from perennial.core.profiling.columns import Column, recognise

if TYPE_CHECKING:
    import pandas as pd


def recognised(table: Table) -> Iterator[Column]:
    """Give each column as what it is; of a large table so that one at a time is in memory."""
    large = table.rows * len(table.names) > AT_ONCE
    for name, values in table.columns():
        column = recognise(values, name, table.comma_is_decimal)
        yield _aside(column, table) if large else column


def _aside(column: Column, table: Table) -> Column:
    import pyarrow as pa
    from pyarrow import feather

    handle, path = tempfile.mkstemp(".arrow", dir=table.folder)
    os.close(handle)
    cells = pa.table({"cells": pa.array(column.cells)})
    with on_temporary_disk():
        feather.write_feather(cells, path, compression="uncompressed")  # so it is mapped, not read

    def read() -> "pd.Series":
        return feather.read_table(path, memory_map=True).column("cells").to_pandas()

    return replace(column, read=read)
