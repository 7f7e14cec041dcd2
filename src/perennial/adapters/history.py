"""history.jsonl: who was made champion, when, by whom and why. Only ever added to."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files
from perennial.errors import IntegrityError


def read(path: Path = paths.HISTORY) -> list[dict[str, Any]]:
    """Return the entries, oldest first; none if there is no file yet.

    Raises:
        IntegrityError: a line is not an entry.
    """
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise _damaged(path, number) from error
        if not isinstance(entry, dict):
            raise _damaged(path, number)
        entries.append(entry)
    return entries


def append(entry: Mapping[str, Any], path: Path = paths.HISTORY) -> None:
    """Add an entry, unless it is the last one already.

    Raises:
        IntegrityError: what is there can't be read, so nothing is added to it.
    """
    known = read(path)
    if known and known[-1] == entry:
        return
    # the whole file anew, by rename: a kill leaves no half line at its end
    before = path.read_bytes() if known else b""
    line = json.dumps(entry, ensure_ascii=False).encode()
    files.write_bytes(path, b"%s%s%s\n" % (before, b"" if before[-1:] in b"\n" else b"\n", line))


def _damaged(path: Path, number: int) -> IntegrityError:
    return IntegrityError(
        f"{path}, line {number}: not an entry of the history",
        f"Restore it from Git (`git checkout {path}`), then run again.",
    )
