"""status: who is in charge, what was decided last, and what is stale."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from perennial import paths
from perennial.adapters import dag, registry
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.commands import aliases, pending
from perennial.commands.summary import optional, quarantined, short
from perennial.errors import InputError, UnreachableError


@dataclass(frozen=True)
class Status:
    """How things are; None where nothing was run yet.

    `stale` is each stage that something changed for, with what; `unfinished` whether a promotion
    or rollback was killed halfway; `aliases` who is challenger and shadow, as a person reads it.
    """

    champion: Mapping[str, str] | None
    plan: Mapping[str, Any] | None
    drift: Mapping[str, Any] | None
    gate: Mapping[str, Any] | None
    registered: Mapping[str, Any] | None
    quarantined: list[dict[str, str]]
    stale: Mapping[str, list[str]]
    unfinished: bool
    aliases: Mapping[str, str | None]

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
        aliases=_aliases(),
    )


def _aliases() -> dict[str, str | None]:
    """Return who is challenger and shadow; why it can't be told, where it can't."""
    names = (aliases.CHALLENGER, aliases.SHADOW)
    try:
        params = read_params("registry").registry
        uri = registry.resolve(params.uri)
        found = {name: registry.alias_version(uri, params.model, name) for name in names}
    except (InputError, UnreachableError) as error:
        return dict.fromkeys(names, f"unknown: {error.faults[0]}")
    return {name: f"version {found[name]}" if found[name] else None for name in names}


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
