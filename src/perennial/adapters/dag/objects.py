"""DVC's objects by their MD5, from its cache or else a remote, without anything being checked out:
what a lock file of long ago names."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.adapters import files
from perennial.adapters.dag.opening import opened
from perennial.adapters.dag.remotes import require_answer, told

if TYPE_CHECKING:
    from dvc.repo import Repo

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


def _copied(odb: Any, md5: str, target: Path) -> bool:
    try:
        with files.replacing(target) as temporary:
            odb.fs.get_file(odb.oid_to_path(md5), str(temporary))
    except FileNotFoundError:
        return False
    return True
