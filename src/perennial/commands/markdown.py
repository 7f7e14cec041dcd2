"""The verdict as Markdown, for Prefect's page of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perennial.adapters.bundles.champions import Champion
from perennial.commands.summary import PICTURES, SHOWN, there
from perennial.commands.wording import estimate, metric, number


def markdown(
    gate: Mapping[str, Any], metrics: Mapping[str, Mapping[str, float]], before: Champion | None
) -> str:
    """Return the verdict, the gates, the metrics and where the reports are."""
    compared = f"version {before.version}, `{before.digest[:12]}`" if before else "nobody"
    lines = [
        f"# Verdict: {gate.get('verdict', 'none')}",
        "",
        f"{gate.get('why', 'The gate left no report.')}",
        "",
        f"Candidate `{str(gate.get('candidate'))[:12]}`; champion until now: {compared}.",
        "",
        *gate_table(gate.get("gates", [])),
    ]
    lines += ["", "| metric | holdout |", "|---|---|"]
    lines += [f"| {metric(name)} | {estimate(value)} |" for name, value in metrics.items()]
    lines += ["", f"In `{Path.cwd()}`:", ""]
    lines += [f"- [{path}]({Path(path).resolve().as_uri()})" for path in there(SHOWN + PICTURES)]
    return "\n".join([*lines, ""])


def gate_table(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table of gates."""
    lines = ["| gate | verdict | estimate | threshold | why |", "|---|---|---|---|---|"]
    for each in gates:
        cells = [each["name"], each["verdict"] + (" (blocks)" if each.get("blocks") else "")]
        cells += [estimate(each["estimate"]), number(each["threshold"]), each["why"]]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines
