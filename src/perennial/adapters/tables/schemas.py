"""What a file of rows is, and which columns it has, known before any row is read."""

import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perennial.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["parquet", "csv"]
KINDS: dict[str, Kind] = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv"}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
DELIMITERS = ",;\t|"
REMEDY = "Give Parquet (.parquet) or CSV in UTF-8 with a header (.csv, .tsv, also .gz, .bz2, .zst)."


@dataclass(frozen=True)
class Source:
    """A file of rows.

    Attributes:
        path: Where it is.
        kind: How it is written.
        schema: Its columns; those of a CSV file are all text, as it stands there.
        delimiter: Of a CSV file.
        rows: How many; None of a CSV file, which has to be read to know.
    """

    path: Path
    kind: Kind
    schema: "pa.Schema"
    delimiter: str = ","
    rows: int | None = None


def kind_of(path: Path) -> tuple[Kind, str | None]:
    """Return how a file of that name is written, and how it is compressed, if it is a CSV.

    Raises:
        InputError: the name says neither Parquet nor CSV.
    """
    compression = COMPRESSIONS.get(path.suffix.lower())
    suffix = Path(path.stem).suffix if compression else path.suffix
    kind = KINDS.get(suffix.lower())
    if kind is None or (compression and kind == "parquet"):
        raise InputError(f"{path}: neither Parquet nor CSV by its name", REMEDY)
    return kind, compression


def describe(path: Path) -> Source:
    """Return what a file is and which columns it has, without reading its rows.

    Raises:
        InputError: it can't be read, or two columns have one name.
    """
    import pyarrow as pa

    kind, compression = kind_of(path)
    try:
        found = _csv(path, compression) if kind == "csv" else _parquet(path)
    except (pa.ArrowException, OSError, ValueError, csv.Error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"{path}: not readable as {kind}: {_line(error)}", REMEDY) from error
    names = found.schema.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            [f"{path}: column {name}: {names.count(name)} times in the header" for name in twice],
            "Give each column a name of its own.",
        )
    return found


def _parquet(path: Path) -> Source:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        # what pandas noted of its index would be untrue of what is written
        schema = file.schema_arrow.remove_metadata()
        return Source(path, "parquet", schema, rows=file.metadata.num_rows)


def _csv(path: Path, compression: str | None) -> Source:
    import pyarrow as pa

    with _text(path, compression) as text:
        first = text.readline()
    if not first.strip():
        raise ValueError("no header")
    delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark))))
    with _text(path, compression) as text:  # a name in quotes may go on in the next line
        names = next(csv.reader(text, delimiter=delimiter, strict=True))
    schema = pa.schema([(name, pa.string()) for name in names])
    return Source(path, "csv", schema, delimiter)


@contextlib.contextmanager
def _text(path: Path, compression: str | None) -> Iterator[io.TextIOWrapper]:
    import pyarrow as pa

    with (
        pa.input_stream(str(path), compression=compression) as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
    ):
        yield text


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
