"""The pages that init writes about the user's data: what it is, and what to look at first."""

import re
from collections.abc import Iterable, Mapping, Sequence

from perennial.core.profiling.profile import Profile

MOST = 300  # columns that are listed


def model_name(source: str, target: str) -> str:
    """Return the model's name: of the data and what is predicted, in letters, digits and dashes."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{source}-{target}").strip("-").lower()
    return words[:64].strip("-") or "model"


def readme(source: Sequence[str], found: Profile, sizes: Mapping[str, int]) -> str:
    """Return data/README.md."""
    lines = [
        "# The data of this project",
        "",
        "Made by `perennial init` from:",
        "",
        *(f"- {_plain(said)}" for said in source),
        "",
        f"{found.rows:,} rows in {len(sizes):,} {'batch' if len(sizes) == 1 else 'batches'}, one "
        "file a period in `batches/`. A batch is never edited; corrected rows are a batch of their "
        "own. A new one has the same columns, of the same types. Write here where the data come "
        "from, who may use them, and for what.",
        "",
        "| column | what it is | what becomes of it |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in rows(found)[:MOST]),
    ]
    if len(found.columns) > MOST:
        lines += ["", f"and {len(found.columns) - MOST:,} more: `params.yaml` has them all."]
    lines += ["", "| period | rows |", "|---|---|", *(f"| {n} | {s} |" for n, s in sizes.items())]
    return "\n".join(lines) + "\n"


def guide(source: Sequence[str], found: Profile, model: str) -> str:
    """Return docs/your-data.md: what was chosen, and what to look at first."""
    classes = found.classes
    lines = [
        "# Your data: what to look at first",
        "",
        f"Written by `perennial init` for `{model}`. Every choice stands in `params.yaml` with its "
        "reason; this page says which are worth a look. It is yours to edit.",
        "",
        *_numbered(
            [
                *map(_plain, found.look),
                "**What a decision is worth** (`training.utility`). Nobody but you knows; the "
                "threshold follows from it",
                f"**The positive class** (`target.positive`): {_plain(str(classes.positive))}, "
                f"{classes.rate:.2%} of the rows; {classes.chosen}",
                _split(found),
                *_groups(found),
                "**The gates** (`gates`): thresholds that a model must be beyond, for sure. They "
                "are reasoned without having seen a model of yours: raise the quality floor to "
                "what your use needs. If a run ends in `block`, its page `reports/gate.html` says "
                "by which gate and with what numbers; too few rows to tell is an honest answer",
                "**What you know** (`behaviour`, `evaluation.slices`): changes that must not move "
                "a probability, directions, and rows that must not be served badly",
            ]
        ),
        "",
        "Then `make run`; after it `perennial prove-gates`, which plants faults on your rows.",
        "",
        "## What was read",
        "",
        *(f"- {_plain(said)}" for said in source),
        "",
        "## What each column is",
        "",
        "| column | what it is | what becomes of it |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in rows(found)[:MOST]),
    ]
    if len(found.columns) > MOST:
        lines += ["", f"and {len(found.columns) - MOST:,} more: `params.yaml` has them all."]
    return "\n".join(lines) + "\n"


def rows(found: Profile) -> list[tuple[str, str, str]]:
    """Return for each column its name, what it is and what becomes of it, as table cells."""
    features = {chosen.source: (name, chosen) for name, chosen in found.features.items()}
    listed = []
    for column in found.columns:
        kind = {"number": "number", "category": "category", "date": "date"}[column.kind]
        what = "; ".join(
            [kind, *column.said, *([_missing(column.missing)] if column.missing else [])]
        )
        if column.name == found.target:
            fate = f"target; {found.classes.positive} is positive"
        elif column.name in features:
            name, chosen = features[column.name]
            fate = f"feature {name} as {chosen.kind}: {chosen.why}"
        else:
            fate = f"no feature: {found.dropped.get(column.name, 'not used')}"
        groups = [name for name, group in found.groups.items() if group.source == column.name]
        fate += f"; sensitive attribute {groups[0]}" if groups else ""
        listed.append((_plain(column.name), _plain(what), _plain(fate)))
    return listed


def _split(found: Profile) -> str:
    sizes = found.sizes
    cut = f": {_plain(found.periods.why)}" if found.periods else ""
    return (
        f"**How rows are held out** (`split.kind`): {found.kind}{cut}. At least "
        f"{sizes.calibration:,} calibrate, {sizes.holdout:,} judge"
    )


def _groups(found: Profile) -> list[str]:
    if found.groups:
        named = ", ".join(_plain(name) for name in found.groups)
        return [
            f"**Whom to treat fairly** (`sensitive`, `fairness`): {named}. Which harm counts "
            "is yours to say; nothing is mitigated until you have seen the differences"
        ]
    return [
        "**Whom to treat fairly** (`sensitive`, `fairness`): you named nobody, so the gate "
        "`fairness` says that it does not know. If decisions are about people, name attributes"
    ]


def _numbered(items: Iterable[str]) -> list[str]:
    return [f"{n}. {item.rstrip('.')}." for n, item in enumerate(items, start=1)]


def _missing(share: float) -> str:
    return f"{share:.1%} missing"


def _plain(text: str) -> str:
    """Return a text that is one line of Markdown and means nothing to it."""
    one = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return re.sub(r"([|`<>\[\]*_\\])", r"\\\1", one)
