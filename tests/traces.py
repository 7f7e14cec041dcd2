"""Finds what is left of values in a folder, whatever they were written as: text in any encoding or
escaped, numbers in binary, cells of Parquet and SQLite, members of archives, text in pictures."""

import base64
import gzip
import html
import io
import json
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

DEEP = 3


def traces(folder: Path, values: Sequence[str | int], apart: Sequence[str] = ()) -> list[str]:
    """Return each file below a folder in which there is a trace of one of the values.

    Args:
        folder: Where to look; links are not followed.
        values: Texts, which may be parts of what was written, and whole numbers.
        apart: Files and folders in it that are not looked at.
    """
    wanted = {form for value in values for form in _forms(value)}
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(name == other or name.startswith(f"{other}/") for other in apart):
            continue
        if path.is_symlink() or not path.is_file():
            told = name.encode()
            found += [name] if any(form in told for form in wanted) else []
        elif any(form in content for content in _contents(path) for form in wanted):
            found.append(name)
    return found


def _forms(value: str | int) -> Iterator[bytes]:
    """Yield the bytes that a value may be written as."""
    text = str(value)
    for form in {text, json.dumps(text)[1:-1], quote(text), html.escape(text), repr(text)[1:-1]}:
        yield form.encode()
        yield form.encode("utf-16-le")
        yield form.encode("utf-16-be")
    raw = text.encode()
    for shift in range(3):  # the middle of Base64 is the same wherever the value starts
        encoded = base64.b64encode(bytes(shift) + raw)
        yield encoded[4 if shift else 0 : -4]
        yield base64.urlsafe_b64encode(bytes(shift) + raw)[4 if shift else 0 : -4]
    yield raw.hex().encode()
    if isinstance(value, int):
        for kind in ("<q", ">q", "<d", ">d"):
            yield struct.pack(kind, value)


def _contents(path: Path) -> Iterator[bytes]:
    """Yield a file's name and all that is in it, unpacked and decoded."""
    yield path.name.encode()
    content = path.read_bytes()
    yield from _unpacked(content, DEEP)
    if content[:16] == b"SQLite format 3\0":
        yield from _sqlite(path)


def _unpacked(content: bytes, deep: int) -> Iterator[bytes]:
    yield content
    if content[:4] == b"PAR1":
        yield from _parquet(content)
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        yield from _texts_of_png(content)
    for inner in _packed(content) if deep else ():
        yield from _unpacked(inner, deep - 1)


def _packed(content: bytes) -> Iterator[bytes]:
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
            yield "\n".join(archive.namelist()).encode()
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            yield unpack(content)
        except (OSError, EOFError, zlib.error):
            continue


def _parquet(content: bytes) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    yield repr(file.schema_arrow.metadata).encode()
    yield repr(file.metadata.to_dict()).encode()
    table = file.read()
    for name in table.column_names:
        cells = table[name].to_pylist()
        yield "\n".join(str(int(c) if isinstance(c, float) and c.is_integer() else c)
                        for c in cells).encode()  # fmt: skip


def _sqlite(path: Path) -> Iterator[bytes]:
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    if cell is not None:
                        yield cell if isinstance(cell, bytes) else str(cell).encode()


def _texts_of_png(content: bytes) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        chunk = content[at + 8 : at + 8 + length]
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            yield chunk
            for start in range(len(chunk)):
                if chunk[start : start + 1] == b"x":  # zlib's first byte
                    try:
                        yield zlib.decompress(chunk[start:])
                    except zlib.error:
                        continue
        at += 12 + length
