"""What a person reads of the history and of what the doctor found."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from perennial.commands.doctor import Diagnosis
from perennial.commands.rendering import pairs
from perennial.commands.wording import digest, plural

ACTIONS = {"promote": "", "rollback": ", rolled back", "restore": ", set by hand or Git"}


def history(entries: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return every change of champion, newest first, and how its chain ends."""
    if not entries:
        return Text("Nobody was promoted yet; `perennial run` makes the first champion.")
    blocks = []
    for entry in reversed(entries):
        before, commit = entry["from"], entry["commit"]
        to = f"version {entry['to']['version']} ({digest(entry['to']['digest'])})"
        since = f"version {before['version']} ({digest(before['digest'])})" if before else "nobody"
        at = f", at commit {commit[:8]}" if commit else ""
        told = f"after {since}, by {entry['who']}{at}\n{entry['verdict']}: {entry['why']}"
        blocks.append((entry["when"], f"{to}{ACTIONS.get(entry['action'], '')}\n{told}"))
    count = plural(len(entries), "entry", "entries")
    chain = f"{count}, each chained to the one before; the last is {digest(entries[-1]['sha256'])}"
    return Group(pairs(blocks), Text(chain, "dim"))


def diagnosis(found: Diagnosis) -> RenderableType:
    """Return what was found, and what became of it."""
    lines = []
    for each in found.findings:
        mark, colour = ("✓", "green") if each.mended else ("✗", "red")
        lines.append(Text.assemble((f"{mark} ", colour), each.what))
        lines.append(Text(f"    {each.remedy}", "dim"))
    faults, left = len(found.findings), sum(not each.mended for each in found.findings)
    end = "all is well" if not faults else f"{plural(faults, 'fault', 'faults')}, {left} left"
    return Group(*lines, Text(f"{plural(found.checked, 'thing', 'things')} looked at: {end}."))
