"""The stages in DVC's own order, each run by DVC while its output is read as it comes.

Two functions of DVC used here are not in its documented API: `_reproduce_stage`, so that a stage
can be tried again within one walk (a walk loads dvc.yaml and dvc.lock once, not once a stage), and
`prepare_kwargs`, so that a stage's output goes into a pipe rather than straight to the terminal.
tests/integration/test_dag.py holds both.
"""

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perennial import paths
from perennial.adapters.dag.failures import failure, forget
from perennial.adapters.dag.opening import opened

if TYPE_CHECKING:
    from dvc.repo import Repo

Outcome = Literal["ran", "restored", "unchanged"]
Say = Callable[[str], None]
Reproduce = Callable[[], Any]


class Step:
    """A stage whose turn it is. Whoever is given it calls `run`, again if a retry can help."""

    def __init__(self, name: str, reproduce: Reproduce, keep_open: Sequence[int]) -> None:
        self.name = name
        self.log = paths.LOGS / f"{name}.log"
        self._reproduce = reproduce
        self._keep_open = keep_open

    def run(self, say: Say) -> Outcome:
        """Have DVC bring the stage up to date.

        Args:
            say: Is given each line that the stage prints, as it comes and from another thread.

        Returns:
            `ran`; `restored`, if DVC has the outputs of these very inputs; or `unchanged`.

        Raises:
            PerennialError: it failed; of the class that its exit code stands for.
        """
        from dvc.stage.exceptions import StageCmdFailedError

        forget(self.name)
        try:
            with _captured(self.log, say, self._keep_open) as started:
                changed = self._reproduce()
        except StageCmdFailedError as error:
            raise failure(self.name, _answer(error), self.log) from error
        if started:
            return "ran"
        return "unchanged" if changed is None else "restored"


def walk(
    visit: Callable[[Step], None],
    keep_open: Sequence[int] = (),
    upto: Path | None = None,
    after: Path | None = None,
) -> None:
    """Have DVC walk the stages in its own order; `visit` is given each when its turn has come.

    Args:
        visit: Calls `run` of the step it is given; what it raises ends the walk.
        keep_open: Descriptors that stages inherit, so that a lock lasts as long as they do.
        upto: An output; only the stage that writes it is walked, and what that one needs.
        after: An output; only what comes of it is walked, as it is here, and no stage that always
            runs: such a stage acts on what is outside of the DAG.

    Raises:
        InputError: there is no DVC project here, or dvc.yaml is wrong.
        UnreachableError: another run is at work.
    """
    with opened() as repo:
        from dvc.exceptions import ReproductionError
        from dvc.repo.reproduce import _reproduce_stage

        def turn(stage: Any, **options: Any) -> Any:
            def reproduce() -> Any:
                return _reproduce_stage(stage, **options)

            if stage.is_data_source:  # tracked by itself: no stage of dvc.yaml
                return reproduce()
            if after is not None and (stage.always_changed or stage.addressing in start):
                return None
            return visit(Step(stage.addressing, reproduce, keep_open))

        start = _writer(repo, upto or after)
        # `python` in dvc.yaml is this one, whether or not its environment is activated
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environment = {"PATH": path, "PYTHONUNBUFFERED": "1", "PERENNIAL_PROGRESS": "1"}
        try:
            repo.reproduce(
                targets=start or None,
                downstream=after is not None,
                repro_fn=turn,
                run_env=environment,
            )
        except ReproductionError as error:
            raise error.__cause__ or error from None


def _writer(repo: "Repo", output: Path | None) -> list[str]:
    """Return the address of the stage that writes an output; none for none."""
    if output is None:
        return []
    (found,) = repo.find_outs_by_path(str(output))
    return [found.stage.addressing]


def stages() -> list[str]:
    """Return the names of the stages of dvc.yaml, in the order of a walk."""
    with opened() as repo:
        return [stage.addressing for stage in _ordered(repo)]


def stale() -> dict[str, list[str]]:
    """Return each stage that something changed for since it last ran, with what changed.

    A stage below a stale one may become stale when that one has run. A stage that always runs is
    not stale for that.
    """
    with opened() as repo:
        status = repo.status()
        found = {}
        for stage in _ordered(repo):
            known = any(dep.hash_info for dep in stage.deps)
            changes = _changes(status.get(stage.addressing, []))
            found[stage.addressing] = changes if known or not changes else ["never run"]
        return {name: changes for name, changes in found.items() if changes}


def _ordered(repo: "Repo") -> list[Any]:
    from dvc.repo.reproduce import get_active_graph, plan_repro

    pipeline = plan_repro(get_active_graph(repo.index.graph), repo.stage.collect(None))
    return [stage for stage in pipeline if not stage.is_data_source]


def _changes(entries: Sequence[Any]) -> list[str]:
    """Return DVC's words on what changed as `path: modified`, sorted."""
    found = set()
    for entry in entries:
        if entry == "always changed":
            continue
        if not isinstance(entry, dict):
            found.add(str(entry))
            continue
        for changed in entry.values():
            for path, how in changed.items():
                keys = how if isinstance(how, dict) else {"": how}
                found |= {f"{path}: {' '.join([k, v]).strip()}" for k, v in keys.items()}
    return sorted(found)


@contextlib.contextmanager
def _captured(log: Path, say: Say, keep_open: Sequence[int]) -> Iterator[list[str]]:
    """Give what a stage prints to `say` and its log; yield a list that names it once it started.

    Where nothing is to be done the log stays: it is of the last time that the stage ran.
    """
    from dvc.stage import run

    original = run.prepare_kwargs
    started: list[str] = []
    with contextlib.ExitStack() as until_the_end:

        def prepare_kwargs(stage: Any, run_env: Any = None) -> dict[str, Any]:
            started.append(stage.addressing)
            writing = until_the_end.enter_context(_read(log, say))
            return {
                **original(stage, run_env=run_env),
                "stdin": subprocess.DEVNULL,
                "stdout": writing,
                "stderr": subprocess.STDOUT,
                "pass_fds": tuple(keep_open),
            }

        run.prepare_kwargs = prepare_kwargs
        try:
            yield started
        finally:
            run.prepare_kwargs = original


@contextlib.contextmanager
def _read(log: Path, say: Say) -> Iterator[int]:
    """Yield the end of a pipe to write to; each line of it goes to `say` and into the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()

    def read() -> None:
        with (
            os.fdopen(reading, encoding="utf-8", errors="replace") as lines,
            log.open("w", encoding="utf-8", buffering=1) as file,
        ):
            for line in lines:
                file.write(line)
                with contextlib.suppress(Exception):  # the pipe must be emptied, or the stage hangs
                    say(line.rstrip("\n"))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield writing
    finally:
        os.close(writing)
        reader.join(timeout=5)  # what a stage leaves running may hold the pipe open: don't wait


def _answer(error: Exception) -> int:
    """Return what the stage's process answered; DVC says so in its message only."""
    found = re.search(r"exited with (-?\d+)$", str(error))
    return int(found[1]) if found else 1
