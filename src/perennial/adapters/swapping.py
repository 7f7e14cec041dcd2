"""Many files changed as one: made aside, written down, then put in place.

Until the list of what is to be done is written, nothing has changed; from then on it will be done,
by this process or, where that is killed, by the next that asks.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from perennial import paths
from perennial.adapters import files

FOLDER = paths.STATE / "init"
STAGED = FOLDER / "staged"
JOURNAL = FOLDER / "journal.json"


def begin() -> None:
    """Forget what was made aside and never decided."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def aside(path: Path) -> Path:
    """Return where to make the file that is to be `path`."""
    return STAGED / path


def decide(put: Sequence[Path], remove: Sequence[Path]) -> None:
    """Write down what is to be done.

    Args:
        put: Files that were made aside.
        remove: Files and folders; none of them is put.
    """
    content = {
        "schema_version": 1,
        "put": [path.as_posix() for path in put],
        "remove": [path.as_posix() for path in remove],
    }
    files.write_json(JOURNAL, content)


def finish() -> bool:
    """Do what was decided; return whether there was anything. Each step can be done again."""
    if not JOURNAL.exists():
        return False
    content = files.read_json(JOURNAL, f"Remove {FOLDER}, then run the same command again.")
    for name in content["remove"]:
        _remove(Path(name))
    for name in content["put"]:
        made = aside(Path(name))
        if made.exists():  # else it is in place
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            made.replace(name)
    JOURNAL.unlink()
    shutil.rmtree(FOLDER, ignore_errors=True)
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
