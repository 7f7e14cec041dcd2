"""One run at a time in a project: a lock that lasts as long as any process of the run does."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from perennial import paths
from perennial.errors import BusyError

PATH = paths.STATE / "run.lock"
INHERITED = "PERENNIAL_RUN_LOCK"  # set for the processes of a run: the descriptor that holds it


@contextlib.contextmanager
def alone(path: Path = PATH) -> Iterator[int]:
    """Hold the project's lock and yield its descriptor; a process of a run that holds it goes on.

    A descriptor that is passed on to child processes holds the lock too. So after a kill nobody
    starts a run beside a stage that is still at work.

    Raises:
        BusyError: another run holds it.
    """
    if inherited := os.environ.get(INHERITED):
        yield int(inherited)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise _busy(file.read().strip()) from None
        file.truncate(0)
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        file.write(f"process {os.getpid()}, since {now}")
        file.flush()
        try:
            yield file.fileno()
        finally:
            file.truncate(0)  # what names a process now was killed
            fcntl.flock(file, fcntl.LOCK_UN)  # also where a process left behind holds a copy


def left(path: Path = PATH) -> str:
    """Return what a run that was killed left in the lock; nothing where none was.

    Raises:
        BusyError: no, it is still at work.
    """
    if not path.exists():
        return ""
    with path.open() as file:
        said = file.read().strip()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(said) from None
        fcntl.flock(file, fcntl.LOCK_UN)
    return said


def _busy(said: str) -> BusyError:
    return BusyError(
        f"another run is at work in this project ({said})",
        "Wait until it has ended, then run the same command again.",
    )
