"""Attempts: what challenged champions, and how it ended. The policy looks back on them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perennial import paths
from perennial.adapters import files
from perennial.adapters.bundles import champions
from perennial.commands.summary import optional

LOST = ("keep", "block")


def describe(gate: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a challenge as champion.json keeps it.

    Its period is the newest that was known: with labels that come late, not the last held out.
    """
    held_out = max(ref["period"] for ref in plan["parts"]["holdout"])
    period = max(held_out, str(optional(paths.DRIFT_REPORT).get("period", held_out)))
    return {
        "period": period,
        "action": plan["action"],
        "verdict": gate["verdict"],
        "digest": gate["candidate"],
    }


def record() -> bool:
    """Write a challenge that did not win into champion.json, once; return whether it was new.

    Without it, the same drift would ask for the same retraining again and again.

    Raises:
        IntegrityError: who is champion can't be told.
    """
    champion, gate = champions.read(), optional(paths.GATE_REPORT)
    if champion is None or gate.get("verdict") not in LOST:
        return False
    if gate["candidate"] == champion.digest or gate["champion"] != champion.digest:
        return False  # the champion itself was judged, or another champion was challenged
    attempt = describe(gate, files.read_json(paths.PLAN, "Run `perennial run`."))
    if attempt in champion.attempts:
        return False
    champions.write(replace(champion, attempts=[*champion.attempts, attempt]))
    return True
