"""How the flow, a process of its own, tells what it does: one JSON object a line on stdout.

- `{"event": "stage", "stage", "state", "seconds", "line"}`, where `state` is `running`, `ran`,
  `restored`, `unchanged` or `failed`, and `line` its result in a line
- `{"event": "line", "stage", "line"}`: what a stage prints, as it comes
- `{"event": "judged", "gate", "metrics"}`: the gate's report and the metrics of the candidate
- `{"event": "promoted", "from", "to"}`: versions and digests
- `{"event": "declined", "why"}`: the verdict is `promote`, and only a person may act on it
- `{"event": "end", "exit_code", "faults", "remedy"}`: always the last one
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Listener = Callable[[Event], None]

VARIABLE = "PERENNIAL_EVENTS"  # set to `json` where a program listens; else a person does


def tell(event: str, **details: Any) -> None:
    """Tell what was done: as JSON to a program, in words to a person."""
    content = {"event": event, **details}
    program = os.environ.get(VARIABLE) == "json"
    text = json.dumps(content) if program else _in_words(content)
    if text:
        # whole lines: stages are told of from more than one thread
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def parse(line: str) -> Event | None:
    """Return the event that a line tells; None if it tells none."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "event" in content else None


def _in_words(event: Event) -> str | None:
    if event["event"] == "stage" and event["state"] != "running":
        took = f"{event['seconds']:6.1f} s"
        return f"{event['stage']:<12} {event['state']:<10} {took}  {event['line']}".rstrip()
    if event["event"] == "judged":
        return f"verdict: {event['gate']['verdict']}: {event['gate']['why']}"
    if event["event"] == "promoted":
        return f"champion is now version {event['to']['version']}"
    if event["event"] == "declined":
        return f"not promoted: {event['why']}"
    return None
