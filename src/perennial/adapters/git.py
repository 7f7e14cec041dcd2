"""Git: which commit the code is at, and whether it differs from it."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path


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


def author() -> str | None:
    """Return the user's name as Git has it, or None."""
    return (_git(Path(), "config", "user.name") or "").strip() or None


def past(path: Path, most: int = 50) -> Iterator[str]:
    """Yield a file's text as the commits that changed it have it, newest first."""
    commits = (_git(Path(), "log", f"-{most}", "--format=%H", "--", str(path)) or "").split()
    for each in commits:
        text = _git(Path(), "show", f"{each}:./{path.as_posix()}")
        if text is not None:
            yield text


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what Git says, or None where it can't: not installed, or not a repository."""
    # without the optional locks, `status` never gets in the way of the user's own git
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
