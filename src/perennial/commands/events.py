"""What the flow tells `perennial run` while it runs: one line an event, on its standard output."""

import json
import os
from typing import Any

SWITCH = "PERENNIAL_EVENTS"


def emit(kind: str, stage: str, **facts: Any) -> None:
    """Tell of an event: as JSON to `perennial run`, in words to a person or a worker's log."""
    if os.environ.get(SWITCH):
        print(json.dumps({"event": kind, "stage": stage, **facts}), flush=True)  # noqa: T201
        return
    if kind == "end":
        how = f"{facts['seconds']:.1f} s" if facts["ran"] else "nothing to do"
        print(f"{stage}: {how}", *facts["said"], sep="\n  ", flush=True)  # noqa: T201
    elif kind == "failed":
        print(facts["message"], flush=True)  # noqa: T201


def parse(line: str) -> dict[str, Any] | None:
    """Return an event that `emit` printed, or None for any other line."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
