"""Drift: has the newest data moved from what the champion was checked on, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from perennial.params import Feature, Monitor

PREDICTION = "(prediction)"


@dataclass(frozen=True)
class Test:
    """One test of one feature. `effect` is 0..1: the KS distance or Cramér's V."""

    name: Literal["ks", "chi_square", "missing"]
    feature: str
    statistic: float
    p_value: float
    effect: float
    q_value: float = 1.0
    threshold: float = 0.0
    drifted: bool = False


@dataclass(frozen=True)
class Comparison:
    """What the tests say together."""

    verdict: Literal["none", "insufficient", "drift"]
    why: str
    tests: Sequence[Test]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values, the largest effect first."""
        ordered = sorted(self.tests, key=lambda t: (-t.effect, t.feature, t.name))
        return {"verdict": self.verdict, "why": self.why, "tests": [asdict(t) for t in ordered]}


def compare(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Mapping[str, Feature],
    reference_scores: np.ndarray,
    current_scores: np.ndarray,
    settings: Monitor,
) -> Comparison:
    """Compare newest rows with reference rows: every feature, and the champion's scores.

    A test is `drifted` when it is significant after Benjamini and Hochberg's correction (1995)
    and its effect is large enough to matter; with many rows anything is significant.

    Args:
        reference: Derived features (core.features.derive) of the rows the champion was checked on.
        current: Those of the newest rows.
        columns: The features' definitions.
        reference_scores: The champion's log odds of the reference rows, shape (rows,).
        current_scores: Those of the newest rows, shape (rows,).
        settings: How many rows, which false discovery rate, which effect.
    """
    if len(current) < settings.min_rows:
        why = f"{len(current):,} newer rows are fewer than the {settings.min_rows:,} a test needs"
        return Comparison("insufficient", why, [])
    raw = [_ks(PREDICTION, reference_scores, current_scores)]
    for name, feature in columns.items():
        raw += _tests(name, feature, reference[name], current[name])
    q_values = stats.false_discovery_control([test.p_value for test in raw])
    tests = [
        Test(
            **{
                **asdict(test),
                "q_value": float(q),
                "threshold": settings.min_effect,
                "drifted": bool(
                    q < settings.false_discovery_rate and test.effect >= settings.min_effect
                ),
            }
        )
        for test, q in zip(raw, q_values, strict=True)
    ]
    return _conclude(tests, len(current), settings)


def _conclude(tests: Sequence[Test], rows: int, settings: Monitor) -> Comparison:
    drifted = sorted((t for t in tests if t.drifted), key=lambda t: -t.effect)
    scores = next(t for t in tests if t.feature == PREDICTION)
    features = {t.feature for t in drifted} - {PREDICTION}
    alarm = scores.drifted or len(features) >= settings.min_features
    named = ", ".join(f"{t.feature} ({t.name} {t.effect:.2f})" for t in drifted[:4]) or "none"
    why = (
        f"of {len(tests)} tests on {rows:,} newer rows, {len(drifted)} moved by at least "
        f"{settings.min_effect:g}: {named}; the predictions by {scores.effect:.2f}"
    )
    return Comparison("drift" if alarm else "none", why, tests)


def _tests(name: str, feature: Feature, reference: pd.Series, current: pd.Series) -> list[Test]:
    if feature.kind == "category":
        pairs = [column.fillna("(missing)").astype(str) for column in (reference, current)]
        return [_chi_square("chi_square", name, *pairs)]
    present = [column.dropna().to_numpy() for column in (reference, current)]
    tests = [_ks(name, *present)] if min(map(len, present)) > 0 else []
    if reference.isna().any() or current.isna().any():
        pairs = [column.isna().astype(str) for column in (reference, current)]
        tests.append(_chi_square("missing", name, *pairs))
    return tests


def _ks(feature: str, reference: np.ndarray, current: np.ndarray) -> Test:
    found = stats.ks_2samp(reference, current, method="asymp")
    return Test("ks", feature, float(found.statistic), float(found.pvalue), float(found.statistic))


def _chi_square(
    name: Literal["chi_square", "missing"], feature: str, reference: pd.Series, current: pd.Series
) -> Test:
    """Test equal proportions of levels; the effect is Cramér's V, corrected for its bias under
    independence (Bergsma 2013), or a rare level among few rows looks like an effect."""
    counts = pd.concat(
        [reference.value_counts().rename("reference"), current.value_counts().rename("current")],
        axis=1,
    ).fillna(0)
    if len(counts) < 2:
        return Test(name, feature, 0.0, 1.0, 0.0)
    table = counts.sort_index().to_numpy()
    found = stats.chi2_contingency(table, correction=False)
    n, levels = table.sum(), len(table)
    excess = max(0.0, found.statistic / n - (levels - 1) / (n - 1))
    width = min(levels - (levels - 1) ** 2 / (n - 1), 2 - 1 / (n - 1)) - 1
    effect = float(np.sqrt(excess / width)) if width > 0 else 0.0
    return Test(name, feature, float(found.statistic), float(found.pvalue), effect)
