"""params.yaml for a profile: each choice with what it rests on, as blocks of lines to put in."""

import textwrap
from collections.abc import Sequence

from perennial.core.profiling import ensembling, gating
from perennial.core.profiling.block import WIDTH, Block, said, scalar
from perennial.core.profiling.profile import Profile


def blocks(profile: Profile, model: str, largest: float) -> list[Block]:
    """Return all blocks.

    Args:
        profile: What was found and chosen.
        model: The model's name.
        largest: How many times the largest batch before it a batch may have.
    """
    return [
        said("latest", "Every batch; name a period to see none after it.", "data", "as_of"),
        said(
            None,
            "Where labels come later than the rows: {folder: data/labels, key: <column>, min_share:"
            " 0.9}; the folder is also a dep of validate in dvc.yaml. null: each batch brings its "
            "target.",
            *("data", "labels"),
        ),
        said(
            [],
            "Columns that say who somebody is. They are checked, and go no further than "
            "data/batches: no feature, report, log, registry (docs/privacy.md). Name yours.",
            *("data", "pii"),
        ),
        said(
            None,
            "The column that says whose a row is, for `perennial forget`. null: split.key, if there"
            " is one.",
            *("data", "subject"),
        ),
        *_target(profile),
        said(
            largest,
            "Times the rows of the largest batch accepted before it, from the third on; more is a "
            "dump of everything, or joined row by row. " + _own_batches(profile),
            *("validation", "largest"),
        ),
        *_split(profile),
        Block(
            ("policy",),
            (
                "policy:                      # as found on the data that Perennial ships with",
                "                             # (docs/decisions/0013): `perennial replay` tries it",
                "                             # and others on yours, once there are periods enough",
            ),
            header=True,
        ),
        _sensitive(profile),
        *_features(profile),
        *ensembling.blocks(profile.sizes.train),
        *_training(profile),
        said(
            {},
            "Your own: features or sensitive attributes, each with its levels or [low, high) of a "
            "number. Name the rows that must not be served badly.",
            *("evaluation", "slices", "declared"),
        ),
        said(
            {},
            "Your own: what a change of a raw column must do to the probability, such as `longer: "
            "{column: a, multiply: 2, expect: unchanged, why: nobody knows it then}`.",
            *("behaviour", "changes"),
        ),
        said(
            {},
            "Features and the direction probabilities must go in: increasing, decreasing. Name "
            "those you are sure of.",
            *("behaviour", "monotone"),
        ),
        said(
            list(profile.groups),
            "By whom decisions are compared." + _nobody(profile),
            *("fairness", "attributes"),
        ),
        *gating.blocks(profile),
        said(
            None,
            "All policies start from one candidate that no gate judged, made of the periods up to "
            "here; null: as soon as there are rows enough.",
            *("replay", "start"),
        ),
        said(model, "Named after the data.", "registry", "model"),
    ]


def _target(profile: Profile) -> list[Block]:
    classes = profile.classes
    rows = round(classes.rate * profile.rows)
    why = (
        f"{rows:,} of {profile.rows:,} rows ({classes.rate:.2%}) are {classes.positive}, the "
        f"others {classes.negative}. Chosen: {classes.chosen}."
    )
    return [
        said(profile.target, "What is predicted.", "target", "column"),
        said(classes.positive, why, "target", "positive"),
    ]


def _own_batches(profile: Profile) -> str:
    cut = profile.periods
    return f"Yours: {cut.why}." if cut is not None else f"Yours is one batch of {profile.rows:,}."


def _split(profile: Profile) -> list[Block]:
    kind = {
        "time": "The last periods are held out: what comes later is what the model is for.",
        "group": f"All rows of one {profile.key} are on one side, or they would be recognised.",
        "stratified": "There is no time to split by, so rows are held out at random, with the same "
        "share of positives. Rows of one person or thing on both sides would flatter the model: "
        "then `group` with a `key`.",
    }[profile.kind]
    sizes = profile.sizes
    enough = f"{sizes.enough:,} rows is what it takes to tell (1,000, and 100 of the rarer class)"
    short = f"; a fifth of your {sizes.rows:,} rows is less, and gates may not be able to tell"
    least = "at least so many rows, by whole periods; " if profile.kind == "time" else ""
    return [
        said(profile.kind, kind, "split", "kind"),
        said(profile.key, "For `group`: whose rows stay together.", "split", "key"),
        said(
            sizes.calibration,
            f"To calibrate on: {least}{enough}{short if sizes.short else ''}.",
            *("split", "calibration_rows"),
        ),
        said(sizes.holdout, "To judge by: the same.", "split", "holdout_rows"),
        said(
            {"kind": "all", "last": None},
            "What to train on: all; the last n `periods` or `rows`; or `chosen`: all, half or a "
            "quarter, by what the newest labels say. Other than all needs a split by time.",
            *("split", "history"),
        ),
    ]


