"""What a person reads: the summary of a run, the status, and the verdict as a page for Prefect."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import files

if TYPE_CHECKING:
    from rich.console import RenderableType

MARKS = {
    "pass": "[green]pass[/]",
    "fail": "[red]fail[/]",
    "insufficient": "[yellow]insufficient[/]",
}
COLORS = {"promote": "green", "keep": "cyan", "block": "red"}
METRICS = ("roc_auc", "average_precision", "log_loss", "brier", "ece", "accuracy", "f1")
REPORTS = (
    (paths.GATE_REPORT, "the gates"),
    (paths.CURVES, "ROC, calibration, confusion"),
    (paths.SHAP_PLOTS, "what drives the model"),
    (paths.FAIRNESS_PLOTS, "decisions by group"),
    (paths.DATA_DOCS / "index.html", "what the batches hold"),
)


def own_lines(log: Path) -> list[str]:
    """Return the lines of a log that say something."""
    if not log.exists():
        return []
    return [line for line in log.read_text(errors="replace").splitlines() if line.strip()]


def report(path: Path) -> dict[str, Any] | None:
    """Return a report, or None if it is not there yet."""
    return files.read_json(path, "Run `dvc repro`.") if path.exists() else None


def summary() -> "RenderableType":
    """Return the last run's verdict, gates and metrics for the terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    gate, metrics = report(paths.GATE_REPORT), report(paths.METRICS)
    parts: list[RenderableType] = []
    if gate is not None:
        table = Table(box=None, pad_edge=False, show_header=False)
        for result in gate["gates"]:
            table.add_row(MARKS[result["verdict"]], result["name"], Text(result["why"], "dim"))
        parts += [Text("Gates", "bold"), table]
    if metrics is not None:
        shown = [f"{name} {_estimate(metrics['holdout'][name])}" for name in METRICS]
        rows = metrics["holdout"]["roc_auc"]["n"]
        parts += [Text(f"\nHoldout, {rows:,} rows", "bold"), Text("\n".join(shown))]
    where = Table(box=None, pad_edge=False, show_header=False)
    for path, what in REPORTS:
        if path.exists():
            where.add_row(str(path), Text(what, "dim"))
    return Group(*parts, Text("\nLook at", "bold"), where)


def headline(seconds: float, promoted: bool) -> str:
    """Return one line on how the run ended, with Rich's marks."""
    gate, champion = report(paths.GATE_REPORT), report(paths.CHAMPION)
    if gate is None or champion is None:
        return f"ended after {seconds:.0f} s"
    verdict = "promote" if promoted else gate["verdict"]
    what = f"[bold {COLORS[verdict]}]{verdict}[/] after {seconds:.0f} s"
    if champion["version"] is None:
        return f"{what}; nobody is champion"
    who = f"{champion['model']} version {champion['version']} ({champion['digest'][:12]})"
    return f"{what}; champion is {who}" + (", new" if promoted else "")


def status(found: Mapping[str, Any]) -> "RenderableType":
    """Return `perennial status` for the terminal."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    champion, plan, drift, gate = (found[k] for k in ("champion", "plan", "drift", "gate"))
    table.add_row(
        "champion",
        f"{champion['model']} version {champion['version']} ({champion['digest'][:12]}), "
        f"since {champion['when']}"
        if champion
        else "nobody yet; `perennial run` makes one",
    )
    if plan:
        table.add_row("plan", f"{plan['action']} (because: {plan['because']})")
        for name, part in plan["parts"].items():
            span = f"{part['from']} to {part['to']}"
            table.add_row("", f"{name}: {span}, {part['batches']} batches, {part['rows']:,} rows")
    if drift:
        table.add_row("drift", f"{drift['verdict']}, {drift['action']}: {drift['why']}")
    if gate:
        table.add_row("gate", f"{gate['verdict']}: {gate['why']}")
    for batch in found["quarantined"]:
        table.add_row("quarantined", f"{batch['period']}: {batch['why']}")
    table.add_row("stale", ", ".join(found["stale"]) or "nothing")
    return table


def history(entries: list[dict[str, Any]]) -> "RenderableType":
    """Return `perennial history` for the terminal, newest first."""
    from rich.table import Table

    table = Table("when", "version", "before", "who", "commit", "why", box=None, pad_edge=False)
    for entry in reversed(entries):
        table.add_row(
            entry["when"],
            entry["to"]["version"],
            entry["from"]["version"] if entry["from"] else "nobody",
            entry["who"],
            (entry["commit"] or "none")[:8],
            entry["why"],
        )
    return table


def markdown() -> str:
    """Return the verdict as a page: what Prefect shows beside the flow's run."""
    gate, metrics = report(paths.GATE_REPORT), report(paths.METRICS)
    if gate is None:
        return "No verdict: the run ended before the gate."
    lines = [
        f"# {gate['verdict']}",
        gate["why"],
        "",
        f"Candidate `{gate['candidate']}`, champion `{gate['champion'] or 'nobody'}`.",
        "",
        "| gate | verdict | why |",
        "|---|---|---|",
        *(f"| {g['name']} | {g['verdict']} | {g['why']} |" for g in gate["gates"]),
    ]
    if metrics is not None:
        lines += ["", "| metric on the holdout | value and interval |", "|---|---|"]
        lines += [f"| {n} | {_estimate(metrics['holdout'][n])} |" for n in METRICS]
    lines += ["", "Reports:", *(f"- [{p}]({p.resolve().as_uri()}): {w}" for p, w in REPORTS)]
    return "\n".join(lines)


def _estimate(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
