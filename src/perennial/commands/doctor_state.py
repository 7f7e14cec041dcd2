"""The doctor on what a kill leaves: a request, locks, an unfinished change of champion, files."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from perennial import paths
from perennial.adapters import dag
from perennial.commands import earlier, environment, pending, requests
from perennial.commands.ailments import Ailment

WRITTEN = (Path("data"), Path("models"), Path("reports"), paths.STATE)  # and files beside them
FOREIGN = (environment.HOME,)  # other tools' own
STILL = 60  # seconds that nobody has written to it: then whoever did is gone
# as adapters/files, pending.py and the registry name what is not whole yet
TEMPORARY = re.compile(
    r"\.(?P<name>.+?(?P<suffix>\.[^.]+)?)\.[a-z0-9_]{8}(?P=suffix)(-journal|-wal|-shm)?"
    r"|\.[^.]+\.[a-z0-9_]{8}"
    r"|\.champion\.new|\.bundle\.new|\.(restored|fetched)-[a-z0-9_]{8}"
)


def request() -> list[Ailment]:
    """A request to retrain that was to hold for one run and was killed with it."""
    if not requests.NOTE.exists():
        return []
    what = f"{requests.NOTE}: policy.request of {paths.PARAMS} was set for a run that was killed"
    return [Ailment(what, requests.restore, "puts back what stood there")]


def locks() -> list[Ailment]:
    """DVC's lock files, which it writes in place."""
    found = []
    for what in dag.broken():
        conflict = what.startswith("dvc.lock") and "<<<<<<<" in Path("dvc.lock").read_text("utf-8")
        if conflict:
            remedy = "Resolve Git's conflict in it, or `git checkout dvc.lock`."
            found.append(Ailment(what, None, remedy))
        else:
            found.append(Ailment(what, dag.release, "puts it away; DVC makes it anew"))
    return found


def unfinished() -> list[Ailment]:
    """A promotion or rollback that was decided and not carried out to its end."""
    if not pending.DECISION.exists():
        return []
    what = f"{pending.DECISION}: a promotion or rollback was killed halfway"
    return [Ailment(what, pending.finish, "carries it out")]


def leftovers() -> list[Ailment]:
    """Files that were to take another's place, and copies of bundles that nobody decided on."""
    return [
        Ailment(f"{path}: left by something that was killed", _removing(path), "removes it")
        for path in sorted(_left())
    ]


def _left() -> Iterator[Path]:
    if pending.FOLDER.exists() and not pending.DECISION.exists():
        yield pending.FOLDER
    if earlier.FOLDER.exists():
        yield earlier.FOLDER
    now = time.time()
    for path in (*Path().iterdir(), *(p for folder in WRITTEN for p in _below(folder))):
        if TEMPORARY.fullmatch(path.name) and now - path.stat().st_mtime > STILL:
            yield path


def _below(folder: Path) -> Iterator[Path]:
    if not folder.is_dir() or folder in (*FOREIGN, pending.FOLDER, earlier.FOLDER):
        return
    for path in folder.iterdir():
        yield path
        if path.is_dir() and not path.is_symlink() and not TEMPORARY.fullmatch(path.name):
            yield from _below(path)


def _removing(path: Path) -> Callable[[], None]:
    def remove() -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    return remove
