"""DVC: the stages of dvc.yaml in DVC's own order, what is stale, and what it tracks by digest.

Only this file imports DVC. Two functions that it leans on, `_reproduce_stage` and `prepare_kwargs`,
are not in DVC's documented API; tests/integration/test_dag.py holds both to what is expected here.
"""

import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from perennial import paths
from perennial.errors import InputError, IntegrityError, PerennialError, UnreachableError

if TYPE_CHECKING:
    from dvc.repo import Repo

Outcome = Literal["ran", "restored", "unchanged"]
Say = Callable[[str], None]

LOCK = Path("dvc.lock")
LOGS = paths.STATE / "logs"
BUSY = "Wait until it has ended, then run the same command again."


class BlockedError(PerennialError):
    """A gate blocks (exit 1)."""

    exit_code: ClassVar[int] = 1


class CrashedError(PerennialError):
    """A fault of Perennial's own or of the machine, not of the user's input (exit 70)."""

    exit_code: ClassVar[int] = 70


CODES: dict[int, type[PerennialError]] = {
    kind.exit_code: kind for kind in (BlockedError, InputError, IntegrityError, UnreachableError)
}


class Step:
    """A stage whose turn it is. Whoever is given it calls `run`, more than once if that helps."""

    def __init__(self, name: str, run: Callable[[Say], Outcome]) -> None:
        self.name = name
        self._run = run

    def run(self, say: Say) -> Outcome:
        """Have DVC bring the stage up to date.

        Args:
            say: Is given each line that the stage prints, while it runs, from another thread.

        Returns:
            `ran`; `restored` if DVC had the outputs of these very inputs; or `unchanged`.

        Raises:
            PerennialError: the stage failed; of the class that its exit code stands for.
        """
        return self._run(say)


def walk(visit: Callable[[Step], None], keep_open: Sequence[int] = ()) -> None:
    """Have DVC walk the stages in its own order; `visit` is given each one when its turn has come.

    Args:
        visit: Calls `run` of the step it is given; what it raises ends the walk.
        keep_open: Descriptors that the stages inherit, so that a lock lasts as long as they do.

    Raises:
        InputError: there is no DVC project here, or dvc.yaml is wrong.
        UnreachableError: another run is at work.
    """
    with _dvc() as repo:
        from dvc.exceptions import ReproductionError
        from dvc.repo.reproduce import _reproduce_stage

        def turn(stage: Any, **options: Any) -> Any:
            name = stage.addressing

            def run(say: Say) -> Outcome:
                with _captured(name, say, keep_open) as started, _explaining(name):
                    changed = _reproduce_stage(stage, **options)
                return "unchanged" if changed is None else "ran" if started else "restored"

            if stage.is_data_source:  # a tracked file, not a stage of the pipeline
                return _reproduce_stage(stage, **options)
            visit(Step(name, run))
            return stage

        # `python` in dvc.yaml is this one, whether or not its environment is activated
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        try:
            repo.reproduce(repro_fn=turn, run_env={"PATH": path, "PYTHONUNBUFFERED": "1"})
        except ReproductionError as error:
            raise error.__cause__ or error from None


def stages() -> list[str]:
    """Return the names of the stages, in an order in which they can be run."""
    with _dvc() as repo:
        import networkx as nx

        ordered = nx.dfs_postorder_nodes(repo.index.graph)
        return [stage.addressing for stage in ordered if not stage.is_data_source]


def stale() -> dict[str, list[str]]:
    """Return the stages that something changed for since they last ran, each with what changed.

    A stage below a stale one is not stale yet: it is if the one above comes out different. A
    stage that always runs is not for that.
    """
    with _dvc() as repo:
        found = {}
        for name, entries in repo.status().items():
            changes = [change for entry in entries for change in _changes(entry)]
            if changes and not name.endswith(".dvc"):
                found[name] = changes
        return {name: found[name] for name in stages_of(repo) if name in found}


def md5_in_lock(path: Path) -> str | None:
    """Return the MD5 that dvc.lock has for an output; None if it has none."""
    with _dvc() as repo:
        from dvc.exceptions import OutputNotFoundError

        try:
            (output,) = repo.find_outs_by_path(str(path))
        except OutputNotFoundError:
            return None
        return output.hash_info.value if output.hash_info else None


def track(path: Path) -> None:
    """Put `path` as it is now into DVC's cache, and its digest into `<path>.dvc`."""
    pointer = _pointer(path)
    with _dvc(without=pointer) as repo:
        repo.add([str(path)])


def is_tracked(path: Path) -> bool:
    """Return whether what `<path>.dvc` tracks is what is at `path`."""
    pointer = _pointer(path)
    if not pointer.is_file():
        return False
    with _dvc() as repo:
        return not repo.status(targets=[str(pointer)])


def fetch(path: Path) -> None:
    """Bring `path` as `<path>.dvc` has it, from DVC's cache or its remote, over what is there.

    Raises:
        IntegrityError: it can't be had.
        UnreachableError: another run is at work.
    """
    pointer = _pointer(path)
    remedy = f"`git checkout {pointer}` and `dvc pull {pointer}`, with the remote it was pushed to."
    if not pointer.is_file():
        raise IntegrityError(f"{path}: can't be fetched, {pointer}: no such file", remedy)
    with _dvc() as repo:
        from dvc.exceptions import DvcException
        from dvc.lock import LockError

        try:
            with contextlib.suppress(DvcException, FileNotFoundError):
                repo.checkout(targets=[str(pointer)], force=True)
                return
            repo.fetch(targets=[str(pointer)])
            repo.checkout(targets=[str(pointer)], force=True)
        except LockError:
            raise
        except (DvcException, OSError) as error:
            why = f"{path}: neither in DVC's cache nor to be had from its remote: {error}"
            raise IntegrityError(why, remedy) from error
