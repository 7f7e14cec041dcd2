"""Gates on who the candidate serves: fairness between groups, and slices it serves badly."""

import pandas as pd

from perennial.core import fairness
from perennial.core.evaluation import slices
from perennial.core.gates.result import Gate, Precision, Side, not_measured, on_fact, on_interval
from perennial.params.gates import FairnessGate, Threshold


def fair(
    name: str,
    counted: fairness.Counted,
    settings: FairnessGate,
    min_group: int,
    precision: Precision,
) -> Gate:
    """The criterion differs little between groups: its largest difference stays below a threshold,
    or its smallest ratio above one."""
    name = f"fairness_{name.replace(' × ', '_by_')}"
    criterion = settings.criterion.replace("_", " ")
    is_ratio = settings.measure == "ratio"
    compare = fairness.smallest_ratio if is_ratio else fairness.largest_difference
    found = compare(counted, settings.criterion, min_group, precision.confidence)
    side: Side = "above" if is_ratio else "below"
    if found is None:
        why = f"fewer than two groups have {min_group} rows to take the {criterion} from"
        return not_measured(name, settings.threshold, settings.insufficient, why, side)
    estimate, (first, second) = found
    words = "over" if is_ratio else "less"
    return on_interval(
        name,
        estimate,
        settings.threshold,
        side,
        settings.insufficient,
        f"{criterion} of {first} {words} that of {second} {{estimate}} must be {side} "
        "{threshold}",
    )


def nobody(settings: FairnessGate) -> Gate:
    """No sensitive attribute is declared, so whom decisions treat otherwise is not known."""
    why = "no sensitive attribute is declared, so no groups were compared"
    side: Side = "above" if settings.measure == "ratio" else "below"
    return not_measured("fairness", settings.threshold, settings.insufficient, why, side)


def worst_slice(name: str, found: pd.DataFrame, settings: Threshold, precision: Precision) -> Gate:
    """In no slice does the candidate lose much against the prior or the simple models.

    Args:
        name: `slices` for those searched, `declared_slices` for the user's own.
        found: Every slice looked at, as core.evaluation.slices.search returns them.
        settings: How many nats a row may be lost.
        precision: Confidence, for all slices together.
    """
    if found.empty:
        return not_measured(name, settings.threshold, settings.insufficient, "no slice has rows")
    estimate, worst = slices.largest_excess(found, precision.confidence)
    return on_interval(
        name,
        estimate,
        settings.threshold,
        "below",
        settings.insufficient,
        f"log loss in {worst['slice']} ({worst['rows']:,} rows) more than {worst['reference']} "
        f"has {{estimate}} must be below {{threshold}}, the worst of {len(found):,} looked at",
    )


def group_coverage(train: dict[str, int], holdout: dict[str, int], min_group: int) -> Gate:
    """Every group that is judged was learned from: none is missing in the training rows.

    Args:
        train: Training rows of each group, "attribute: group".
        holdout: Holdout rows of each.
        min_group: Groups with as many holdout rows need as many training rows.
    """
    judged = {name for name, rows in holdout.items() if rows >= min_group}
    short = sorted(name for name in judged if train.get(name, 0) < min_group)
    named = f": {', '.join(short)}" if short else ""
    return on_fact(
        "group_coverage",
        len(short),
        sum(train.values()),
        0,
        f"{{value}} groups have {min_group} holdout rows and fewer than {min_group} training rows; "
        f"none may{named}",
    )
