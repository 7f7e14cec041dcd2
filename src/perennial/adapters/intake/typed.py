"""Tables that come with types, from Parquet and databases, as plain pandas columns."""

from typing import IO, TYPE_CHECKING, Any

from perennial.adapters.intake.table import require_room
from perennial.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(file: IO[bytes], name: str) -> Any:
    """Return a Parquet file as an Arrow table.

    Raises:
        InputError: it is damaged or too large.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file.seek(0)
        source = pq.ParquetFile(file)
        meta = source.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        require_room(name, size, meta.num_rows, meta.num_columns)
        return source.read()
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        told = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: damaged Parquet: {told}", "Write or copy it again.") from error


def plain(table: Any) -> "tuple[pd.DataFrame, list[str]]":
    """Return a table's columns as int64, float64, bool, text or datetime64[us] in UTC; and names of
    columns that are none of these, which are left out."""
    import pandas as pd

    found: dict[int, pd.Series] = {}
    left_out = []
    for place, name in enumerate(table.column_names):
        series = _plain(table.column(place))
        if series is None:
            left_out.append(name)
        else:
            found[place] = series
    frame = pd.DataFrame(found)
    frame.columns = pd.Index([table.column_names[place] for place in found])
    return frame, left_out


def _plain(column: Any) -> "pd.Series | None":
    import pyarrow as pa
    import pyarrow.compute as pc

    types = pa.types
    if types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    kind = column.type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return column.to_pandas().astype("str")
    if types.is_time(kind):
        return pc.cast(column, pa.string()).to_pandas().astype("str")
    if types.is_decimal(kind):
        return pc.cast(column, pa.float64(), safe=False).to_pandas()
    return _number_or_time(column, kind)


def _number_or_time(column: Any, kind: Any) -> "pd.Series | None":
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        if column.null_count:
            return column.to_pandas().map({True: "True", False: "False"}).astype("str")
        return column.to_pandas()
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        values = pd.to_datetime(column.to_pandas(), errors="coerce", utc=True)
        return values.dt.tz_localize(None).astype("datetime64[us]")
    if pa.types.is_duration(kind):
        return column.to_pandas().dt.total_seconds()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        values = column.to_pandas()
        whole = pa.types.is_integer(kind) and not column.null_count
        fits = whole and str(kind) != "uint64"
        return values.astype("int64" if fits else "float64")
    return None
