"""Entries of the history: what is said of a change of champion, whoever makes it."""

import getpass
import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from perennial import paths
from perennial.adapters import files, git
from perennial.adapters.bundles.champions import Champion
from perennial.core import succession

Action = Literal["promote", "rollback", "restore"]


def made(
    action: Action,
    before: Champion | None,
    after: Mapping[str, str],
    objects: Mapping[str, Any],
    verdict: str,
    why: str,
) -> dict[str, Any]:
    """Return an entry, not sealed yet.

    Args:
        action: What is done.
        before: Who was champion until now.
        after: Version and digest of who is from now on.
        objects: Where its bytes can be had again: `plan` with SHA-256 and DVC's MD5, `bundle` with
            DVC's MD5 (its SHA-256 is the digest).
        verdict: The gate's that promoted it.
        why: In a sentence.
    """
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": git.author() or _account(),
        "action": action,
        "from": {"version": before.version, "digest": before.digest} if before else None,
        "to": dict(after),
        "objects": dict(objects),
        "verdict": verdict,
        "why": why,
        "commit": git.commit(),
    }


def plan_digest(plan: Mapping[str, Any]) -> str:
    """Return a plan's SHA-256, however it is laid out in its file."""
    return hashlib.sha256(files.exact_json_bytes(plan)).hexdigest()


def plan_faults(known: Sequence[Mapping[str, Any]], champion: Champion | None) -> list[str]:
    """Return whether champion.json has another plan than the champion was promoted under."""
    promotion = succession.promotion(known, champion.digest) if champion else None
    if champion is None or promotion is None:
        return []
    if plan_digest(champion.plan) == promotion["objects"]["plan"]["sha256"]:
        return []
    return [f"{paths.CHAMPION}: its plan is not the one that the champion was promoted under"]


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return f"user {os.getuid()}"
