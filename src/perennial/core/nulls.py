"""Null windows: how often drift is seen where there is none, and what is seen where there is.

Reference and window are drawn without replacement from one pool, so whatever is seen between them
is chance. Given the pool this is the permutation null: the difference of two such means varies as
that of two samples of their sizes (Fisher 1935). What it can't show is how periods differ among
themselves without anyone calling it drift: draw on several periods, and read the replay too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.drift.examination import Examination
from perennial.core.drift.result import PREDICTION
from perennial.params.drift import Monitor

DRAWN = 2.0  # so many times the rows are there to leave some of one class out
Change = Callable[[pd.DataFrame, np.ndarray, np.random.Generator], tuple[pd.DataFrame, np.ndarray]]


def draw(pool: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of a window's rows and of the others, each in the pool's order.

    Args:
        pool: How many rows there are.
        rows: Of the window.
        seed: Of the draw.
    """
    chosen = np.zeros(pool, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(pool)[:rows]] = True
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def alarms(found: Examination) -> list[str]:
    """Return what raised the alarm; nothing if there is none."""
    if found.verdict not in ("drift", "harmful"):
        return []
    names = [signal.name for signal in found.signals if signal.fired]
    if found.domain and found.domain.drifted:
        names.append("domain_classifier")
    if found.comparison.verdict == "drift":
        moved = any(test.drifted for test in found.comparison.tests if test.feature == PREDICTION)
        names.append("predictions" if moved else "features")
    return names


def strengths(found: Examination, monitor: Monitor) -> dict[str, float]:
    """Return for each threshold of the group `monitor` the value that this window would need.

    With a threshold above it, this window raises no alarm by that look. The effects are those of
    the feature that moved most, significant or not.
    """
    needed = dict.fromkeys((f"effects.{name}" for name in monitor.effects.model_dump()), 0.0)
    for test in found.comparison.tests:
        key = f"effects.{test.name}"
        if key in needed:
            needed[key] = max(needed[key], test.effect)
    if found.domain:
        needed["domain_classifier.roc_auc"] = found.domain.roc_auc.low
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
    windows: Sequence[Mapping[str, float]], monitor: Monitor, wanted: float
) -> list[dict[str, Any]]:
    """Return the smallest threshold of each look that keeps false alarms as rare as wanted.

    The wanted rate is split evenly over the looks (Bonferroni), so all together keep it too.

    Args:
        windows: `strengths` of each null window.
        monitor: What the thresholds are now.
        wanted: False alarm rate of all looks together.
    """
    table = pd.DataFrame([dict(window) for window in windows])
    now = _flat(monitor.model_dump())
    level = 1 - wanted / table.shape[1]
    return [
        {
            "parameter": f"monitor.{key}",
            "now": now[key],
            "smallest": float(np.quantile(table[key], level, method="higher")),
        }
        for key in map(str, table.columns)
    ]


def _flat(content: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": number for key, number in _flat(value).items()}
        else:
            found[name] = value
    return found


@dataclass(frozen=True)
class Planted:
    """A change planted in a window: its kind, how large, in what share of rows, and of what."""

    kind: str
    size: float
    share: float
    column: str
    change: Change
    drawn: float = 1.0  # times as many rows are drawn for it as it returns


def plants(raw: pd.DataFrame, number: str | None, category: str | None) -> list[Planted]:
    """Return the changes to plant.

    Args:
        raw: The pool's raw rows.
        number: A raw column of numbers to move; None if there is none.
        category: A raw column of categories; None if there is none.
    """
    found: list[Planted] = []
    if number is not None:
        spread = float(pd.to_numeric(raw[number], errors="coerce").std())
        found += [
            Planted("number moved", size, share, number, _moved(number, size * spread, share))
            for size, share in ((0.25, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 0.3), (1.0, 0.1))
        ]
        found.append(Planted("column shuffled", 1.0, 1.0, number, _shuffled(number)))
    if category is not None:
        for kind, value in (("new level", "(never seen)"), ("value missing", None)):
            found += [
                Planted(kind, share, share, category, _replaced(category, value, share))
                for share in (0.05, 0.1, 0.3)
            ]
    found += [
        Planted("rate of positives", size, 1.0, "(target)", _resampled(size), DRAWN)
        for size in (0.1, 0.2, 0.3)
    ]
    found += [
        Planted("labels flipped", share, share, "(target)", _flipped(share))
        for share in (0.05, 0.1, 0.2)
    ]
    return found


def _some(rows: int, share: float, random: np.random.Generator) -> np.ndarray:
    return random.random(rows) < share


def _moved(column: str, by: float, share: float) -> Change:
    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        moved = raw[column].astype("float64") + by * _some(len(raw), share, random)
        return raw.assign(**{column: moved}), target

    return change


def _shuffled(column: str) -> Change:
    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        return raw.assign(**{column: raw[column].to_numpy()[random.permutation(len(raw))]}), target

    return change


def _replaced(column: str, value: str | None, share: float) -> Change:
    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        kept = raw[column].astype(object)
        return raw.assign(**{column: kept.mask(_some(len(raw), share, random), value)}), target

    return change


def _resampled(by: float) -> Change:
    """Leave rows of one class out, so that the rate of positives moves by so much.

    Towards the middle, and no row twice: the domain classifier would know a copy again.
    """

    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        rows, rate = round(len(raw) / DRAWN), target.mean()
        positives = round(rows * float(np.clip(rate + (by if rate < 0.5 else -by), 0.01, 0.99)))
        order = random.permutation(len(raw))
        sides = (order[target[order] == 1], order[target[order] == 0])
        chosen = np.sort(np.concatenate([sides[0][:positives], sides[1][: rows - positives]]))
        return raw.iloc[chosen].reset_index(drop=True), target[chosen]

    return change


def _flipped(share: float) -> Change:
    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        return raw, np.where(_some(len(raw), share, random), 1 - target, target)

    return change
