"""DVC's objects by their MD5: bytes that no dvc.lock and no .dvc file here names any more."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.adapters import files
from perennial.adapters.dag.opening import opened
from perennial.errors import IntegrityError

if TYPE_CHECKING:
    from dvc.repo import Repo

REMEDY = "Add the remote that it was pushed to (`dvc remote add`), then run again."


def read_object(md5: str) -> bytes:
    """Return a file's bytes from DVC's cache, or else its remote.

    Raises:
        IntegrityError: it can't be had.
        UnreachableError: another run is at work.
    """
    with opened() as repo:
        return Path(_had(repo, md5).path).read_bytes()


def restore(md5: str, folder: Path) -> None:
    """Write a folder's files from DVC's cache, or else its remote, into a new `folder`.

    Raises:
        IntegrityError: it can't be had.
        UnreachableError: another run is at work.
    """
    with opened() as repo:
        for key, _, info in _had(repo, md5):
            if not all(part == Path(part).name for part in key):  # it would leave the folder
                raise IntegrityError(f"DVC: {md5}: holds {'/'.join(key)!r}, no name", REMEDY)
            files.write_bytes(folder.joinpath(*key), Path(_had(repo, info.value).path).read_bytes())


def _had(repo: "Repo", md5: str) -> Any:
    """Return an object that is in the cache by now, which checks that its bytes are its own."""
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc_data.hashfile import check, load
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_objects.errors import ObjectFormatError

    wanted, cache = HashInfo("md5", md5), repo.cache.local
    for fetching in (False, True):
        try:
            if fetching:
                repo.cloud.pull([wanted])
            found = load(cache, wanted)
            check(cache, found)
        except LockError:
            raise
        except (DvcException, ObjectFormatError, OSError, ValueError) as error:
            if fetching:
                raise IntegrityError(
                    f"DVC: {md5}: neither in the cache nor to be had from a remote: {error}",
                    REMEDY,
                ) from error
        else:
            return found
    raise AssertionError("unreachable")
