"""Files as they are inside: gzip, bzip2, xz and zip taken off, with a bound on what comes out."""

import bz2
import contextlib
import gzip
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from perennial.adapters.intake.limits import GIB, LARGEST
from perennial.adapters.intake.scratch import FULL
from perennial.errors import InputError

BLOCK = 1 << 20
RATIO, ALWAYS = 200, 64 << 20  # more than 200 times its size is a bomb, unless it is small
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip"}
BROKEN = (EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
TORN = (*BROKEN, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def packed(head: bytes) -> str | None:
    """Return how a file is compressed, by its first bytes; None if it isn't."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], str | None]]:
    """Yield a file's content as a seekable file, and how it was compressed.

    Raises:
        InputError: it is empty, damaged, a bomb, or holds no single file.
    """
    with path.open("rb") as file:
        head = file.read(8)
        if not head:
            raise InputError(f"{path}: empty file (0 bytes)", "Export the data again.")
        how = packed(head)
        if how is None:
            file.seek(0)
            yield file, None
            return
        with tempfile.TemporaryFile() as whole:
            _unpack(path, file, how, whole)
            whole.seek(0)
            inner = packed(whole.read(8))
            if inner is not None:
                fault = f"{path}: {inner} within {how}: compressed twice"
                raise InputError(fault, "Unpack it once, then give what is inside.")
            whole.seek(0)
            yield whole, how


def _unpack(path: Path, file: IO[bytes], how: str, target: IO[bytes]) -> None:
    size = path.stat().st_size
    limit = min(LARGEST, max(ALWAYS, RATIO * size))
    file.seek(0)
    total = 0
    try:
        with _stream(path, file, how) as stream:
            while block := stream.read(BLOCK):
                total += len(block)
                if total > limit:
                    raise InputError(
                        f"{path}: unpacks to more than {limit / GIB:,.2f} GiB from {size:,} bytes",
                        "If that is right, unpack it yourself and give what is inside.",
                    )
                target.write(block)
    except TORN as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        told = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: damaged {how}: {told}", "Copy or export it again.") from error
    if total == 0:
        raise InputError(f"{path}: nothing is in it", "Export the data again.")


def _stream(path: Path, file: IO[bytes], how: str) -> Any:
    if how == "gzip":
        return gzip.GzipFile(fileobj=file)
    if how == "bzip2":
        return bz2.BZ2File(file)
    if how == "xz":
        return lzma.LZMAFile(file)
    archive = zipfile.ZipFile(file)
    members = [
        item
        for item in archive.infolist()
        if not item.is_dir()
        and not Path(item.filename).name.startswith((".", "__MACOSX"))
        and "__MACOSX" not in item.filename
    ]
    if any(item.filename == "[Content_Types].xml" for item in members):
        raise InputError(f"{path}: an Excel or Word file", "Export it as CSV or Parquet.")
    if len(members) != 1:
        named = ", ".join(repr(item.filename) for item in members[:5])
        more = f" ({named}{', …' if len(members) > 5 else ''})" if members else ""
        remedy = "Unpack it into a folder and give that." if members else "Pack the data again."
        raise InputError(f"{path}: holds {len(members)} files{more}, not one", remedy)
    if members[0].flag_bits & 1:
        raise InputError(f"{path}: is encrypted", "Unpack it yourself and give what is inside.")
    return archive.open(members[0])
