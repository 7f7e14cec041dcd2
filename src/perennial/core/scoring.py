"""Scoring: what a model says of rows without labels, why, and what had to be handled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.features import level_of
from perennial.core.model.candidate import Candidate


@dataclass(frozen=True)
class Wanted:
    """A raw column that a model asks for.

    Attributes:
        is_number: Or else a category.
        uses: What needs it, in words.
        sentinels: Text that stands for a missing number.
        levels: A category's known levels.
    """

    is_number: bool
    uses: tuple[str, ...]
    sentinels: frozenset[str]
    levels: frozenset[str]


@dataclass
class Tally:
    """What was counted of all rows, piece by piece.

    Attributes:
        rows: How many.
        positive: How many were decided 1.
        handled: By feature, as `dataset.features.audit` counts.
    """

    rows: int = 0
    positive: int = 0
    handled: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, rows: int, positive: int, handled: Mapping[str, Mapping[str, int]]) -> None:
        """Add what was counted of some rows."""
        self.rows += rows
        self.positive += positive
        for name, counts in handled.items():
            kept = self.handled.setdefault(name, {})
            for what, count in counts.items():
                kept[what] = kept.get(what, 0) + count


def wanted(model: Candidate) -> dict[str, Wanted]:
    """Return the raw columns that a model asks for, by name, sorted.

    A sensitive column is asked for only where a feature or the decision needs it.
    """
    spec, attribute = model.spec, model.decision.attribute
    uses: dict[str, list[str]] = {}
    numbers: set[str] = set()
    sentinels: dict[str, set[str]] = {}
    levels: dict[str, set[str]] = {}
    for name, feature in spec.columns.items():
        source = feature.source
        uses.setdefault(source, []).append(f"feature {name}")
        if feature.kind != "category":
            numbers.add(source)
            if isinstance(feature.missing, str):
                sentinels.setdefault(source, set()).add(feature.missing)
        elif feature.missing is not None:
            levels.setdefault(source, set()).add(level_of(feature.missing))
        levels.setdefault(source, set()).update(spec.fitted[name].levels or ())
    if attribute is not None:
        sensitive = spec.sensitive[attribute]
        uses.setdefault(sensitive.source, []).append(f"the thresholds per group of {attribute}")
        if sensitive.bins is not None:
            numbers.add(sensitive.source)
        levels.setdefault(sensitive.source, set()).update(model.decision.by_group)
    return {
        source: Wanted(
            source in numbers,
            tuple(uses[source]),
            frozenset(sentinels.get(source, ())),
            frozenset(levels.get(source, ())),
        )
        for source in sorted(uses)
    }


def score(
    model: Candidate, raw: pd.DataFrame, reasons: int
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, int]]]:
    """Return what a model says of raw rows, as `Candidate.predict` does, and what was handled.

    Args:
        model: The model.
        raw: Rows with the columns that `wanted` names.
        reasons: So many features with the largest |SHAP| are named for each row.

    Returns:
        `probability` and `decision`, and for each reason the feature's name and its SHAP value in
        log odds (above 0 speaks for the positive class); and `dataset.features.audit`'s counts.
    """
    features, handled = model.spec.handle(raw)
    probability = model.probability(features)
    decision = model.decide(probability, raw)
    found = {"probability": probability, "decision": decision}
    return found | (_reasons(model, features, reasons) if reasons else {}), handled


def columns_of(reasons: int) -> list[str]:
    """Return the names of the columns that `score` returns."""
    pairs = [(f"reason_{i}", f"reason_{i}_shap") for i in range(1, reasons + 1)]
    return ["probability", "decision", *(name for pair in pairs for name in pair)]


def _reasons(model: Candidate, features: pd.DataFrame, count: int) -> dict[str, np.ndarray]:
    values, _ = model.contributions(features)
    # the first of two that weigh the same is the first of the features
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :count]
    names = np.array(features.columns, dtype=object)
    found: dict[str, Any] = {}
    for place in range(order.shape[1]):
        found[f"reason_{place + 1}"] = names[order[:, place]]
        found[f"reason_{place + 1}_shap"] = np.take_along_axis(values, order, 1)[:, place]
    return found
