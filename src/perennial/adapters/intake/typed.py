"""Values that come with types, from Parquet and databases, as plain pandas columns."""

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from perennial.adapters.intake.limits import require_room
from perennial.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ROWS, COLUMNS = 128 << 10, 32  # of a block
BUFFER = 1 << 20  # bytes of a column, not its whole row group


def opened(file: IO[bytes], name: str) -> Any:
    """Return a Parquet file to read from.

    Raises:
        InputError: it is damaged or too large.
    """
    import pyarrow.parquet as pq

    file.seek(0)
    try:
        source = pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)
        meta = source.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    except _broken() as error:
        raise _damaged(error, name) from error
    require_room(name, size, meta.num_rows, meta.num_columns)
    return source


def groups(source: Any, name: str) -> Iterator[tuple[list[int], Iterator[Any]]]:
    """Give the places of some columns of a Parquet file, and all rows of these as record batches.

    Raises:
        InputError: it is damaged.
    """
    header = source.schema_arrow.names
    distinct = list(dict.fromkeys(header))
    for start in range(0, len(distinct), COLUMNS):
        some = distinct[start : start + COLUMNS]
        places = [place for place, own in enumerate(header) if own in set(some)]
        yield places, _blocks(source, some, name)


def _blocks(source: Any, columns: list[str], name: str) -> Iterator[Any]:
    try:
        yield from source.iter_batches(ROWS, columns=columns)
    except _broken() as error:
        raise _damaged(error, name) from error


def _broken() -> tuple[type[Exception], ...]:
    import pyarrow as pa

    return pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError


def _damaged(error: Exception, name: str) -> InputError:
    told = " ".join(str(error).split())[:200]
    return InputError(f"{name}: damaged Parquet: {told}", "Write or copy it again.")


def usable(values: Any) -> Any:
    """Return an Arrow array as text, numbers, times, or true and false; None if it is none of
    these."""
    import pyarrow as pa
    import pyarrow.compute as pc

    types = pa.types
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if types.is_string_view(kind) or types.is_time(kind):
        return pc.cast(values, pa.string())
    if types.is_decimal(kind):
        return pc.cast(values, pa.float64(), safe=False)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_temporal(kind):
        return None if types.is_interval(kind) else values
    plain = (types.is_boolean, types.is_integer, types.is_floating, types.is_null)
    return values if any(of(kind) for of in plain) else None


def plain(column: Any) -> "pd.Series":
    """Return a usable column as int64, float64, bool, text or datetime64[us] in UTC."""
    import pandas as pd
    import pyarrow as pa

    kind, values = column.type, column.to_pandas()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values.astype("str")
    if pa.types.is_boolean(kind):
        if column.null_count:
            return values.map({True: "True", False: "False"}).astype("str")
        return values
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        values = pd.to_datetime(values, errors="coerce", utc=True)
        return values.dt.tz_localize(None).astype("datetime64[us]")
    if pa.types.is_duration(kind):
        return values.dt.total_seconds()
    whole = pa.types.is_integer(kind) and not column.null_count and str(kind) != "uint64"
    return values.astype("int64" if whole else "float64")
