"""Faults that kills must find, put into the processes of a run: in the project's own files they
would make all stages stale."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_in_place() -> None:
    """Files that are written under their own name, bit by bit."""
    from perennial.adapters import files

    def write_bytes(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            path.chmod(0o644)
            file.write(content[len(content) // 2 :])

    files.write_bytes = write_bytes


def uncounted_trials() -> None:
    """A search that adds the planned trials to those it has been asked for before."""
    from perennial.adapters import study

    search, starts = study.search, Path(".perennial/studies/starts.json")

    def more(settings: Any, *rest: Any) -> Any:
        before = json.loads(starts.read_text()) if starts.exists() else 0
        starts.parent.mkdir(parents=True, exist_ok=True)
        starts.write_text(json.dumps(before + 1))
        wanted = settings.model_copy(update={"trials": settings.trials + before})
        return search(wanted, *rest)

    study.search = more


def registered_again() -> None:
    """A registration that does not ask whether there is a version of that digest."""
    from perennial.adapters import registry

    registry.find_version = lambda *_: None
    registry._known = lambda *_: None


def another_entry() -> None:
    """A promotion that writes its entry without asking whether it stands there."""
    from perennial.commands import pending

    append = pending._append

    def always(entry: Any) -> None:
        append(
            {**entry, "again": len(pending.paths.HISTORY.read_text())}
            if pending.paths.HISTORY.exists()
            else entry
        )

    pending._append = always


def lock_that_stays() -> None:
    """A lock that is a file's being there, which nobody removes after a kill."""
    from perennial.adapters import runlock
    from perennial.errors import UnreachableError

    @contextmanager
    def alone(path: Path = Path(".perennial/lock-file")) -> Iterator[int]:
        if path.exists():
            raise UnreachableError("another run is at work", "Wait.")
        path.parent.mkdir(exist_ok=True)
        path.touch()
        try:
            yield 0
        finally:
            path.unlink()

    runlock.alone = alone


PLANTS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        write_in_place,
        uncounted_trials,
        registered_again,
        another_entry,
        lock_that_stays,
    )
}


def plant(name: str) -> None:
    """Put a fault into this process."""
    PLANTS[name]()
