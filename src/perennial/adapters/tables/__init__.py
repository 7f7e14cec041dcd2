"""Tables of rows to score: Parquet and CSV files, read and written a piece at a time with Arrow."""

from perennial.adapters.tables.reading import Cells, pieces
from perennial.adapters.tables.schemas import Source, describe, kind_of
from perennial.adapters.tables.values import Column, to_frame, unfit
from perennial.adapters.tables.writing import extended, writer

__all__ = [
    "Cells",
    "Column",
    "Source",
    "describe",
    "extended",
    "kind_of",
    "pieces",
    "to_frame",
    "unfit",
    "writer",
]
