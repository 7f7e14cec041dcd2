"""DVC's remotes: bring what the lock names from one, take it there; and how metrics changed."""

import contextlib
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from perennial.adapters.dag.opening import opened
from perennial.errors import InputError, UnreachableError
from perennial.params.privacy import secret_in

if TYPE_CHECKING:
    from dvc.repo import Repo

EXTRAS = {"s3": "s3", "gs": "gs", "gcs": "gs", "azure": "azure", "ssh": "ssh"}
SECRET_OPTIONS = {"password", "secret_access_key", "session_token", "connection_string"}
SECRET_OPTIONS |= {"account_key", "sas_token", "client_secret", "gdrive_client_secret", "token"}
USER = re.compile(r"(?<=://)[^/@\s]+@")
ANSWER = 10  # seconds for a server's first answer
ADD = "Add one, for example `dvc remote add -d store s3://bucket/folder`, and commit .dvc/config."


def remote_name(wanted: str | None = None) -> str | None:
    """Return the name of the remote that is meant: the one wanted, else DVC's default, if any.

    Raises:
        InputError: there is no remote of the wanted name, or Git would have its secrets.
    """
    with opened() as repo:
        known = sorted(repo.config["remote"])
        name: str | None = wanted or repo.config["core"].get("remote")
        if name is not None and name not in known:
            there = f"there is {', '.join(known)}" if known else "there is none"
            raise InputError(f"DVC's remote {name}: no such remote; {there}", ADD)
        if name is not None:
            _require_no_secret(repo, name)
        return name


def _require_no_secret(repo: "Repo", name: str) -> None:
    """Check that what Git has of a remote's configuration holds no secret."""
    settings = repo.config.load_one("repo").get("remote", {}).get(name, {})
    faults = [
        f".dvc/config: remote {name}: {option} is a secret, and Git would have it"
        for option in sorted(SECRET_OPTIONS & set(settings))
    ]
    if found := secret_in(str(settings.get("url", ""))):
        faults.append(f".dvc/config: remote {name}: url {found}, and Git would have it")
    if faults:
        raise InputError(
            faults,
            "Take it out; the environment has credentials (docs/retraining-in-ci.md), or "
            "`dvc remote modify --local`.",
        )


def pull(remote: str) -> int:
    """Bring what dvc.lock and the .dvc files name, and DVC's cache of runs, from a remote.

    Returns:
        How many outputs are still not here, or not whole, and so are to be computed.

    Raises:
        InputError: the remote is set up wrongly, or what it takes is not installed.
        UnreachableError: it can't be reached, or refuses.
    """
    with opened() as repo:
        from dvc.exceptions import DownloadError, DvcException

        with told(repo, remote):
            require_answer(repo, remote)
            with contextlib.suppress(DownloadError):  # counted below
                repo.fetch(remote=remote, run_cache=True)
        # what is here and differs from the lock is left: the run will see to it
        with contextlib.suppress(DvcException):
            repo.checkout(allow_missing=True)
        return sum(out.use_cache and out.changed_cache() for out in repo.index.outs)


def push(remote: str) -> int:
    """Take what dvc.lock and the .dvc files name, and DVC's cache of runs, to a remote.

    Returns:
        How many objects it did not have.

    Raises:
        InputError: the remote is set up wrongly, or what it takes is not installed.
        UnreachableError: it can't be reached, or refuses.
    """
    with opened() as repo, told(repo, remote):
        require_answer(repo, remote)
        return int(repo.push(remote=remote, run_cache=True))


def metrics_diff(base: str, targets: Sequence[Path]) -> str:
    """Return DVC's table, in Markdown, of how metrics differ from those of a commit; "" if not."""
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "dvc", "metrics", "diff", "--md", "--no-path", base),
            *("--targets", *map(str, targets)),
        ],
        env={**os.environ, "DVC_NO_ANALYTICS": "1", "ITERATIVE_DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() if answer.returncode == 0 else ""


def require_answer(repo: "Repo", remote: str) -> None:
    """Ask the remote for its own folder: DVC takes some refusals for objects that are missing."""
    address = repo.config["remote"][remote]["url"]
    if urlsplit(address).scheme in ("http", "https"):  # here even no answer would count as that
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(address, timeout=ANSWER).close()  # noqa: S310
        return
    odb = repo.cloud.get_remote_odb(name=remote)
    odb.fs.exists(odb.path)


@contextlib.contextmanager
def told(repo: "Repo", remote: str) -> Iterator[None]:
    """Turn what a remote's libraries raise into an error that says what to do."""
    from dvc.config import ConfigError
    from dvc.fs import ConfigError as StorageConfigError
    from dvc.fs import RemoteMissingDepsError
    from dvc.lock import LockError

    try:
        yield
    except LockError:
        raise
    except (ImportError, RemoteMissingDepsError) as error:
        scheme = urlsplit(repo.config["remote"][remote]["url"]).scheme
        extra = EXTRAS.get(scheme, scheme)
        raise InputError(
            f"DVC's remote {remote}: what reaches {scheme}:// is not installed",
            f"`make remote EXTRA={extra}`, or pip install 'dvc[{extra}]'.",
        ) from error
    except (ConfigError, StorageConfigError) as error:
        raise InputError(
            f"DVC's remote {remote}: {_line(error)}", "`dvc remote modify` puts it right."
        ) from error
    except Exception as error:  # each storage's library raises its own
        raise UnreachableError(
            f"DVC's remote {remote} can't be reached, or refuses: {_line(error)}",
            "Check its address and the credentials in the environment, then run again.",
        ) from error


def _line(error: Exception) -> str:
    plain = USER.sub("", str(error))  # an address may hold a password
    return " ".join(plain.split())[:300] or type(error).__name__
