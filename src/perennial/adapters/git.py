"""Git: which commit the code is at, and whether it differs from it."""

import os
import subprocess
from collections.abc import Sequence
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


def changed(paths: Sequence[Path], folder: Path = Path()) -> list[str] | None:
    """Return which of some files and folders differ from the commit; None where there is none."""
    if commit(folder) is None:
        return None
    named = [f":(literal){path.as_posix()}" for path in paths]
    answer = _git(folder, "status", "--porcelain", "-z", "--no-renames", "--", *named)
    return None if answer is None else [line[3:] for line in answer.split("\0") if line]


def author() -> str | None:
    """Return the user's name as Git has it, or None."""
    return (_git(Path(), "config", "user.name") or "").strip() or None


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
