"""A log whose every entry names the SHA-256 of the one before it, so that no line can be edited,
removed, put in or moved unseen (Schneier and Kelsey 1999). What is cut off its end shows only to
somebody who knows how it ended: champion.json keeps the last digest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GENESIS = "0" * 64  # what the first entry names as the one before it


def seal(entry: Mapping[str, Any], previous: str) -> dict[str, Any]:
    """Return an entry with the digest of the one before it, `previous`, and its own, `sha256`."""
    content = {**entry, "previous": previous}
    return {**content, "sha256": _digest(content)}


def line(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as its line of the log: the same bytes for the same entry, anywhere."""
    return (json.dumps(entry, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read(log: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the entries of a log, oldest first, and what is wrong with it, by number of line."""
    entries: list[dict[str, Any]] = []
    faults, previous = [], GENESIS
    for number, text in enumerate(log.splitlines(keepends=True), start=1):
        entry = _parse(text)
        if entry is None:
            faults.append(f"line {number}: no entry that was written to its end")
            previous = ""
            continue
        if _digest({k: v for k, v in entry.items() if k != "sha256"}) != entry["sha256"]:
            faults.append(f"line {number}: was edited: it no longer has its own digest")
        elif line(entry) != text:
            faults.append(f"line {number}: was edited: the same entry is written otherwise")
        if entry["previous"] != previous:
            before = f"line {number - 1}" if number > 1 else "nothing, as the first line does"
            faults.append(
                f"line {number}: does not follow {before}: a line was removed, put in or moved"
            )
        entries.append(entry)
        previous = entry["sha256"]
    return entries, faults


def _parse(text: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(text.decode())
    except ValueError:
        return None
    named = isinstance(entry, dict) and {"previous", "sha256"} <= set(entry)
    return entry if named and text.endswith(b"\n") else None


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(line(content)).hexdigest()
