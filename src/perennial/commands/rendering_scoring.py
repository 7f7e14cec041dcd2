"""What a person reads of files that were scored."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from perennial.commands.rendering import pairs
from perennial.commands.score import Scored
from perennial.commands.wording import digest, duration, plural

WORDS = {"missing": "missing", "out_of_range": "out of range", "rare_or_unseen": "rare or unseen"}


def scored(found: Scored) -> RenderableType:
    """Return what was scored, by whom, how fast, and what had to be handled."""
    told = found.to_json()
    rate = told["rows_per_second"]
    known = sum(file["known"] for file in told["files"])
    rows = [
        ("model", f"{found.model} version {found.version} ({digest(found.digest)})"),
        (
            "files",
            plural(len(told["files"]), "file", "files") + (f", {known} known" if known else ""),
        ),
        (
            "rows",
            f"{told['rows']:,} in {duration(found.seconds)}"
            + (f", {rate:,.0f} a second" if rate else ""),
        ),
    ]
    if told["positive_share"] is not None:
        rows.append(("decided 1", f"{told['positive_share']:.2%} of the rows"))
    rows += [("handled", line) for line in _handled(told["handled"], told["rows"])]
    outs = [file["out"] for file in told["files"]]
    rows.append(("written", outs[0] if len(outs) == 1 else f"{outs[0]} … {outs[-1]}"))
    return Group(pairs(rows), Text(""))


def _handled(handled: Mapping[str, Mapping[str, int]], rows: int) -> list[str]:
    return [
        f"{name}: " + ", ".join(f"{n:,} {WORDS[what]} ({n / rows:.1%})" for what, n in some)
        for name, counts in handled.items()
        if (some := [(what, n) for what, n in counts.items() if n])
    ]
