"""What in an output differs: which file of a folder, or which value of a report."""

import hashlib
import json
from pathlib import Path
from typing import Any

from perennial.adapters import dag, git, registry
from perennial.commands.origins import Origin
from perennial.core import reproduction
from perennial.core.reproduction import Difference
from perennial.errors import PerennialError


def detail(difference: Difference, origin: Origin, folder: Path) -> str | None:
    """Return what differs in an output or a dependency, where what it was is still to be had.

    Args:
        difference: What differs.
        origin: Of the version.
        folder: Where it was derived again.
    """
    path = folder / difference.name
    try:
        if path.is_dir() and difference.recorded:
            return _in_folder(difference.recorded, path, folder)
        if path.suffix == ".json" and difference.kind == "output":
            was, now = _report(Path(difference.name), origin), json.loads(path.read_bytes())
            return None if was is None else reproduction.first_in_json(was, now)
    except (PerennialError, OSError, ValueError):
        return None  # that it differs is known; this would only have said more
    return None


def _in_folder(md5: str, path: Path, folder: Path) -> str | None:
    with dag.store(None) as store:
        recorded = store.folder(md5, folder / ".dvc/tmp/listed")
    here = {
        file.relative_to(path).as_posix(): hashlib.md5(
            file.read_bytes(), usedforsecurity=False
        ).hexdigest()
        for file in path.rglob("*")
        if file.is_file()
    }
    return reproduction.first_in_folder(recorded, here) if recorded else None


def _report(path: Path, origin: Origin) -> Any:
    """Return a report as it was registered with the version, or as the commit has it."""
    meant = origin.meant
    if meant.version is not None:
        name = f"{path.parent.name}/{path.name}"
        content = registry.kept_file(meant.uri, meant.version, name)
    else:
        content = git.show(origin.commit, path) if origin.commit else None
    return None if content is None else json.loads(content)
