"""Why a stage failed: what it left in its status file, as an error for the user."""

import json
from pathlib import Path
from typing import Any, ClassVar

from perennial import paths
from perennial.errors import InputError, IntegrityError, PerennialError, UnreachableError


class BlockedError(PerennialError):
    """A gate blocks (exit 1)."""

    exit_code: ClassVar[int] = 1


class CrashedError(PerennialError):
    """A fault of Perennial's own or of the machine, not of the user's input (exit 70)."""

    exit_code: ClassVar[int] = 70


CODES: dict[int, type[PerennialError]] = {
    kind.exit_code: kind for kind in (BlockedError, InputError, IntegrityError, UnreachableError)
}


def forget(stage: str) -> None:
    """Delete what an earlier run of the stage left, so that it is not taken for this one's."""
    _status(stage).unlink(missing_ok=True)


def failure(stage: str, answer: int, log: Path) -> PerennialError:
    """Return the error that a failed stage stands for.

    Args:
        stage: The stage.
        answer: What its process answered; negative is the signal that ended it.
        log: Where its output is.
    """
    left = _left(stage)
    kind = CODES.get(left.get("exit_code", 0))
    if kind is None:
        how = f"was ended by signal {-answer}" if answer < 0 else f"ended with {answer}"
        killed = " The machine may be out of memory." if answer in (-9, 137) else ""
        return CrashedError(
            f"stage {stage} {how} and left no reason",
            f"This is no fault of your input.{killed} {log} has what it said; "
            "run the same command again to go on from there.",
        )
    *faults, last = str(left.get("message") or "").splitlines() or [""]
    if last.startswith("→ "):
        return kind(faults, last.removeprefix("→ "))
    text = [*faults, last] if last else [f"stage {stage} blocks"]
    return kind(text, f"{log} has what it said, reports/ what it found.")


def _status(stage: str) -> Path:
    return paths.STATUS / f"{stage}.json"


def _left(stage: str) -> dict[str, Any]:
    try:
        content = json.loads(_status(stage).read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
