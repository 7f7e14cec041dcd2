"""data/forgotten.jsonl: the log of rows that were taken out, each line chained to the last."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files
from perennial.core.ledger import hash_chain
from perennial.errors import IntegrityError

HEADER = b'{"schema_version": 1}\n'  # the first line: DVC warns of a dependency that is empty
KEYS = {"period", "from", "to", "rows", "previous", "sha256"}


def read(path: Path = paths.FORGOTTEN) -> list[dict[str, Any]]:
    """Return the log, oldest first, without its header; none if there is no file.

    Raises:
        IntegrityError: a line was changed, taken out or put in between; every such line.
    """
    content = path.read_bytes() if path.exists() else HEADER
    entries, faults = hash_chain.read(content.removeprefix(HEADER))
    if not content.startswith(HEADER):
        faults.insert(0, f"does not begin with {HEADER.decode().strip()}")
    faults += [
        f"line {number}: no entry of this log"
        for number, entry in enumerate(entries, start=1)
        if set(entry) != KEYS
    ]
    if faults:
        raise IntegrityError(
            [f"{path}, {fault}" for fault in faults],
            f"Restore it from Git (`git checkout {path}`), then run again.",
        )
    return entries


def append(entry: Mapping[str, Any], path: Path = paths.FORGOTTEN) -> None:
    """Add a line, whole or not at all."""
    known = read(path)
    before = path.read_bytes() if known else HEADER
    previous = known[-1]["sha256"] if known else hash_chain.GENESIS
    files.write_bytes(path, before + hash_chain.line(hash_chain.seal(entry, previous)))
