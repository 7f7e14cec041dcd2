"""status: who is in charge, what was decided last, and what is stale."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from perennial import paths
from perennial.adapters import champions, dag
from perennial.commands import pending
from perennial.commands.summary import optional, quarantined, short


@dataclass(frozen=True)
class Status:
    """How things are; None where nothing was run yet.

    `stale` is each stage that something changed for, with what; `unfinished` whether a promotion
    was killed halfway.
    """

    champion: Mapping[str, str] | None
    plan: Mapping[str, Any] | None
    drift: Mapping[str, Any] | None
    gate: Mapping[str, Any] | None
    registered: Mapping[str, Any] | None
    quarantined: list[dict[str, str]]
    stale: Mapping[str, list[str]]
    unfinished: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, **asdict(self)}


def status() -> Status:
    """Return how things are, without changing any.

    Raises:
        IntegrityError: who is champion can't be told.
        InputError: this is no project's folder.
        UnreachableError: another run is at work.
    """
    champion = champions.read()
    plan = optional(paths.PLAN) or (champion.plan if champion else None)
    drift, gate = optional(paths.DRIFT_REPORT), optional(paths.GATE_REPORT)
    registered = optional(paths.REGISTRATION)
    return Status(
        champion=short(champion),
        plan=_plan(plan) if plan else None,
        drift=_some(drift, "period", "verdict", "action", "why"),
        gate=_some(gate, "verdict", "candidate", "champion", "why"),
        registered=_some(registered, "model", "version", "digest"),
        quarantined=quarantined(),
        stale=dag.stale(),
        unfinished=pending.DECISION.exists(),
    )


def _some(report: Mapping[str, Any], *keys: str) -> dict[str, Any] | None:
    return {key: report.get(key) for key in keys} if report else None


def _plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the action and the extent of each part."""
    parts = {
        name: {
            "from": refs[0]["period"],
            "to": refs[-1]["period"],
            "batches": len(refs),
            "rows": sum(ref["rows"] for ref in refs),
        }
        for name, refs in plan["parts"].items()
    }
    by_time = dict(sorted(parts.items(), key=lambda part: str(part[1]["from"])))
    return {"action": plan["action"], "because": plan["because"], "parts": by_time}
