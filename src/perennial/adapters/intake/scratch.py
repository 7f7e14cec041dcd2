"""A folder of temporary files; what a kill leaves of one, the next that is made takes away."""

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from perennial.adapters import files
from perennial.errors import InputError

PREFIX = "perennial-rows-"
NEW = 60  # seconds in which a folder may have no lock yet
FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yield a new folder, which is gone afterwards."""
    _sweep(Path(tempfile.gettempdir()))
    with on_temporary_disk():
        made = tempfile.TemporaryDirectory(prefix=PREFIX)
    with made as name:
        handle = os.open(name, os.O_RDONLY)
        try:
            files.lock(handle)
            yield Path(name)
        finally:
            os.close(handle)


def new_file(inside: Path) -> Path:
    """Return an empty file of a name of its own."""
    handle, name = tempfile.mkstemp(".arrow", dir=inside)
    os.close(handle)
    return Path(name)


@contextlib.contextmanager
def on_temporary_disk() -> Iterator[None]:
    """Say of a full disk which one it is, and how to take another.

    Raises:
        InputError: the disk of temporary files is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise InputError(
            f"{tempfile.gettempdir()}: no room left for what was read",
            "Make room there, or set TMPDIR to a folder with more: about 12 bytes for each value, "
            "and twice what text takes.",
        ) from error


def _sweep(parent: Path) -> None:
    """Remove folders that no living process of this user holds."""
    for left in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another one removes it, or it isn't ours to remove
            found = left.lstat()
            if found.st_uid != os.getuid() or time.time() - found.st_mtime < NEW:
                continue
            handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if files.lock(handle):
                    shutil.rmtree(left)
            finally:
                os.close(handle)
