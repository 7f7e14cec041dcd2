"""history.jsonl: who was made champion, when, by whom and why. Lines are only ever added."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files
from perennial.adapters.bundles.champions import Champion
from perennial.core.ledger import hash_chain
from perennial.errors import IntegrityError

REMEDY = (
    "`perennial doctor` puts it back if Git has it whole; else restore it by hand "
    f"(`git log {paths.HISTORY}`)."
)


def read(path: Path = paths.HISTORY) -> list[dict[str, Any]]:
    """Return every entry, oldest first; none if there is no file.

    Raises:
        IntegrityError: the chain is broken; every line at which it is.
    """
    entries, faults = hash_chain.read(path.read_bytes() if path.exists() else b"")
    if faults:
        raise IntegrityError([f"{path}, {fault}" for fault in faults], REMEDY)
    return entries


def head(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest that the next entry names as the one before it."""
    return str(entries[-1]["sha256"]) if entries else hash_chain.GENESIS


def end_faults(entries: Sequence[Mapping[str, Any]], champion: Champion | None) -> list[str]:
    """Return how the end of the history and champion.json disagree.

    A chain can't show what was cut off its end; champion.json knows how it ended.
    """
    said = f"{paths.CHAMPION} names"
    last = entries[-1]["to"]["digest"] if entries else None
    digest = champion.digest if champion else None
    if champion is not None and champion.history not in (None, head(entries)):
        known = [entry["sha256"] for entry in entries]
        if champion.history in known:
            later = len(known) - 1 - known.index(champion.history)
            return [f"{paths.HISTORY}: goes on {later} entries beyond the one that {said}"]
        where = f"after line {len(known)}" if known else "of which nothing is left"
        return [f"{paths.HISTORY}: was cut {where}: the entry that {said} is gone"]
    if last != digest:
        made = f"its last entry made {_short(last)} champion"
        return [f"{paths.HISTORY}: {made}, {said} {_short(digest)}"]
    return []


def is_last(entry: Mapping[str, Any]) -> bool:
    """Return whether a sealed entry is the last one; if not, it is the next one.

    Raises:
        IntegrityError: the chain is broken, or the entry follows another than the last.
    """
    entries = read()
    if entries and entries[-1]["sha256"] == entry["sha256"]:
        return True
    if entry["previous"] != head(entries):
        raise IntegrityError(f"{paths.HISTORY}: changed since this was decided", REMEDY)
    return False


def append(entry: Mapping[str, Any]) -> None:
    """Add a sealed entry, once: nothing is done if it is the last already.

    Raises:
        IntegrityError: the chain is broken, or the entry follows another than the last.
    """
    if not is_last(entry):
        known = paths.HISTORY.read_bytes() if paths.HISTORY.exists() else b""
        # the file anew, by rename: a kill leaves no half line at its end
        files.write_bytes(paths.HISTORY, known + hash_chain.line(entry))


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"
