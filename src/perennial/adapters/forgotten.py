"""data/forgotten.jsonl: the log of rows that were taken out, each line chained to the last."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files
from perennial.errors import IntegrityError

KEYS = {"period", "from", "to", "rows", "previous"}


def read(path: Path = paths.FORGOTTEN) -> list[dict[str, Any]]:
    """Return the log, oldest first; none if there is no file.

    Raises:
        IntegrityError: a line was changed, taken out or put in between.
    """
    entries = files.read_json_lines(path)
    previous = ""
    for number, line in enumerate(entries, start=1):
        if not isinstance(line, dict) or set(line) != KEYS or line["previous"] != previous:
            raise IntegrityError(
                f"{path}, line {number}: does not follow from the line before it",
                f"Restore it from Git (`git checkout {path}`), then run again.",
            )
        previous = _digest(line)
    return entries


def append(entry: Mapping[str, Any], path: Path = paths.FORGOTTEN) -> None:
    """Add a line, whole or not at all."""
    known = read(path)
    before = path.read_bytes() if known else b""
    line = {**entry, "previous": _digest(known[-1]) if known else ""}
    files.write_bytes(path, before + files.json_line(line))


def _digest(line: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()
