"""Forgetting: which content of which batch was replaced because somebody's rows were taken out.

The log names digests and numbers of rows only: it has no key, nor a digest of one, which could be
found by trying.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from perennial.core.dataset.plan import batches_of

Entry = Mapping[str, Any]


def entry(period: str, old: Collection[str], new: str | None, rows: int) -> dict[str, Any]:
    """Return a line of the log.

    Args:
        period: Of the batch.
        old: Digests under which the rows were known: of the batch, and of what was accepted of it.
        new: The digest of the batch without them; None if no row is left.
        rows: How many were taken out.
    """
    return {"period": period, "from": sorted(old), "to": new, "rows": rows}


def outdated(log: Sequence[Entry], plan: Mapping[str, Any]) -> list[str]:
    """Return the periods of a plan that it names with content that was to be forgotten."""
    old = {(line["period"], digest) for line in log for digest in line["from"]}
    return [ref["period"] for ref in batches_of(plan) if (ref["period"], ref["sha256"]) in old]


def unlike(log: Sequence[Entry], batches: Mapping[str, str]) -> list[str]:
    """Return the periods whose batch is not what the log says was left of it.

    Args:
        log: All lines, oldest first.
        batches: The digest of each batch that is there.
    """
    left = {line["period"]: line["to"] for line in log}  # the last counts
    return [period for period, new in left.items() if batches.get(period, new) != new]


def known_in(plan: Mapping[str, Any], periods: Collection[str]) -> list[str]:
    """Return the parts of a plan in which batches of these periods are."""
    parts = plan["parts"].items()
    return [part for part, refs in parts if any(ref["period"] in periods for ref in refs)]
