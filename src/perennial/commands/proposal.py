"""A proposal in words: the page that is the body of a pull request, and its commit's message."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial import paths
from perennial.adapters import branches, dag, histories
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.commands.markdown import gate_table
from perennial.commands.summary import Summary, optional
from perennial.commands.wording import digest, plural
from perennial.errors import PerennialError


@dataclass(frozen=True)
class Proposal:
    """What there is to tell: the commit it starts from, the branch (None: nothing to propose), what
    came of the run (None: it didn't end), and how many outputs DVC's remote lacked (None: there is
    no remote)."""

    base: str
    branch: str | None
    found: Summary | None
    lacking: int | None


def describe(proposal: Proposal, error: PerennialError | None = None) -> str:
    """Return the page: what is proposed, why, what drifted, the gates and the metrics."""
    found = proposal.found
    if found is None or (found.exit_code != 0 and found.verdict != "block"):
        faults = error.faults if error else found.faults if found else []
        remedy = error.remedy if error else found.remedy if found else None
        lines = ["# Retraining failed", "", *(f"- {fault}" for fault in faults)]
        lines += ["", f"→ {remedy}"] if remedy else []
        return "\n".join([*lines, "", _from(proposal), ""])
    lines = [f"# {title(proposal)}", "", *_champion(proposal, found), ""]
    lines += ["## Drift", "", _drift(found), ""]
    lines += _gates(found.gates)
    table = dag.metrics_diff(proposal.base, [paths.METRICS])
    if len(table.splitlines()) > 2:  # more than its head
        lines += [
            "## Metrics",
            "",
            "Each candidate on its own holdout, which moves on with the data.",
        ]
        lines += ["", "<details><summary>Differences</summary>", "", table, "", "</details>", ""]
    return "\n".join([*lines, *_batches(found), _from(proposal), ""])


def title(proposal: Proposal) -> str:
    """Return it in a line."""
    found, period = proposal.found, optional(paths.DRIFT_REPORT).get("period", "")
    if found is not None and found.verdict == "block":
        return f"Retraining on {period}: blocked"
    if proposal.branch is None:
        return f"Retraining on {period}: the champion stays"
    if (now := champions.read()) and now.digest != _champion_of(proposal.base):
        return f"Retraining on {period}: {digest(now.digest)} becomes champion"
    return f"Retraining on {period}: the champion withstood a challenge"


def message(proposal: Proposal) -> str:
    """Return the message of the commit, without trailers."""
    return f"{title(proposal)}\n\n{_why(proposal)}"


def _champion_of(commit: str) -> str | None:
    content = json.loads(branches.committed(paths.CHAMPION.as_posix(), commit) or "{}")
    found: str | None = content.get("digest")
    return found


def _why(proposal: Proposal) -> str:
    """Return why: as the gate said it; for a promotion as the history has it, which is there even
    if the run that promoted was killed after it."""
    now = champions.read()
    if proposal.branch and now and now.digest != _champion_of(proposal.base):
        return f"{now.verdict}: {histories.read()[-1]['why']}"
    found = proposal.found
    return f"{found.verdict}: {found.why}" if found else ""


def _champion(proposal: Proposal, found: Summary) -> list[str]:
    before, now = _champion_of(proposal.base), champions.read()
    lines = [f"**Verdict** {_why(proposal)}", ""]
    if found.verdict == "block":
        candidate = digest((found.candidate or {}).get("digest"))
        return [*lines, f"Candidate `{candidate}` was stopped; champion stays `{digest(before)}`."]
    if proposal.branch is None or now is None:
        return [*lines, f"Champion stays `{digest(before)}`. There is nothing to merge."]
    if now.digest == before:
        return [*lines, f"Champion stays `{digest(before)}`; merging records the attempt."]
    was = f"`{digest(before)}`" if before else "nobody"
    return [
        *lines,
        f"Champion until now: {was}. **Merging makes `{digest(now.digest)}` champion.**",
    ]


def _drift(found: Summary) -> str:
    """Return what the monitor found. The report is that of the last walk, in which a promoted
    champion knows every batch, so what the first walk said comes first."""
    said = [stage["line"] for stage in found.stages if stage["stage"] == "monitor"]
    report, now = optional(paths.DRIFT_REPORT), champions.read()
    if said and said[0] and ": " in said[0]:
        promoted = now is not None and now.digest != (found.champion_before or {}).get("digest")
        verdict = now.plan["because"] if promoted and now else report.get("verdict")
        return f"**{verdict}**: {said[0]}"
    return f"**{report.get('verdict')}**: {report.get('action')}: {report.get('why')}"


def _gates(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    if not gates:
        return []
    told = [gate for gate in gates if gate["verdict"] != "pass"]
    passed = plural(len(gates) - len(told), "gate passes", "gates pass")
    lines = ["## Gates", "", f"{passed}; {len(told)} of {len(gates)} fail or can't tell.", ""]
    return [*lines, *(gate_table(told) if told else []), ""]


def _batches(found: Summary) -> list[str]:
    as_of = read_params("data").data.as_of
    later = [batch.period for batch in batches.find(paths.BATCHES) if batch.period > as_of]
    lines = [f"- quarantined: {each['period']}: {each['why']}" for each in found.quarantined]
    if as_of != "latest" and later:
        what = plural(len(later), "later batch is", "later batches are")
        lines.append(f"- `data.as_of` is {as_of}, so {what} not looked at")
    return ["## Batches", "", *lines, ""] if lines else []


def _from(proposal: Proposal) -> str:
    lacked = "DVC has no remote"
    if proposal.lacking is not None:
        lacked = f"{plural(proposal.lacking, 'output', 'outputs')} not to be had from DVC's remote"
    return f"From commit {proposal.base[:12]}; {lacked}."
