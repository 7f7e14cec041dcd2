"""DVC's objects by their MD5, from its cache or else a remote, without anything being checked out:
what a lock file of long ago names."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import names
from perennial.adapters import files
from perennial.adapters.dag.opening import opened
from perennial.adapters.dag.remotes import require_answer, told
from perennial.errors import IntegrityError

if TYPE_CHECKING:
    from dvc.repo import Repo

REMEDY = "Add the remote that it was pushed to (`dvc remote add`), then run again."
FOLDER = ".dir"  # ends the MD5 of a folder, whose object lists its files


class Store:
    """The cache of this project, and behind it a remote. It lasts as long as `store` yields it."""

    def __init__(self, repo: "Repo", remote: str | None) -> None:
        self._repo = repo
        self._remote = remote
        self._answered = False

    def copy(self, md5: str, target: Path) -> bool:
        """Copy an object to `target`; return whether it is to be had. Its user checks its bytes.

        Raises:
            UnreachableError: the remote can't be reached.
        """
        if _copied(self._repo.cache.local, md5, target):
            return True
        if self._remote is None:
            return False
        with told(self._repo, self._remote):
            if not self._answered:
                require_answer(self._repo, self._remote)
                self._answered = True
            return _copied(self._repo.cloud.get_remote_odb(name=self._remote), md5, target)

    def folder(self, md5: str | None, scratch: Path) -> dict[str, str]:
        """Return the MD5 of each file of a folder; none if it is no folder's, or not to be had.

        Args:
            md5: The folder's.
            scratch: Where its list may be written to.
        """
        if md5 is None or not md5.endswith(FOLDER) or not self.copy(md5, scratch):
            return {}
        entries: Any = json.loads(scratch.read_bytes())
        scratch.unlink()
        return {str(entry["relpath"]): str(entry["md5"]) for entry in entries}


@contextlib.contextmanager
def store(remote: str | None) -> Iterator[Store]:
    """Yield the objects of this project.

    Args:
        remote: The remote behind its cache; None for none.

    Raises:
        InputError: there is no DVC project here, or the remote is set up wrongly.
    """
    with opened() as repo:
        yield Store(repo, remote)


def read_object(md5: str) -> bytes:
    """Return a file's bytes from DVC's cache, or else its default remote.

    Raises:
        IntegrityError: it can't be had as it was.
        UnreachableError: another run is at work, or the remote can't be reached.
    """
    with _scratch() as (objects, scratch):
        return _whole(objects, md5, scratch / "object")


def restore(md5: str, folder: Path) -> None:
    """Write a folder's files from DVC's cache, or else its default remote, into a new `folder`.

    Raises:
        IntegrityError: it can't be had as it was.
        UnreachableError: another run is at work, or the remote can't be reached.
    """
    with _scratch() as (objects, scratch):
        listed = objects.folder(md5, scratch / "list")
        if not listed:
            raise IntegrityError(f"DVC: {md5}: neither in the cache nor in a remote", REMEDY)
        for name, of in listed.items():
            if fault := names.path_fault(name):
                raise IntegrityError(f"DVC: {md5}: holds a file whose name {fault}", REMEDY)
            files.write_bytes(folder / name, _whole(objects, of, scratch / "object"))


@contextlib.contextmanager
def _scratch() -> Iterator[tuple[Store, Path]]:
    with opened() as repo, tempfile.TemporaryDirectory() as folder:
        yield Store(repo, repo.config["core"].get("remote")), Path(folder)


def _whole(objects: Store, md5: str, scratch: Path) -> bytes:
    if not objects.copy(md5, scratch):
        raise IntegrityError(f"DVC: {md5}: neither in the cache nor in a remote", REMEDY)
    content = scratch.read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise IntegrityError(f"DVC: {md5}: the cache or remote has other bytes", REMEDY)
    return content


def _copied(odb: Any, md5: str, target: Path) -> bool:
    try:
        with files.replacing(target) as temporary:
            odb.fs.get_file(odb.oid_to_path(md5), str(temporary))
    except FileNotFoundError:
        return False
    return True