def _nobody(profile: Profile) -> str:
    if profile.groups:
        return ""
    return (
        " Nobody: no sensitive attribute was named, so the gate `fairness` says that it does not "
        "know. If decisions are about people, name attributes under `sensitive`, and here."
    )


def _sensitive(profile: Profile) -> Block:
    if not profile.groups:
        line = (
            "# Who must be treated fairly: you named nobody. Each is {from: <column>, bins: null},"
        )
        return Block(
            ("sensitive",),
            (
                line,
                "# or bins: [30, 60] to cut a number. It need not be a feature.",
                "sensitive: {}",
            ),
        )
    lines = [
        "# Who must be treated fairly, as you said; never needs to be a feature.",
        "sensitive:",
    ]
    for name, group in profile.groups.items():
        lines.append(f"  # {group.why}")
        lines.append(f"  {scalar(name)}: {scalar({'from': group.source, 'bins': group.bins})}")
    return Block(("sensitive",), tuple(lines))


def _features(profile: Profile) -> list[Block]:
    found = [
        "# Each with what was found in it; write why it is worth having, where you know.",
        "columns:",
    ]
    for name, chosen in profile.features.items():
        content = {
            "from": chosen.source,
            "as": chosen.kind,
            "missing": chosen.missing,
            "why": chosen.why,
        }
        found.append(f"  {scalar(name)}: {scalar(content)}")
    drop = ["# Columns that are no features, each with its reason.", "drop:"]
    drop += [f"  {scalar(name)}: {scalar(why)}" for name, why in profile.dropped.items()]
    if not profile.dropped:
        drop[-1] = "drop: {}"
    return [
        said(
            profile.rare_below,
            'A level with fewer training rows is pooled as "(other)": 50, or one in 500 rows '
            "where there are few, but at least 10.",
            *("features", "rare_below"),
        ),
        Block(("features", "columns"), tuple(found)),
        Block(("features", "drop"), tuple(drop)),
    ]


def _training(profile: Profile) -> list[Block]:
    rate = profile.classes.rate
    even = 0.2 <= rate <= 0.8
    cost = 1.0 if even else float(f"{rate / (1 - rate):.3g}")
    why = (
        "either error weighs the same, so the threshold is near one half"
        if even
        else f"{rate:.2%} are positive, so a false positive costs that much against the rest: it "
        "pays to say yes where the probability is above the average"
    )
    utility = [
        "# What one decision is worth; the threshold maximises it on the calibration rows. This is",
        "# yours to say, and the first thing to change. Until then",
        f"# {why}.",
        "utility:",
        "  true_positive: 1.0",
        f"  false_positive: {scalar(-cost)}",
        "  false_negative: 0.0",
        "  true_negative: 0.0",
    ]
    first = next(iter(profile.groups), None)
    mitigation = [
        "# Nothing is done about differences between groups until you have seen them in",
        "# reports/fairness.json.",
        "mitigation:",
        "  method: none             # or reweighing, exponentiated_gradient, thresholds",
        f"  attribute: {scalar(first)}",
        "  constraint: true_positive_rate_parity",
        "  permission: null         # `thresholds` treats people by group: who permits it, and why",
    ]
    return [
        Block(("training", "utility"), tuple(_wrapped(utility))),
        Block(("training", "mitigation"), tuple(mitigation)),
    ]


def _wrapped(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        if line.startswith("# ") and len(line) > WIDTH:
            found += [f"# {part}" for part in textwrap.wrap(line[2:], WIDTH - 4)]
        else:
            found.append(line)
    return found
