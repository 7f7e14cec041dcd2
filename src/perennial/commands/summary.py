"""What came of a run, for a person, a program and Prefect's page of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files
from perennial.adapters.bundles.champions import Champion
from perennial.commands.events import Event
from perennial.errors import InputError

SHOWN = (
    paths.GATE_PAGE,
    paths.MODEL_CARD_PAGE,
    paths.GATE_REPORT,
    paths.METRICS,
    paths.EXPLAIN_REPORT,
    paths.FAIRNESS_REPORT,
    paths.VALIDATION_REPORT,
    paths.DRIFT_REPORT,
)
PICTURES = (
    paths.CURVES,
    paths.SHAP_PLOTS,
    paths.FAIRNESS_PLOTS,
    paths.SEARCH_REPORT,
    paths.DRIFT_PLOTS,
    paths.DATA_DOCS,
)


@dataclass(frozen=True)
class Summary:
    """What came of a run; without a verdict if it ended before the gate. `declined` is why the
    verdict `promote` was not acted on, where it wasn't."""

    exit_code: int
    verdict: str | None
    why: str | None
    gates: Sequence[Mapping[str, Any]]
    metrics: Mapping[str, Mapping[str, float]]
    candidate: Mapping[str, str | None] | None
    champion_before: Mapping[str, str] | None
    champion: Mapping[str, str] | None
    stages: Sequence[Mapping[str, Any]]
    quarantined: Sequence[Mapping[str, str]]
    reports: Sequence[str]
    pictures: Sequence[str]
    seconds: float
    timings: Mapping[str, float] = field(default_factory=dict)
    faults: Sequence[str] = field(default_factory=list)
    remedy: str | None = None
    declined: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, **asdict(self)}


def summarise(
    told: Sequence[Event], before: Champion | None, now: Champion | None, seconds: float
) -> Summary:
    """Return what the events of a run and the reports that it left come to."""
    end = told[-1]
    judged: Event = next((e for e in told if e["event"] == "judged"), {})
    gate, metrics = judged.get("gate") or {}, judged.get("metrics") or {}
    return Summary(
        exit_code=end["exit_code"],
        verdict=gate.get("verdict"),
        why=gate.get("why"),
        gates=gate.get("gates", []),
        metrics=metrics,
        candidate=_candidate(gate.get("candidate")),
        champion_before=short(before),
        champion=short(now),
        stages=[
            {key: event[key] for key in ("stage", "state", "seconds", "line")}
            for event in told
            if event["event"] == "stage" and event["state"] != "running"
        ],
        quarantined=quarantined(),
        reports=there(SHOWN),
        pictures=there(PICTURES),
        seconds=round(seconds, 1),
        timings=optional(paths.TIMINGS),
        faults=end["faults"],
        remedy=end["remedy"],
        declined=next((e["why"] for e in told if e["event"] == "declined"), None),
    )


def short(champion: Champion | None) -> dict[str, str] | None:
    """Return a champion without its plan."""
    if champion is None:
        return None
    keys = ("model", "version", "digest", "verdict", "when")
    return {key: getattr(champion, key) for key in keys}


def optional(path: Path) -> dict[str, Any]:
    """Return a report, or nothing where there is none yet or it can't be read."""
    try:
        return files.read_json(path, "")
    except InputError:
        return {}


def quarantined() -> list[dict[str, str]]:
    """Return the batches that the last validation set aside, each with why."""
    batches = optional(paths.VALIDATION_REPORT).get("batches", [])
    return [
        {"period": batch["period"], "why": batch.get("why") or "see the report"}
        for batch in batches
        if batch["quarantined"]
    ]


def there(known: Sequence[Path]) -> list[str]:
    """Return those of the paths that are there."""
    return [path.as_posix() for path in known if path.exists()]


def _candidate(digest: str | None) -> dict[str, str | None] | None:
    """Return the candidate and the version under which it is registered, if it is."""
    if digest is None:
        return None
    registration = optional(paths.REGISTRATION)
    known = registration.get("digest") == digest
    return {"digest": digest, "version": registration["version"] if known else None}
