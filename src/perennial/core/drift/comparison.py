"""The newest rows against those the champion was checked on: every feature, and its scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from perennial.core.drift import numeric, univariate
from perennial.core.drift.result import PREDICTION, Test, judge
from perennial.core.drift.univariate import Column
from perennial.params import Feature
from perennial.params.drift import Monitor


@dataclass(frozen=True)
class Comparison:
    """What the tests say together."""

    verdict: Literal["none", "insufficient", "drift"]
    why: str
    tests: Sequence[Test]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values: the drifted first, and then by how many times
        its threshold each effect is."""
        return {
            "verdict": self.verdict,
            "why": self.why,
            "tests": [test.to_json() for test in sorted(self.tests, key=_order)],
        }


def compare(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Mapping[str, Feature],
    reference_scores: np.ndarray,
    current_scores: np.ndarray,
    settings: Monitor,
) -> Comparison:
    """Compare newest rows with reference rows: every feature, and the champion's scores.

    Args:
        reference: Derived features (`features.derive`) of the rows the champion was checked on.
        current: Those of the newest rows.
        columns: The features' definitions.
        reference_scores: The champion's log odds of the reference rows, shape (rows,).
        current_scores: Those of the newest rows, shape (rows,).
        settings: How many rows, which false discovery rate, which effects.
    """
    if len(current) < settings.min_rows:
        why = f"{len(current):,} newer rows are fewer than the {settings.min_rows:,} a test needs"
        return Comparison("insufficient", why, [])
    pairs = [_column(name, feature, reference, current) for name, feature in columns.items()]
    found = univariate.run(pairs, settings.psi_bins)
    return conclude(
        [numeric.ks(PREDICTION, reference_scores, current_scores), *found], len(current), settings
    )


def conclude(tests: Sequence[Test], rows: int, settings: Monitor) -> Comparison:
    """Judge all tests of a comparison together.

    The verdict is `drift` if the predictions drifted, or at least `min_features` features did.

    Args:
        tests: Of all features, and of the predictions (`PREDICTION`) if there are any.
        rows: How many rows are current.
        settings: The effects that matter, the false discovery rate, and how many features.
    """
    judged = judge(tests, settings.effects.model_dump(), settings.false_discovery_rate)
    drifted = [test for test in sorted(judged, key=_order) if test.drifted]
    strongest: dict[str, Test] = {}
    for test in drifted:
        strongest.setdefault(test.feature, test)
    scores = next((test for test in judged if test.feature == PREDICTION), None)
    features = set(strongest) - {PREDICTION}
    alarm = PREDICTION in strongest or len(features) >= settings.min_features
    named = ", ".join(
        f"{t.feature} ({t.name} {t.effect:.2f})" for t in list(strongest.values())[:4]
    )
    why = (
        f"{len(tests)} tests on {rows:,} newer rows found drift in {len(features)} "
        f"feature{'' if len(features) == 1 else 's'}, {settings.min_features} are needed: "
        f"{named or 'none'}"
    )
    if scores:
        why += f"; the predictions moved by {scores.effect:.2f} of {scores.threshold:.2f} allowed"
    return Comparison("drift" if alarm else "none", why, judged)


def _order(test: Test) -> tuple[bool, float, str, str]:
    return (not test.drifted, -test.strength, test.feature, test.name)


def _column(name: str, feature: Feature, reference: pd.DataFrame, current: pd.DataFrame) -> Column:
    kind: univariate.Kind = "category" if feature.kind == "category" else "number"
    return Column(name, kind, lambda: (reference[name], current[name]))
