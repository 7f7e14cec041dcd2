"""Git: which commit the code is at, what of it differs, and any commit's files in another folder.

Nothing here touches the user's index, branch or working tree.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from perennial.errors import IntegrityError

HASH = re.compile("[0-9a-f]{40,64}")
# whatever the user's own configuration says of how a difference is to look
PLAIN = (
    *("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--relative"),
)


def commit(folder: Path = Path()) -> str | None:
    """Return the commit that `folder` is at; None outside of a repository or before its first."""
    answer = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    return answer.strip() if answer else None


def dirty(folder: Path = Path(), ignoring: Sequence[Path] = ()) -> bool | None:
    """Return whether anything in `folder` differs from the commit; None where there is none.

    Args:
        folder: A folder of the repository.
        ignoring: Files and folders below it that don't count, for example what a run writes.
    """
    if commit(folder) is None:
        return None
    exceptions = [f":(exclude,literal){path.as_posix()}" for path in ignoring]
    answer = _git(folder, "status", "--porcelain", "--", ".", *exceptions)
    return None if answer is None else bool(answer.strip())


def changed(wanted: Sequence[Path], folder: Path = Path()) -> dict[str, str]:
    """Return what of `wanted`, files and folders, differs from the commit, and how.

    Returns:
        `modified`, `deleted` or `new` by path. What .gitignore names is never among them.
    """
    listed = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    answer = _git(folder, *listed, "--", *_literal(wanted)) or ""
    prefix = _prefix(folder)  # `status` names files from the repository's top
    found = {}
    for entry in filter(None, answer.split("\0")):
        path = entry[3:].removeprefix(prefix)
        state = "modified" if (folder / path).exists() else "deleted"
        found[path] = "new" if entry.startswith("??") else state
    return dict(sorted(found.items()))


def diff(wanted: Sequence[Path], folder: Path = Path()) -> bytes | None:
    """Return the difference of `wanted`, files new or old, to the commit, as `apply` takes it; None
    where Git can't write it."""
    if not wanted:
        return b""
    with tempfile.TemporaryDirectory(prefix="perennial-") as temporary:
        index = {"GIT_INDEX_FILE": str(Path(temporary) / "index")}
        if _bytes(folder, "read-tree", "HEAD", environment=index) is None:
            return None
        there = [path for path in wanted if (folder / path).exists()]
        if there:  # new files by name alone: no object is written
            options = ("add", "--intent-to-add", "--")
            if _bytes(folder, *options, *_literal(there), environment=index) is None:
                return None
        arguments = ("diff", *PLAIN, "HEAD", "--", *_literal(wanted))
        return _bytes(folder, *arguments, environment=index)


def show(revision: str, path: Path) -> bytes | None:
    """Return a file's content as a commit has it; None if it is not there."""
    return _bytes(Path(), "show", f"{revision}:./{path.as_posix()}")


def commits_of(wanted: Sequence[Path]) -> list[str]:
    """Return the commits that changed any of `wanted`, newest first; none without a repository."""
    return (_git(Path(), "log", "--format=%H", "--", *_literal(wanted)) or "").split()


def extract(revision: str, folder: Path) -> None:
    """Write a commit's files of this project into `folder`, which knows of no repository.

    Raises:
        IntegrityError: the commit is not in the repository, or not whole.
    """
    target = f"{folder.resolve()}/"
    with tempfile.TemporaryDirectory(prefix="perennial-") as temporary:
        index = {"GIT_INDEX_FILE": str(Path(temporary) / "index")}
        tree = f"{revision}:{_prefix(Path())}"
        read = None
        if HASH.fullmatch(revision):  # it comes from a record, and must be no option
            read = _bytes(Path(), "read-tree", tree, environment=index)
        written = ("checkout-index", "--all", "--force", f"--prefix={target}")
        # from the top, or Git would write only what is below the current folder
        top = Path((_git(Path(), "rev-parse", "--show-toplevel") or ".").strip())
        if read is None or _bytes(top, *written, environment=index) is None:
            raise IntegrityError(
                f"commit {revision[:12]}: not to be had from this repository",
                "Fetch it (`git fetch --all`, in a shallow clone `git fetch --unshallow`), then "
                "run again.",
            )


def apply(difference: bytes, folder: Path) -> None:
    """Apply what `diff` returned to the files in `folder`.

    Raises:
        IntegrityError: it does not fit them.
    """
    # within another repository `git apply` would take the paths for that one's, and skip them all
    apart = {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)}
    arguments = ("apply", "--whitespace=nowarn", "-")
    if _bytes(folder, *arguments, environment=apart, given=difference) is None:
        raise IntegrityError(
            "the recorded difference to the commit does not fit the commit",
            "The record was changed, or the commit is another than the one it was made from.",
        )


def author() -> str | None:
    """Return the user's name as Git has it, or None."""
    return (_git(Path(), "config", "user.name") or "").strip() or None


def past(path: Path, most: int = 50) -> Iterator[str]:
    """Yield a file's text as the commits that changed it have it, newest first."""
    for each in commits_of((path,))[:most]:
        content = show(each, path)
        if content is not None:
            yield content.decode()


def _prefix(folder: Path) -> str:
    """Return where in its repository a folder is: empty at the top, else ending with a slash."""
    return (_git(folder, "rev-parse", "--show-prefix") or "").strip()


def _literal(wanted: Sequence[Path]) -> list[str]:
    return [f":(literal){path.as_posix()}" for path in wanted]


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what Git says, or None where it can't: not installed, or not a repository."""
    answer = _bytes(folder, *arguments)
    return None if answer is None else answer.decode("utf-8", errors="surrogateescape")


def _bytes(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    given: bytes | None = None,
) -> bytes | None:
    # without the optional locks, `status` never gets in the way of the user's own git
    settings = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(environment or {})}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=settings,
            input=given or b"",
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
