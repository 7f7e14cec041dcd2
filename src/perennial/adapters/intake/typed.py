"""Values that come with types, from Parquet and databases, as plain pandas columns."""

from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from perennial.adapters.intake.limits import require_room
from perennial.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ROWS, COLUMNS = 16 << 10, 32  # of a block
BUFFER = 1 << 20  # bytes of a column, not its whole row group


def parquet(file: IO[bytes], name: str) -> Any:
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


def groups(source: Any, name: str) -> Iterator[tuple[Sequence[int], Iterator[Any]]]:
    """Give the places of some columns of a Parquet file, and all rows of these as record batches;
    of columns that are nested, nothing.

    A reader of rows holds a page or two of each column, so not all are read at once. They can be
    asked for only by names, so those of one name are apart from others, in the file's order.

    Raises:
        InputError: it is damaged.
    """
    import pyarrow as pa

    places: dict[str, list[int]] = {}
    for place, field in enumerate(source.schema_arrow):
        if not pa.types.is_nested(field.type):
            places.setdefault(field.name, []).append(place)
    single = [own for own, there in places.items() if len(there) == 1]
    together = [single[start : start + COLUMNS] for start in range(0, len(single), COLUMNS)]
    together += [[own] for own, there in places.items() if len(there) > 1]
    for names in together:
        yield [place for own in names for place in places[own]], _blocks(source, names, name)


def _blocks(source: Any, columns: Sequence[str], name: str) -> Iterator[Any]:
    import pyarrow as pa

    try:
        for block in source.iter_batches(ROWS, columns=columns):
            # `a.b` is also asked of what is nested in `a`
            flat = [n for n, kind in enumerate(block.schema.types) if not pa.types.is_nested(kind)]
            yield block.select(flat)
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
    these.

    Raises:
        pyarrow.ArrowInvalid: a time is beyond what microseconds can count.
    """
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
    if isinstance(kind, pa.UuidType):
        return pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())
    if types.is_date(kind) or types.is_timestamp(kind):
        zoned = types.is_timestamp(kind) and kind.tz is not None
        target = pa.timestamp("us", "UTC" if zoned else None)
        return pc.cast(values, options=pc.CastOptions(target, allow_time_truncate=True))
    texts = (types.is_string, types.is_large_string)
    numbers = (types.is_boolean, types.is_integer, types.is_floating, types.is_duration)
    return values if any(of(kind) for of in (*texts, *numbers, types.is_null)) else None


def text(column: Any) -> "pd.Series":
    """Return a usable column as text: each value as features read it, whole numbers to the last
    digit."""
    import pandas as pd
    import pyarrow as pa

    from perennial.core.dataset.features import text_of

    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        values = [None if value is None else str(value) for value in column.to_pylist()]
        return pd.Series(values, dtype="str")
    return text_of(plain(column)).astype("str")


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
    if pa.types.is_timestamp(kind):
        values = pd.to_datetime(values, errors="coerce", utc=True)
        return values.dt.tz_localize(None).astype("datetime64[us]")
    if pa.types.is_duration(kind):
        return values.dt.total_seconds()
    whole = pa.types.is_integer(kind) and not column.null_count and str(kind) != "uint64"
    return values.astype("int64" if whole else "float64")
