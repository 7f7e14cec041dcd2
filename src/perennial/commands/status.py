"""status: who is in charge, what was decided last, and what is stale."""

from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import champions, dag, files


def status() -> dict[str, Any]:
    """Return what `perennial status` shows, as JSON values; None where nothing was run yet.

    Raises:
        IntegrityError: champion.json can't be read.
        InputError: this is no project folder.
    """
    champion = champions.read()
    return {
        "champion": None
        if champion is None
        else {
            "model": champion.model,
            "version": champion.version,
            "digest": champion.digest,
            "when": champion.when,
            "verdict": champion.verdict,
        },
        "plan": _plan(),
        "drift": _last(paths.DRIFT_REPORT, "period", "verdict", "action", "why"),
        "gate": _last(paths.GATE_REPORT, "verdict", "candidate", "champion", "why"),
        "quarantined": _quarantined(),
        "stale": dag.stale(),
    }


def _last(path: Path, *keys: str) -> dict[str, Any] | None:
    if not path.exists():
        return None
    report = files.read_json(path, "Run `dvc repro`.")
    return {key: report[key] for key in keys}


def _plan() -> dict[str, Any] | None:
    if not paths.PLAN.exists():
        return None
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    parts = {
        name: {
            "from": refs[0]["period"],
            "to": refs[-1]["period"],
            "batches": len(refs),
            "rows": sum(ref["rows"] for ref in refs),
        }
        for name, refs in plan["parts"].items()
    }
    return {"action": plan["action"], "because": plan["because"], "parts": parts}


def _quarantined() -> list[dict[str, str]]:
    if not paths.VALIDATION_REPORT.exists():
        return []
    report = files.read_json(paths.VALIDATION_REPORT, "Run `dvc repro`.")
    return [
        {"period": batch["period"], "why": batch["why"]}
        for batch in report["batches"]
        if batch["quarantined"]
    ]
