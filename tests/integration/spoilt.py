"""Ways to spoil a project with champions, for the tests of the doctor."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.released import MODEL, uri

from perennial import paths
from perennial.adapters import files, registry, runlock

RWLOCK = Path(".dvc/tmp/rwlock")


def edit_champion(**changes: Any) -> None:
    content = json.loads(paths.CHAMPION.read_text()) | changes
    files.write_bytes(paths.CHAMPION, files.exact_json_bytes(content))


def edit_history(change: Callable[[list[str]], list[str]]) -> None:
    lines = paths.HISTORY.read_text().splitlines(keepends=True)
    paths.HISTORY.write_text("".join(change(lines)))


def old(path: str) -> None:
    """Leave a file that nobody has written to for an hour."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("half")
    hour = file.stat().st_mtime - 3600
    for each in (file, file.parent) if file.parent.name.startswith(".") else (file,):
        os.utime(each, (hour, hour))


def lose_files() -> None:
    version = next(v for v in registry.versions(uri(), MODEL) if v.version == "3")
    shutil.rmtree(Path(version.location) / "artifacts/bundle")


def tree() -> dict[str, bytes]:
    """Every file but Git's and DVC's own notes; DVC's lock, if anything is wrong with it."""
    found = (p for p in Path().rglob("*") if p.is_file())
    noted = (".git", ".dvc/tmp")
    kept = {p.as_posix(): p.read_bytes() for p in found if not p.as_posix().startswith(noted)}
    kept.setdefault(runlock.PATH.as_posix(), b"")  # the doctor itself takes it
    lock = RWLOCK.read_bytes() if RWLOCK.exists() else b""
    return {**kept, "lock": lock if len(lock) > len('{"write": {}, "read": {}}') else b"free"}
