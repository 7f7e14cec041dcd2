"""DVC: which stages there are and in what order, running one of them, and objects by path.

No list of stages is held anywhere but in dvc.yaml; whoever runs them asks here.
"""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import files
from perennial.errors import InputError, IntegrityError, PerennialError

if TYPE_CHECKING:
    from dvc.repo import Repo

OWN_FAULT = 70  # sysexits.h EX_SOFTWARE: a stage died without saying why
RWLOCK = Path(".dvc/tmp/rwlock")


class StageFailedError(PerennialError):
    """A stage failed; it carries the stage's own exit code and message."""

    def __init__(self, stage: str, code: int, message: str) -> None:
        self.stage = stage
        self.exit_code = code  # type: ignore[misc]  # of this failure, not of the class
        super().__init__(message or f"{stage}: exit code {code}", f"See {log_of(stage)}.")
        self.message = message


def log_of(stage: str) -> Path:
    """Return where a stage's own output is kept."""
    return paths.LOGS / f"{stage}.log"


def environment() -> dict[str, str]:
    """Return what DVC and the stages need: this interpreter first on PATH, and no telemetry."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "DVC_NO_ANALYTICS": "1",
        "ITERATIVE_DO_NOT_TRACK": "1",
    }


def stages() -> list[str]:
    """Return the names of the pipeline's stages in the order in which DVC would run them.

    Raises:
        InputError: dvc.yaml is missing or wrong, or this is no DVC project.
    """
    with _repo() as repo:
        from dvc.repo.reproduce import get_active_graph, plan_repro

        found = repo.stage.collect("dvc.yaml")
        return [stage.addressing for stage in plan_repro(get_active_graph(repo.index.graph), found)]


def run_stage(name: str) -> bool:
    """Run one stage if it is stale; its output goes to `log_of(name)`.

    Returns:
        Whether it ran.

    Raises:
        StageFailedError: it failed; with the exit code and message that it left.
        InputError: another run is at work in this folder, or DVC refuses.
    """
    from dvc.exceptions import DvcException, ReproductionError
    from dvc.lock import LockError

    status = paths.STATUS / f"{name}.json"
    status.unlink(missing_ok=True)
    _heal_lock()
    try:
        with _repo() as repo, _output_to(log_of(name)):
            return bool(repo.reproduce(name, single_item=True))
    except ReproductionError as error:
        raise _failure(name, status, error) from error
    except LockError as error:
        raise InputError(
            f"{Path.cwd()}: another run is at work here", "Wait until it has ended."
        ) from error
    except DvcException as error:
        raise InputError(f"{name}: DVC: {error}", "Correct dvc.yaml, or what it names.") from error


def stale() -> list[str]:
    """Return the stages that `dvc repro` would run, but for those that always run."""
    with _repo() as repo, _output_to(Path(os.devnull)):
        found: dict[str, Any] = repo.status()
    return sorted(name for name, changes in found.items() if changes != ["always changed"])


def recorded_md5(path: Path) -> str | None:
    """Return the MD5 that dvc.lock has for an output, or None if it has none."""
    from ruamel.yaml import YAML

    lock = Path("dvc.lock")
    content: Any = YAML(typ="safe").load(lock.read_text()) if lock.exists() else {}
    for stage in (content or {}).get("stages", {}).values():
        for out in stage.get("outs", []):
            if out["path"] == path.as_posix():
                return str(out["md5"])
    return None


def track(path: Path) -> None:
    """Put a folder under DVC by a .dvc file of its own, so that it can be pushed and fetched."""
    _heal_lock()
    with _repo() as repo, _output_to(Path(os.devnull)):
        repo.add([str(path)])


def fetch(path: Path) -> None:
    """Bring a tracked folder back from DVC's cache or remote, as its .dvc file names it.

    Raises:
        IntegrityError: it is not tracked, or neither cache nor remote has it whole.
    """
    from dvc.exceptions import DvcException

    pointer = path.with_name(f"{path.name}.dvc")
    remedy = "Fetch it where it is (`dvc pull`), or name another champion in champion.json."
    if not pointer.is_file():
        raise IntegrityError(f"{path}: not here, and there is no {pointer} to fetch it by", remedy)
    try:
        with _repo() as repo, _output_to(Path(os.devnull)):
            if not repo.cloud.repo.config["core"].get("remote"):
                repo.checkout([str(pointer)], force=True)
            else:
                repo.pull([str(pointer)], force=True)
    except (DvcException, OSError) as error:
        raise IntegrityError(f"{path}: can't be fetched: {error}", remedy) from error


@contextlib.contextmanager
def _repo() -> "Iterator[Repo]":
    os.environ.update(environment())
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo

    logging.getLogger("dvc").setLevel(logging.WARNING)  # a stage's log is for the stage's words
    try:
        with Repo(".") as repo:
            yield repo
    except NotDvcRepoError as error:
        raise InputError(
            f"{Path.cwd()}: no DVC project", "Run in the folder that has dvc.yaml and .dvc."
        ) from error
    except DvcException as error:
        if "dvc.yaml" not in str(error):
            raise
        raise InputError(f"dvc.yaml: {error}", "Restore it from Git, or correct it.") from error


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Send what this process and its children print to a file: stages inherit DVC's output."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, original in enumerate(kept, start=1):
            os.dup2(original, number)
            os.close(original)
        os.close(target)


def _heal_lock() -> None:
    """Remove a lock file that a kill left torn (DVC issue 7615); a live run's is whole."""
    try:
        json.loads(RWLOCK.read_text() or "{}")
    except FileNotFoundError:
        return
    except ValueError:
        RWLOCK.unlink()


def _failure(name: str, status: Path, error: Exception) -> PerennialError:
    cause = error.__cause__ or error
    if not status.exists():
        return StageFailedError(name, OWN_FAULT, f"{name}: died without a word: {cause}")
    left = files.read_json(status, "Run again.")
    if left["exit_code"] == 0:  # the stage did its work, and DVC could not keep it
        remedy = "Make room, or mend what it names, then run the same command again."
        return InputError(f"{name}: DVC can't keep its outputs: {cause}", remedy)
    return StageFailedError(name, left["exit_code"], left["message"])
