"""What was announced as wanted: a plan that is to be trained, once, and again only if that failed.

Monitoring may run every few minutes, and what it finds stays true until a training has answered.
Local state: each machine that monitors remembers what it has announced itself.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from perennial import paths
from perennial.adapters import files

PATH = paths.STATE / "announced.json"
TIMES = 3  # a training that has failed as often as this fails for a reason that a person must see
SILENCE = timedelta(days=1)  # nobody has answered: nobody heard it, or whoever did is gone

Answer = Literal["answered", "failed"]


def is_due(plan: str, now: datetime) -> bool:
    """Return whether a plan, by its digest, is to be announced.

    It is when it has not been yet, when the training for it failed or when nobody has answered for
    a day; `TIMES` times at most.
    """
    known = _read()
    if known.get("plan") != plan:
        return True
    if known["state"] == "answered" or known["times"] >= TIMES:
        return False
    unheard = now - datetime.fromisoformat(known["when"]) > SILENCE
    return known["state"] == "failed" or unheard


def announced(plan: str, now: datetime) -> int:
    """Remember that a plan was announced; return how often it has been by now."""
    known = _read()
    times = 1 + (known["times"] if known.get("plan") == plan else 0)
    _write({"plan": plan, "state": "announced", "times": times, "when": now.isoformat()})
    return times


def answer(state: Answer) -> None:
    """Remember what came of the training for what was announced last."""
    known = _read()
    if known.get("state") in ("announced", "failed"):
        _write({**known, "state": state})


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def _read() -> dict[str, Any]:
    try:
        return files.read_json(PATH, "")
    except Exception:  # torn or gone: announced once more, which costs a run that finds nothing
        return {}


def _write(content: Mapping[str, Any]) -> None:
    files.write_json(PATH, {"schema_version": 1, **content})
