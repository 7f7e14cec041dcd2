"""What a person reads of a proof: of the gates, of drift's alarms, of the policy."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from perennial.adapters.drift_plots import planted
from perennial.commands.rendering import pairs
from perennial.commands.wording import duration, estimate

if TYPE_CHECKING:
    from perennial.commands.calibrate import Found
    from perennial.commands.prove import Proof
    from perennial.commands.replay import Replayed


def proof(found: "Proof") -> RenderableType:
    """Return what was planted, what stopped it, how many good ones were blocked, what is seen."""
    report = found.report
    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ({}, {"no_wrap": True}, {"no_wrap": True}, {"overflow": "fold"}):
        table.add_column(**column)
    for line in report["planted"]:
        word, colour = ("caught", "green") if line["stopped"] else ("MISSED", "bold red")
        said = ", ".join(line["stopped_by"]) or "nothing"
        table.add_row(
            Text(word, colour), line["population"], Text(line["kind"]), Text(f"by {said}", "dim")
        )
    caught = sum(line["stopped"] for line in report["planted"])
    rows = [("planted", f"{caught} of {len(report['planted'])} stopped by the gate meant for them")]
    for name, where in (("good", "synthetic"), ("good_shipped", "shipped")):
        good = report[name]
        if good["n"]:
            words = f"{good['false_blocks']} of {good['n']} blocked, {estimate(good['rate'])}"
            rows.append((f"good, {where}", words))
    power = report["power"] or {"gates": {}}
    for name, seen in power["gates"].items():
        least = seen["detectable"]
        words = f"{least:.3f} or more" if least is not None else "none of the effects tried"
        rows.append((f"{name} sees", f"{words}, four times of five, on {power['rows']:,} rows"))
    return Group(table, Text(""), pairs(rows))


def calibration(found: "Found") -> RenderableType:
    """Return false alarms, what changes are seen, and the thresholds that would do."""
    report = found.report
    rows = [
        (f"{size['rows']:,} rows", f"{estimate(size['false_alarm_rate'])} raise an alarm")
        for size in report["by_size"]
    ]
    by = [
        (f"  by {name}", estimate(one)) for name, one in report["by_look"].items() if one["value"]
    ]
    sizes = [size["rows"] for size in report["by_size"]]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("planted", "in", "size", "of rows", *(f"{size:,} rows" for size in sizes)):
        table.add_column(name)
    for plant in planted(report["power"]):
        cells = [estimate(plant["alarmed"].get(size)) for size in sizes]
        table.add_row(
            plant["kind"], plant["column"], f"{plant['size']:g}", f"{plant['share']:.0%}", *cells
        )
    allowed = f"{estimate(report['false_alarm_rate'])}, {report['allowed']:.0%} are allowed"
    return Group(
        Text("Windows without drift", "bold"),
        pairs([*rows, ("all", allowed), *by]),
        Text("\nWindows with a change planted that raise an alarm", "bold"),
        table,
        Text("\nThe smallest thresholds that would do, for params.yaml", "bold"),
        Text(report["suggested_params"]),
    )


def replay(found: "Replayed") -> RenderableType:
    """Return what each policy was worth and cost, and each against never and always."""
    report = found.report
    table = Table(box=None, pad_edge=False)
    for name in ("policy", "retrained", "promoted", "compute", "ROC AUC", "log loss"):
        table.add_column(name, no_wrap=True)
    for policy in report["policies"]:
        table.add_row(
            policy["policy"],
            str(policy["retrainings"]),
            str(policy["promotions"]),
            duration(policy["seconds"]),
            estimate(policy["roc_auc"]),
            estimate(policy["log_loss"]),
        )
    against = Table(box=None, pad_edge=False)
    for name in ("policy", "less", "part", "ROC AUC", "log loss"):
        against.add_column(name, no_wrap=True)
    for line in report["differences"]:
        against.add_row(
            line["policy"],
            line["than"],
            line["part"].replace("_", " "),
            estimate(line["roc_auc"]),
            estimate(line["log_loss"]),
        )
    words = f"{report['first']} to {report['last']}, the second half from {report['second_half']}"
    where = "reports/replay.html shows it period by period" if found.written else ""
    return Group(table, Text(""), against, Text(words, "dim"), Text(where, "dim"))
