"""Null windows: how often drift is seen where there is none, and which thresholds would do.

Reference and window are drawn without replacement from one pool, so whatever is seen between them
is chance. Given the pool this is the permutation null: the difference of two such means varies as
that of two independent samples of their sizes (Fisher 1935). No row is on both sides or twice on
one: the domain classifier would know a copy again, and two-sample tests take copies for evidence.
What a pool can't show is how periods differ among themselves without anyone calling it drift: the
replay does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.drift.examination import Examination
from perennial.core.drift.result import PREDICTION
from perennial.core.statistics import estimates
from perennial.params.drift import Monitor

LOOKS = (
    "features",
    "predictions",
    "domain_classifier",
    "estimated_roc_auc",
    "estimated_prior",
    "prior",
    "concept",
    "roc_auc",
    "calibration",
)
STEP = 1e-4  # suggested thresholds are multiples of it
GROUPS = ("effects", "domain_classifier", "harm")  # of `monitor`, with a threshold each look


def draw(pool: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of a window's rows and of the others, each in an order drawn too.

    In the pool's own order, a trend within the pool would be a trend within each window, and what
    looks at the order of arrival would take it for a change.

    Args:
        pool: How many rows there are.
        rows: Of the window.
        seed: Of the draw.
    """
    order = np.random.default_rng(seed).permutation(pool)
    return order[:rows], order[rows:]


def alarms(found: Examination, min_features: int) -> list[str]:
    """Return which of `LOOKS` raised the alarm; nothing if there is none."""
    if found.verdict not in ("drift", "harmful"):
        return []
    names = {signal.name for signal in found.signals if signal.fired}
    if found.domain and found.domain.drifted:
        names.add("domain_classifier")
    moved = {test.feature for test in found.comparison.tests if test.drifted}
    if PREDICTION in moved:
        names.add("predictions")
    if len(moved - {PREDICTION}) >= min_features:
        names.add("features")
    return [name for name in LOOKS if name in names]


def rates(windows: Sequence[Sequence[str]], confidence: float) -> dict[str, Any]:
    """Return each look's share of windows with an alarm, with Wilson's interval, as JSON values.

    Args:
        windows: `alarms` of each, at least one.
        confidence: Of each interval.
    """
    counts = {name: sum(name in window for window in windows) for name in LOOKS}
    return {
        name: estimates.proportion(count, len(windows), confidence).to_json()
        for name, count in counts.items()
    }


def strengths(found: Examination, monitor: Monitor) -> dict[str, float]:
    """Return for each threshold of the group `monitor` the value that this window reaches.

    With a threshold above it, this window raises no alarm by that look. The effects are those of
    the feature that moved most, significant or not.
    """
    needed = dict.fromkeys((f"effects.{name}" for name in monitor.effects.model_dump()), 0.0)
    for test in found.comparison.tests:
        key = f"effects.{test.name}"
        if key in needed:
            needed[key] = max(needed[key], test.effect)
    if found.domain:
        needed["domain_classifier.roc_auc"] = max(found.domain.roc_auc.low, 0.5)
    for signal in found.signals:
        if signal.estimate is not None:
            key, value = _beyond(signal.name, signal.estimate.low, signal.estimate.high)
            needed[key] = max(needed.get(key, 0.0), value)
    return needed


def _beyond(name: str, low: float, high: float) -> tuple[str, float]:
    """Return which threshold a signal is held to, and how far beyond nothing its interval is."""
    if name in ("roc_auc", "estimated_roc_auc"):
        return "harm.roc_auc", max(-high, 0.0)
    if name == "calibration":
        return "harm.log_loss", max(low, 0.0)
    return "harm.prior", max(low, -high, 0.0)


def suggest(
    windows: Sequence[Mapping[str, float]], monitor: Monitor, wanted: float, confidence: float
) -> list[dict[str, Any]]:
    """Return the smallest threshold of each look that keeps false alarms as rare as wanted.

    The wanted rate is split evenly over the thresholds (Bonferroni), so all together keep it too.
    Each comes with the share of null windows that reach it, and that reach today's, with Wilson's
    intervals: few windows prove little, and their upper bounds say so.

    Args:
        windows: `strengths` of each null window.
        monitor: What the thresholds are now.
        wanted: False alarm rate of all looks together.
        confidence: Of the intervals.
    """
    table = pd.DataFrame([dict(window) for window in windows]).fillna(0.0)
    now = _flat(monitor.model_dump())
    level = 1 - wanted / table.shape[1]

    def reached(key: str, threshold: float) -> dict[str, Any]:
        count = int((table[key] >= threshold).sum())
        return dict(estimates.proportion(count, len(table), confidence).to_json())

    found = []
    for key in map(str, table.columns):
        beyond = float(np.quantile(table[key], level, method="higher"))
        smallest = round((np.floor(beyond / STEP) + 1) * STEP, 4)  # above it, in any case
        found.append(
            {
                "parameter": f"monitor.{key}",
                "now": now[key],
                "reached_now": reached(key, now[key]),
                "smallest": smallest,
                "reached": reached(key, smallest),
            }
        )
    return found


def as_yaml(suggested: Sequence[Mapping[str, Any]], monitor: Monitor) -> str:
    """Return suggested thresholds as lines of params.yaml, to take the place of these groups."""
    smallest = {line["parameter"]: line["smallest"] for line in suggested}
    lines = ["monitor:"]
    for group in GROUPS:
        lines.append(f"  {group}:")
        for name, value in monitor.model_dump()[group].items():
            new = smallest.get(f"monitor.{group}.{name}", value)
            was = f"  # was {value:g}" if new != value else ""
            lines.append(f"    {name}: {new:g}{was}")
    return "\n".join(lines) + "\n"


def _flat(content: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": number for key, number in _flat(value).items()}
        else:
            found[name] = value
    return found
