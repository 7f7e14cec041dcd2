"""What a person reads of a run, of how things are and of a check."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from perennial.commands.pending import Promotion
from perennial.commands.status import Status
from perennial.commands.summary import Summary
from perennial.commands.verify import Verification
from perennial.commands.wording import METRICS, digest, duration, estimate, metric, plural

COLOURS = {"promote": "green", "keep": "cyan", "block": "red"}
VERDICTS = {
    "pass": ("pass", "green"),
    "insufficient": ("unclear", "yellow"),  # tolerated; its `why` says so
    "fail": ("fail", "red"),
    "blocks": ("BLOCKS", "bold red"),
}
KEEP = "To keep it, commit champion.json, history.jsonl, models/champion.dvc, dvc.lock, reports/."
CHANGES = 2  # of those that make a stage stale, so many are named


def summary(found: Summary) -> RenderableType:
    """Return the end of a run: verdict, gates, metrics, who is champion, where to look."""
    if found.verdict is None:
        return Text("")
    parts: list[RenderableType] = [
        Text.assemble(
            "\nVerdict: ", (found.verdict, f"bold {COLOURS.get(found.verdict, '')}"), style="bold"
        ),
        Text(f"{found.why}\n"),
        _gates(found.gates),
        Text(""),
        _metrics(found.metrics),
        Text(""),
        pairs(_persons(found)),
    ]
    parts += [_quarantined(found.quarantined)] if found.quarantined else []
    if found.timings:
        parts.append(pairs([("scoring", _scoring(found.timings))]))
    where = (("reports", "  ".join(found.reports)), ("pictures", "  ".join(found.pictures)))
    kept = f" {KEEP}" if found.champion != found.champion_before else ""
    return Group(*parts, Text(""), pairs(where), Text(f"\nTook {duration(found.seconds)}.{kept}"))


def status(found: Status) -> RenderableType:
    """Return how things are."""
    rows: list[tuple[str, str]] = [("champion", _named(found.champion))]
    if found.plan:
        plan = found.plan
        rows.append(("plan", f"{plan['action']} (because: {plan['because']})"))
        for name, part in plan["parts"].items():
            size = f"{plural(part['batches'], 'batch', 'batches')}, {part['rows']:,} rows"
            rows.append(("", f"{name}: {part['from']} to {part['to']}, {size}"))
    if found.drift:
        drift = found.drift
        rows.append(("drift", f"{drift['verdict']} → {drift['action']}: {drift['why']}"))
    if found.gate:
        rows.append(("gate", f"{found.gate['verdict']}: {found.gate['why']}"))
    if found.registered:
        known = found.registered
        who = f"{known['model']} version {known['version']} ({digest(known['digest'])})"
        rows.append(("registered", who))
    rows += [(alias, told) for alias, told in found.aliases.items() if told]
    rows += [("quarantined", f"{each['period']}: {each['why']}") for each in found.quarantined]
    rows += _stale(found.stale)
    if found.unfinished:
        rows.append(
            ("unfinished", "a promotion or rollback was killed halfway; `perennial doctor` ends it")
        )
    return pairs(rows)


def promotion(done: Promotion) -> RenderableType:
    """Return what a promotion came to."""
    champion = done.champion
    who = f"{champion.model} version {champion.version} ({digest(champion.digest)})"
    if not done.changed:
        return Text(f"{who} is champion already.")
    back = " again" if done.action == "rollback" else ""
    before = f"version {done.before['version']}" if done.before else "nobody"
    return Text(f"{who} is champion{back} now; before: {before}.\n{done.why}\n{KEEP}")


def verification(found: Verification) -> RenderableType:
    """Return what was checked, and every fault."""
    lines = []
    for each in found.checked:
        mark, colour = ("✗", "red") if each.faults else ("✓", "green")
        known = f" {digest(each.digest)}" if each.digest else ""
        lines.append(Text.assemble((f"{mark} ", colour), each.what, (known, "dim")))
        lines += [Text(f"    {fault}", "red") for fault in each.faults]
    things = plural(len(found.checked), "thing", "things")
    faults = plural(found.faults, "fault", "faults") if found.faults else "no fault"
    return Group(*lines, Text(f"{things} checked, {faults}."))


def _gates(gates: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the gates that block or are unclear, each with its numbers, and who else passes.

    The page of the gates has the numbers of all.
    """
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    passed = [gate["name"] for gate in gates if gate["verdict"] == "pass"]
    for gate in gates:
        if gate["verdict"] == "pass":
            continue
        verdict = "blocks" if gate.get("blocks") else gate["verdict"]
        word, colour = VERDICTS.get(verdict, (verdict, ""))
        table.add_row(Text(word, colour), Text(gate["name"]), Text(gate["why"], "dim"))
    if passed:
        count = plural(len(passed), "gate", "gates")
        table.add_row(Text("pass", "green"), Text(count), Text(", ".join(passed), "dim"))
    return table


def _metrics(metrics: Mapping[str, Mapping[str, float]]) -> RenderableType:
    order = {name: number for number, name in enumerate(METRICS)}
    names = sorted(metrics, key=lambda name: order.get(name, len(order)))
    rows = next((value["n"] for value in metrics.values()), 0)
    title = Text(f"\nOn {rows:,} rows held out\n", "bold")
    return Group(title, pairs((metric(name), estimate(metrics[name])) for name in names))


def _persons(found: Summary) -> list[tuple[str, str]]:
    candidate = found.candidate or {}
    version = candidate.get("version")
    registered = f"registered as version {version}" if version else "not registered"
    return [
        ("candidate", f"{digest(candidate.get('digest'))}, {registered}"),
        ("champion before", _named(found.champion_before)),
        ("champion now", _named(found.champion)),
        *([("not promoted", found.declined)] if found.declined else []),
    ]


def _scoring(timings: Mapping[str, float]) -> str:
    """Return what was measured on this machine; it decides nothing."""
    one, every, rows = timings["one_row_ms"], timings["all_rows_ms"], timings["rows"]
    return (
        f"one row {one:.0f} ms, {rows:,} rows {every:.0f} ms, from raw columns to a decision; "
        "measured on this machine"
    )


def _named(champion: Mapping[str, str] | None) -> str:
    if champion is None:
        return "nobody"
    who = f"{champion['model']} version {champion['version']} ({digest(champion['digest'])})"
    return f"{who}, since {champion['when']}"


def _quarantined(batches: Sequence[Mapping[str, str]]) -> RenderableType:
    return pairs(("quarantined", f"{each['period']}: {each['why']}") for each in batches)


def _stale(stale: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    if not stale:
        return [("stale", "nothing: `dvc repro` would change nothing")]
    rows = []
    for name, changes in stale.items():
        more = f" and {len(changes) - CHANGES} more" if len(changes) > CHANGES else ""
        rows.append(("stale", f"{name} ({', '.join(changes[:CHANGES])}{more})"))
    return rows


def pairs(rows: Any) -> RenderableType:
    """Return names and what is said of each, a line each; a name that comes again is left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    last = None
    for name, value in rows:
        table.add_row(Text("" if name == last else name), Text(value))
        last = name
    return table
