"""DVC's repository, opened quietly, with what a killed run left broken put right."""

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.errors import BusyError, InputError

if TYPE_CHECKING:
    from dvc.repo import Repo


@contextlib.contextmanager
def opened(healing: bool = True) -> "Iterator[Repo]":
    """Yield DVC's repository of the current folder.

    Args:
        healing: Whether what a killed run left broken is put right first.

    Raises:
        InputError: there is none, or DVC refuses something that a person must put right.
        BusyError: another run is at work.
    """
    # no telemetry; said before DVC is imported, which is when it looks
    os.environ.update(DVC_NO_ANALYTICS="1", ITERATIVE_DO_NOT_TRACK="1")
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.lock import LockError
    from dvc.repo import Repo
    from dvc.scm import SCMError

    # what DVC warns of is raised too, or not the user's to act on; its bars would tear the summary
    for name in ("dvc", "dvc_objects", "dvc_data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with Repo() as repo:
            if healing:
                _heal(repo)
            yield repo
    except LockError as error:
        raise BusyError(
            f"another run is at work in this project: {error}",
            "Wait until it has ended, then run the same command again.",
        ) from error
    except (NotDvcRepoError, SCMError) as error:
        raise InputError(
            f"{Path.cwd()}: no project here: {error}",
            "Run this in the project's folder, a clone made by Git.",
        ) from error
    except DvcException as error:
        raise InputError(f"DVC: {error}", "Put right what it names, then run again.") from error


def broken() -> list[str]:
    """Return what a killed run left broken of DVC's state, and which lock a dead process holds."""
    with opened(healing=False) as repo:
        rwlock, lock = Path(repo.tmp_dir) / "rwlock", Path(repo.root_dir) / "dvc.lock"
        faults = []
        if not _is_rwlock(rwlock):
            faults.append(f"{_shown(rwlock)}: torn; DVC can't lock anything")
        elif gone := _gone(rwlock):
            faults.append(f"{_shown(rwlock)}: holds locks of {', '.join(gone)}, long gone")
        if not _is_lock_file(repo, lock):
            faults.append(f"{_shown(lock)}: torn")
        return faults


def release() -> None:
    """Put right what `broken` finds; a dvc.lock with a conflict of Git's stays as it is."""
    with opened() as repo:
        from dvc.lock import make_lock

        rwlock = Path(repo.tmp_dir) / "rwlock"
        with make_lock(f"{rwlock}.lock", tmp_dir=repo.tmp_dir):
            if _gone(rwlock):
                rwlock.unlink()


def _gone(rwlock: Path) -> list[str]:
    """Return the processes that hold locks and are no more; none if any of the holders lives."""
    import psutil

    held = json.loads(rwlock.read_bytes()) if rwlock.exists() else {}
    reading = [info for infos in held.get("read", {}).values() for info in infos]
    pids = sorted({int(info["pid"]) for info in [*held.get("write", {}).values(), *reading]})
    return [] if any(map(psutil.pid_exists, pids)) else [f"process {pid}" for pid in pids]


def _shown(path: Path) -> str:
    return os.path.relpath(path)


def _heal(repo: "Repo") -> None:
    """Put right what a run leaves broken that was killed while DVC wrote in place.

    Both files only remember: without the first DVC locks anew (its issue 7615), without the second
    it takes the outputs of each stage from its cache of runs.
    """
    from dvc.lock import make_lock

    rwlock, lock = Path(repo.tmp_dir) / "rwlock", Path(repo.root_dir) / "dvc.lock"
    if not _is_rwlock(rwlock):
        # whoever writes it holds this guard: what is still broken now is not half written
        with make_lock(f"{rwlock}.lock", tmp_dir=repo.tmp_dir):
            if not _is_rwlock(rwlock):
                rwlock.unlink()
    if not _is_lock_file(repo, lock):
        with repo.lock:
            if not _is_lock_file(repo, lock) and "<<<<<<<" not in lock.read_text("utf-8"):
                broken = Path(repo.root_dir) / paths.STATE / "dvc.lock.broken"
                broken.parent.mkdir(exist_ok=True)
                lock.replace(broken)


def _is_rwlock(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return True
    except ValueError:
        return False


def _is_lock_file(repo: "Repo", path: Path) -> bool:
    """Return whether DVC wrote the file to its end; cut at the end of a line it may parse."""
    from dvc.dvcfile import Lockfile
    from dvc.exceptions import DvcException

    if not path.exists():
        return True
    try:
        stages = Lockfile(repo, str(path)).load().get("stages") or {}
    except (DvcException, ValueError):
        return False
    last: dict[str, Any] = next(reversed(stages.values()), {})
    entry = [{}, *last.get("deps", []), *last.get("outs", [])][-1]
    sized = "md5" not in entry or "size" in entry
    counted = "nfiles" in entry or not str(entry.get("md5")).endswith(".dir")
    return path.read_bytes().endswith(b"\n") and sized and counted
