"""history: who is in charge, since when and why."""

from typing import Any

from perennial.adapters import histories
from perennial.adapters.bundles import champions
from perennial.commands import pending
from perennial.errors import IntegrityError


def history() -> list[dict[str, Any]]:
    """Return every change of champion, oldest first, its chain and its end checked.

    Raises:
        IntegrityError: a line was edited, removed, put in or moved, or lines were cut off the end.
    """
    entries = histories.read()
    if pending.DECISION.exists():  # killed halfway: the end is as it will be, or one entry short
        return entries
    if faults := histories.end_faults(entries, champions.read()):
        raise IntegrityError(faults, histories.REMEDY)
    return entries
