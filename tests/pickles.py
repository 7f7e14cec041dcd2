"""Finds pickles by their opcodes: whole files, members of archives, what is compressed, and streams
that start in the middle of something else."""

import bz2
import gzip
import io
import lzma
import pickletools
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

# what makes an object of a class or calls something: a pickle without is mere data
ACTS = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD"}
ACTS |= {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"}
HEADER = re.compile(rb"\x80[\x02-\x05]")
OBJECTS = re.compile(rb"\x93NUMPY.{4,8}\{'descr': .{0,200}O", re.DOTALL)  # an array that holds some
DEEP = 4


def pickles_below(folder: Path) -> list[str]:
    """Return each file below a folder that is or holds a pickle, with where in it."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    return [f"{file}: {where}" for file in files for where in pickles_in(file.read_bytes())]


def pickles_in(content: bytes, deep: int = DEEP) -> Iterator[str]:
    """Yield where there is a pickle in some bytes."""
    if _is_stream(content, 0):
        yield "a pickle"
    yield from (
        f"a pickle at byte {match.start()}"
        for match in HEADER.finditer(content, 1)
        if _is_stream(content, match.start())
    )
    if OBJECTS.search(content):
        yield "an array of pickled objects"
    if deep:
        for name, member in _inside(content):
            yield from (f"{name}: {where}" for where in pickles_in(member, deep - 1))


def _is_stream(content: bytes, start: int) -> bool:
    names = []
    try:
        for opcode, _, _ in pickletools.genops(io.BytesIO(content[start:])):
            names.append(opcode.name)
    except Exception:
        return False
    headed = names[0] == "PROTO" and len(names) > 2
    return bool(ACTS & set(names)) or (start == 0 and headed)


def _inside(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an archive and what is compressed."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress, zlib.decompress):
        try:
            yield unpack.__module__, unpack(content)
        except Exception:
            continue
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                if (file := archive.extractfile(member)) is not None:
                    yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError):
        return
