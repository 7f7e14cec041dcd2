"""Who followed whom as champion, read from the history: to whom a rollback goes by itself.

As in a browser: a promotion goes to a new page and forgets those ahead, a rollback goes back, one
to a later version goes forward again. So rollbacks in a row end at the first champion.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]


def before(entries: Sequence[Entry]) -> str | None:
    """Return the digest of the champion before the present one; None if there was none."""
    line, place = _followed(entries)
    return line[place - 1] if place > 0 else None


def promotion(entries: Sequence[Entry], digest: str) -> Entry | None:
    """Return the last entry that promoted a bundle; None if none did."""
    found = [e for e in entries if e["action"] == "promote" and e["to"]["digest"] == digest]
    return found[-1] if found else None


def moved_away_from(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Return each digest that a person took out of charge, and nobody put back since, with how."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.pop(entry["to"]["digest"], None)
        if entry["action"] != "promote" and entry["from"] is not None:
            found[entry["from"]["digest"]] = entry
    return found


def _followed(entries: Sequence[Entry]) -> tuple[list[str], int]:
    """Return the champions in line, by digest, and the place of the present one."""
    line: list[str] = []
    place = -1
    for entry in entries:
        digest = entry["to"]["digest"]
        if entry["action"] == "promote":
            line = line[: place + 1] if entry["from"] is not None else []  # else: begun anew
            known = []
        else:
            behind = [i for i in reversed(range(place)) if line[i] == digest]
            known = behind or [i for i in range(place + 1, len(line)) if line[i] == digest]
        if known:
            place = known[0]
        else:
            line = [*line[: place + 1], digest]
            place = len(line) - 1
    return line, place
