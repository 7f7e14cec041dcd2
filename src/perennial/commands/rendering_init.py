"""What a person reads of init and add: what was found, what was chosen, what is written."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from perennial import paths
from perennial.commands.add import Added
from perennial.commands.init import GUIDE, Made
from perennial.commands.rendering import pairs
from perennial.commands.wording import plural

MOST = 60  # columns that are shown
COLOURS = {"target": "bold green", "feature": "", "no feature": "yellow"}


def report(made: Made) -> RenderableType:
    """Return all of it."""
    found = made.profile
    facts: list[tuple[str, str]] = [("read", said) for said in made.source]
    classes = found.classes
    facts.append(("rows", f"{found.rows:,}, {len(found.columns):,} columns"))
    facts.append(
        (
            "target",
            f"{found.target}: {classes.positive} is positive ({classes.chosen}), "
            f"{classes.rate:.2%} of the rows",
        )
    )
    cut = found.periods.why if found.periods else "one batch, as rows have no time"
    facts.append(("batches", cut))
    sizes = found.sizes
    held = f"{found.kind}; at least {sizes.calibration:,} rows calibrate, {sizes.holdout:,} judge"
    facts.append(("split", held))
    facts.append(("fairness", ", ".join(found.groups) or "nobody was named"))
    facts.append(("model", made.model))
    parts: list[RenderableType] = [pairs(facts), Text(""), _columns(made)]
    if found.look:
        parts += [Text("\nLook at this first", "bold"), *_listed(found.look)]
    parts += [Text(""), pairs(_files(made))]
    if made.hindrances and not made.written:
        parts += [Text("\nIt would be refused without --force", "bold"), *_listed(made.hindrances)]
    end = (
        f"Done: `git diff` shows what changed, {GUIDE} what to look at first. Next: make run"
        if made.written
        else "Nothing was written: this was --dry-run."
    )
    return Group(*parts, Text(f"\n{end}"))


def added(found: Added) -> RenderableType:
    """Return what became of later rows."""
    facts = [("read", said) for said in found.source]
    for period, rows in found.rows.items():
        there = "there already, the same" if period in found.known else plural(rows, "row", "rows")
        facts.append((f"{paths.BATCHES}/{period}.parquet", there))
    if found.new_columns:
        facts.append(("new columns", f"{', '.join(found.new_columns)}: no feature comes from them"))
    if not found.written:
        return Group(pairs(facts), Text("\nNothing was written: this was --dry-run."))
    end = "Next: perennial run"
    if found.beyond:
        last = found.beyond[-1]
        end = f"No run looks beyond data.as_of in params.yaml: move it on to {last}, or to latest"
    return Group(pairs(facts), Text(f"\n{end}"))


def to_json(made: Made) -> dict[str, Any]:
    """Return it as JSON values."""
    found = made.profile
    cut = found.periods
    features = {
        name: {"from": f.source, "as": f.kind, "missing": f.missing, "why": f.why}
        for name, f in found.features.items()
    }
    groups = {n: {"from": g.source, "bins": g.bins, "why": g.why} for n, g in found.groups.items()}
    return {
        "schema_version": 1,
        "written": made.written,
        "source": list(made.source),
        "rows": found.rows,
        "target": {
            "column": found.target,
            "positive": found.classes.positive,
            "rate": found.classes.rate,
            "why": found.classes.chosen,
        },
        "batches": {period: len(rows) for period, rows in made.rows.items()},
        "periods": {"unit": cut.unit, "why": cut.why} if cut else None,
        "split": {
            "kind": found.kind,
            "key": found.key,
            "calibration_rows": found.sizes.calibration,
            "holdout_rows": found.sizes.holdout,
        },
        "columns": [
            {"name": c.name, "kind": c.kind, "missing": c.missing, "said": list(c.said)}
            for c in found.columns
        ],
        "features": features,
        "dropped": dict(found.dropped),
        "forbidden": list(found.forbidden),
        "sensitive": groups,
        "alone": {name: round(auc, 6) for name, auc in found.alone.items()},
        "look": list(found.look),
        "model": made.model,
        "written_files": [path.as_posix() for path in made.texts],
        "removed": [path.as_posix() for path in made.removed],
        "refused_without_force": list(made.hindrances),
    }


def _columns(made: Made) -> RenderableType:
    found = made.profile
    table = Table(box=None, pad_edge=False)
    for heading in ("column", "is", "becomes", "why"):
        table.add_column(heading, overflow="fold", no_wrap=False)
    features = {chosen.source: (name, chosen) for name, chosen in found.features.items()}
    for column in found.columns[:MOST]:
        if column.name == found.target:
            fate, why = "target", f"{found.classes.positive} is positive"
        elif column.name in features:
            name, chosen = features[column.name]
            fate, why = "feature", f"{chosen.kind}, {chosen.why}"
            why = f"as {name}: {why}" if name != column.name else why
        else:
            fate, why = "no feature", found.dropped.get(column.name, "not used")
        why = "; ".join([why, *column.said])
        table.add_row(Text(column.name), Text(column.kind), Text(fate, COLOURS[fate]), Text(why))
    if len(found.columns) <= MOST:
        return table
    return Group(table, Text(f"… and {len(found.columns) - MOST:,} more columns; --json has all"))


def _files(made: Made) -> list[tuple[str, str]]:
    verb = "wrote" if made.written else "would write"
    gone = "removed" if made.written else "would remove"
    batches = plural(len(made.rows), "batch", "batches")
    named = ", ".join(path.as_posix() for path in made.texts)
    lines = [(verb, f"{named}; {batches} in {paths.BATCHES}")]
    if made.removed:
        some = ", ".join(path.as_posix() for path in made.removed[:8])
        more = f" and {len(made.removed) - 8} more" if len(made.removed) > 8 else ""
        lines.append((gone, f"what was the old data's: {some}{more}"))
    return lines


def _listed(lines: Sequence[str]) -> list[RenderableType]:
    return [Text(f"  • {line}") for line in lines]
