"""CSV and its kin: read by Arrow as text, every fault with its line."""

import contextlib
import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO, Any

from perennial.adapters.intake import encoding
from perennial.adapters.intake.limits import SHOWN, require_room
from perennial.core.profiling import dialect as dialects
from perennial.core.profiling.dialect import LARGEST_FIELD, NAMES, Dialect
from perennial.errors import InputError

SAMPLE = 1 << 18
BLOCK = 4 << 20
LINES_OF_A_FIELD = 100
LARGEST_ROW = 64 << 20  # a file so small is one block, so that no row can be too large
LARGEST_BLOCK = 16 << 20


@contextlib.contextmanager
def opened(file: IO[bytes], name: str) -> Iterator[tuple[list[str], Iterator[Any], list[str]]]:
    """Yield a text file's header, its rows as record batches of strings, and what was found of it.

    Args:
        file: Seekable, unpacked.
        name: What to call it.

    Raises:
        InputError: it is no text, damaged, or its rows are not all as wide as its header.
    """
    found = encoding.encoding_of(file, name)
    with contextlib.ExitStack() as stack:
        if found not in ("utf-8", "utf-8-sig"):
            text = stack.enter_context(tempfile.TemporaryFile())
            encoding.as_utf8(file, found, text, name)
            file = text
        start = 3 if found == "utf-8-sig" else 0
        file.seek(start)
        sample = file.read(SAMPLE)
        whole = len(sample) < SAMPLE
        dialect = dialects.sniff(sample.decode("utf-8", "ignore"), whole)
        header, blank = _header(file, start, dialect, name)
        dialect = replace(dialect, skip=dialect.skip + blank)
        by = NAMES.get(dialect.delimiter, repr(dialect.delimiter))
        said = f"text in {found.upper().replace('_', '-')}, fields apart by {by}"
        yield header, _blocks(file, start, dialect, header, name), [said]


def _header(file: IO[bytes], start: int, dialect: Dialect, name: str) -> tuple[list[str], int]:
    """Return the header, and how many blank lines are before it."""
    try:
        with _text(file, start) as text:
            for _ in range(dialect.skip):
                text.readline()
            every = dialect.rows(text)
            blank, header = next(((n, row) for n, row in enumerate(every) if row), (0, None))
            more = next((row for row in every if row), None)
    except csv.Error as error:
        fault = f"{name}: line 1: {error}"
        raise InputError(fault, "Correct the header, or the quote that is not closed.") from error
    if header is not None and not more:
        raise InputError(f"{name}: a header and no rows", "Export it again, with rows.")
    if header is None or not any(cell.strip() for cell in header):
        raise InputError(f"{name}: no header: nothing but blank lines", "Export it again.")
    require_room(name, 0, 0, len(header))
    return header, blank


@contextlib.contextmanager
def _text(file: IO[bytes], start: int) -> Iterator[io.TextIOWrapper]:
    file.seek(start)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        yield text
    finally:
        text.detach()


def _blocks(
    file: IO[bytes], start: int, dialect: Dialect, header: list[str], name: str
) -> Iterator[Any]:
    import pyarrow as pa

    ragged: list[int] = []

    def skip(row: Any) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    size = file.seek(0, 2)
    require_room(name, size, 0, len(header))
    file.seek(start)
    unsound: dict[int, str] = {}
    rows = 0
    try:
        with _reader(file, size, dialect, len(header), skip) as reader:
            for block in reader:
                for place, fault in _unsound_fields(block, rows, header, name):
                    unsound.setdefault(place, fault)
                rows += block.num_rows
                yield block
    except pa.ArrowException as error:
        raise InputError(_unparsed(str(error), name), _RAGGED_REMEDY) from error
    if ragged:
        faults = _ragged(file, start, dialect, len(header), len(ragged), name)
        raise InputError(faults, _RAGGED_REMEDY)
    if unsound:
        raise InputError([unsound[place] for place in sorted(unsound)][:SHOWN], _RAGGED_REMEDY)


def _reader(
    file: IO[bytes], size: int, dialect: Dialect, width: int, skip: Callable[[Any], str]
) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = [f"c{place}" for place in range(width)]
    return arrow.open_csv(
        pa.PythonFile(_Kept(file), mode="r"),
        arrow.ReadOptions(
            use_threads=False,
            block_size=max(BLOCK, size + 1) if size < LARGEST_ROW else LARGEST_BLOCK,
            skip_rows=dialect.skip,
            column_names=names,
            skip_rows_after_names=1,
        ),
        arrow.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote,
            double_quote=dialect.escape is None,
            escape_char=dialect.escape or False,
            newlines_in_values=True,
            invalid_row_handler=skip,
        ),
        arrow.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            check_utf8=True,
        ),
    )


_RAGGED_REMEDY = (
    "Each row needs as many fields as the header has: quote fields that hold the delimiter, a "
    "quote or a line break, and close every quote."
)


class _Kept(io.RawIOBase):
    """A file that closing this leaves open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read from where the file is."""
        return self._file.read(size)


def _unparsed(told: str, name: str) -> str:
    if "straddling" in told:
        size = LARGEST_BLOCK >> 20
        return f"{name}: a row of over {size} MiB: most likely a quote that is not closed"
    first = re.sub(r"\s+", " ", told).strip()
    return f"{name}: can't be read as rows: {first[:300]}"


def _ragged(
    file: IO[bytes], start: int, dialect: Dialect, width: int, count: int, name: str
) -> list[str]:
    """Return the first ragged rows, each with its line and how many fields it has."""
    faults: list[str] = []
    try:
        with _text(file, start) as text:
            for _ in range(dialect.skip):
                text.readline()
            reader = dialect.rows(text)
            line = 1 + dialect.skip
            for row in reader:
                if row and len(row) != width:
                    fields = f"{len(row):,} field{'s' * (len(row) != 1)}"
                    faults.append(f"{name}: line {line:,}: {fields}, the header has {width:,}")
                    if len(faults) == SHOWN:
                        break
                line = reader.line_num + 1 + dialect.skip
    except csv.Error as error:
        faults.append(f"{name}: line {line:,}: {error}: a quote that is not closed?")
    if count > len(faults):
        faults.append(f"{name}: {count:,} rows in all are not as wide as the header ({width:,})")
    return faults


def _unsound_fields(
    block: Any, before: int, header: list[str], name: str
) -> Iterator[tuple[int, str]]:
    """Give the columns with a field so large that it must be many, after a quote that is not
    closed; and where it is."""
    import pyarrow.compute as pc

    for place, column in enumerate(block.columns):
        sizes = pc.binary_length(column)
        largest = pc.max(sizes).as_py() or 0
        if largest <= LINES_OF_A_FIELD:
            continue
        row = int(pc.index(sizes, largest).as_py())
        lines = (column[row].as_py() or "").count("\n")
        if largest > LARGEST_FIELD or lines > LINES_OF_A_FIELD:
            what = f"{largest:,} bytes" if largest > LARGEST_FIELD else f"{lines:,} line breaks"
            yield (
                place,
                f"{name}: row {before + row + 1:,}, column {header[place][:60]}: a field with "
                f"{what}: most likely a quote that is not closed",
            )
