"""Files and folders that DVC tracks by themselves, and what dvc.lock says of an output."""

from pathlib import Path

from perennial.adapters.dag.opening import opened
from perennial.errors import IntegrityError


def md5_in_lock(path: Path) -> str | None:
    """Return the MD5 that dvc.lock has for an output; None if it has none."""
    with opened() as repo:
        from dvc.exceptions import OutputNotFoundError

        try:
            (output,) = repo.find_outs_by_path(str(path))
        except OutputNotFoundError:
            return None
        return output.hash_info.value if output.hash_info else None


def track(path: Path) -> None:
    """Put `path` as it is now into DVC's cache, and its digest into `<path>.dvc`."""
    # DVC writes it in place, and refuses to do anything beside one that a kill has torn
    _pointer(path).unlink(missing_ok=True)
    with opened() as repo:
        repo.add([str(path)])


def is_tracked(path: Path) -> bool:
    """Return whether `<path>.dvc` is there and `path` is what it tracks."""
    pointer = _pointer(path)
    if not pointer.is_file():
        return False
    with opened() as repo:
        try:
            return not repo.status(targets=[str(pointer)])
        except (OSError, ValueError):  # what it tracks is damaged, here or in the cache
            return False


def fetch(path: Path) -> None:
    """Bring `path` as `<path>.dvc` has it, from DVC's cache or else its remote.

    Raises:
        IntegrityError: it can't be had.
        UnreachableError: another run is at work.
    """
    pointer = _pointer(path)
    if not pointer.is_file():
        raise IntegrityError(
            f"{path}: can't be fetched, as {pointer}, which names its bytes, is no file",
            f"Restore it from Git (`git checkout {pointer}`), then run again.",
        )
    with opened() as repo:
        from dvc.exceptions import DvcException
        from dvc.lock import LockError

        targets = [str(pointer)]
        try:
            try:
                repo.checkout(targets=targets, force=True)
            except LockError:
                raise
            except (DvcException, OSError):  # the cache has it not, or not whole
                repo.fetch(targets=targets)
                repo.checkout(targets=targets, force=True)
        except LockError:
            raise
        except (DvcException, OSError) as error:
            raise IntegrityError(
                f"{path}: neither in DVC's cache nor to be had from a remote: {error}",
                f"Fetch it from where it was pushed to (`dvc pull {pointer}`), then run again.",
            ) from error


def _pointer(path: Path) -> Path:
    return path.with_name(f"{path.name}.dvc")
