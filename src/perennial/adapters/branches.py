"""Branches of a Git remote, written without leaving the branch that is checked out.

The commit is made from an index of its own, so that neither the user's index nor their branch is
touched, and a kill leaves nothing but objects that Git will collect.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perennial.errors import InputError, UnreachableError

PATIENCE = 300  # seconds for the remote


@dataclass(frozen=True)
class Tip:
    """The newest commit of a branch: its name, its parents and its message."""

    commit: str
    parents: Sequence[str]
    message: str


def base() -> str:
    """Return the commit that is checked out.

    Raises:
        InputError: this is no repository, or one without a commit.
    """
    return _git("rev-parse", "--verify", "HEAD^{commit}")


def changed(paths: Sequence[str] = (), ignoring: Sequence[str] = ()) -> list[str]:
    """Return what differs from the commit that is checked out, untracked files included.

    Args:
        paths: Files and folders to look at; all if empty.
        ignoring: Files and folders that don't count.
    """
    exceptions = [f":(exclude,literal){path}" for path in ignoring]
    wanted = [f":(literal){path}" for path in paths] or ["."]
    options = ("--porcelain", "-z", "--no-renames", "--untracked-files=all")
    entries = _git("status", *options, "--", *wanted, *exceptions, strip=False)
    return sorted(entry[3:] for entry in entries.split("\0") if entry)


def committed(path: str, commit: str = "HEAD") -> str | None:
    """Return a file's text as a commit has it; None if it is not there."""
    try:
        return _git("show", f"{commit}:./{path}", strip=False)
    except InputError:
        return None


def tip(remote: str, branch: str) -> Tip | None:
    """Return the newest commit of a remote's branch, fetched; None if there is no such branch.

    Raises:
        UnreachableError: the remote can't be reached.
    """
    reference = f"refs/heads/{branch}"
    listed = _remote("ls-remote", "--refs", remote, reference).split()
    if not listed:
        return None
    _remote("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, reference)
    commit = listed[0]
    parents, _, message = _git("log", "-1", "--format=%P%n%B", commit).partition("\n")
    return Tip(commit, parents.split(), message)


def commit(paths: Sequence[str], message: str) -> str:
    """Return a new commit on top of what is checked out, with `paths` as they are now."""
    top = base()
    with tempfile.TemporaryDirectory(prefix="perennial-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git("read-tree", top, environment=index)
        _git("add", "--all", "--", *(f":(literal){path}" for path in paths), environment=index)
        tree = _git("write-tree", environment=index)
    return _git("commit-tree", tree, "-p", top, "-m", message)


def differing(one: str, other: str) -> list[str]:
    """Return the files in which two commits differ."""
    names = _git("diff", "--name-only", "--relative", "-z", one, other)
    return [name for name in names.split("\0") if name]


def push(remote: str, branch: str, commit: str, over: str | None) -> None:
    """Make a commit the tip of a remote's branch, if its tip is still what `over` says.

    Args:
        remote: The remote.
        branch: The branch.
        commit: Its new tip.
        over: Its tip until now; None if there is no such branch.

    Raises:
        UnreachableError: the remote can't be reached, or refuses.
    """
    reference = f"refs/heads/{branch}"
    lease = f"--force-with-lease={reference}:{over or ''}"
    _remote("push", "--quiet", lease, remote, f"{commit}:{reference}")


def _git(*arguments: str, environment: Mapping[str, str] | None = None, strip: bool = True) -> str:
    done = _run(arguments, environment or {})
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:300]
        raise InputError(f"git {arguments[0]}: {said}", "Put right what Git names, then run again.")
    return done.stdout.strip() if strip else done.stdout


def _remote(*arguments: str) -> str:
    try:
        done = _run(arguments, {"GIT_TERMINAL_PROMPT": "0"}, PATIENCE)
    except subprocess.TimeoutExpired:
        raise UnreachableError(
            f"git {arguments[0]}: no answer within {PATIENCE} s", "Run again later."
        ) from None
    if done.returncode != 0:
        # an address may hold a token, and Git quotes the address
        said = " ".join(word for word in done.stderr.split() if "://" not in word)[:300]
        raise UnreachableError(
            f"git {arguments[0]}: {said}", "Check Git's remote and its credentials, then run again."
        )
    return done.stdout


def _run(
    arguments: Sequence[str], environment: Mapping[str, str], timeout: float | None = None
) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            ["git", *arguments],
            env={**os.environ, "LC_ALL": "C", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except OSError as error:
        raise InputError(f"git can't be run: {error}", "Install Git.") from error
