"""Populations to prove the gates on: a synthetic one whose truth is known, and the user's rows."""

from typing import Any

import numpy as np
import pandas as pd

from perennial.core.case import Rows
from perennial.params import Params

SIZES = {"train": 4000, "calibration": 2000, "holdout": 4000}
WEIGHTS = {"x1": 0.8, "x2": 0.7, "x3": -0.7, "x4": 0.6, "x5": -0.5, "x6": 0.4}
LEVELS = {"p": -0.6, "q": 0.0, "r": 0.3, "s": 0.6}
PERIODS = 10


def synthetic(seed: int, scale: int = 1) -> Rows:
    """Draw rows from a population in which a sensible candidate is good in every respect.

    The log odds are linear in six independent normal features and a level of `kind`, with one
    interaction; `group` and `noise` have no effect, so no gate's truth is near its threshold:
    docs/how-gates-are-proven.md has each one's true value and its margin.

    Args:
        seed: Of the draw.
        scale: How many times the usual rows.
    """
    random = np.random.default_rng(seed)
    sizes = {name: rows * scale for name, rows in SIZES.items()}
    n = sum(sizes.values())
    raw = pd.DataFrame({name: random.normal(size=n) for name in WEIGHTS})
    raw["kind"] = random.choice(list(LEVELS), n)
    raw["group"] = np.where(random.random(n) < 0.3, "b", "a")
    raw["noise"] = random.normal(size=n)
    raw["after"] = random.normal(size=n)
    odds = sum(weight * raw[name] for name, weight in WEIGHTS.items())
    odds = odds + raw["kind"].map(LEVELS) + 0.3 * raw["x1"] * (raw["kind"] == "s") - 0.3
    target = (random.random(n) < 1 / (1 + np.exp(-odds.to_numpy()))).astype("int64")
    for name in ("x2", "x5"):  # missing at random
        raw.loc[random.random(n) < 0.05, name] = np.nan
    place = np.arange(n)
    period = np.array([f"{p:02}" for p in place * PERIODS // n])
    part = np.repeat(list(sizes), list(sizes.values()))
    return Rows(raw, target, part, period, place, by_time=True)


def synthetic_params(params: Params) -> Params:
    """Return the project's parameters with the synthetic population's columns: the gates' own
    thresholds stay what they are."""
    content: dict[str, Any] = params.model_dump(by_alias=True)
    numbers = {name: _feature(name, "number") for name in WEIGHTS}
    categories = {name: _feature(name, "category") for name in ("kind", "group")}
    content["features"] = {"rare_below": 0, "columns": {**numbers, **categories}, "drop": {}}
    content["sensitive"] = {"group": {"from": "group", "bins": None}}
    content["fairness"] |= {"attributes": ["group"], "intersections": False}
    content["training"]["mitigation"] |= {"method": "none", "attribute": "group"}
    content["evaluation"]["slices"]["declared"] = {"group_b": {"group": ["b"]}}
    change = {"column": "noise", "multiply": -1, "expect": "unchanged", "why": "it has no effect"}
    content["behaviour"] |= {"changes": {"noise": change}, "monotone": {}}
    content["gates"]["forbidden_features"] = {"columns": ["after"]}
    content["explanation"]["rows"] = 2000
    content["target"]["column"] = "target"
    return Params.model_validate(content)


def _feature(name: str, kind: str) -> dict[str, Any]:
    return {"from": name, "as": kind, "missing": None, "why": "known to matter"}


def shipped(raw: pd.DataFrame, target: np.ndarray, period: np.ndarray, seed: int) -> Rows:
    """Return the user's rows, split at random so that all parts are of one population.

    Half train, a fifth calibrates, the rest is held out; at most 20,000 rows are taken.

    Args:
        raw: Raw rows of all batches, shape (rows, columns).
        target: 0 or 1, shape (rows,).
        period: Each row's period, shape (rows,).
        seed: Of the split.
    """
    order = np.random.default_rng(seed).permutation(len(raw))[:20_000]
    cuts = (np.array([0.5, 0.7]) * len(order)).astype(int)
    part = np.full(len(order), "train", dtype=object)
    part[cuts[0] :] = "calibration"
    part[cuts[1] :] = "holdout"
    place = pd.Series(period).groupby(period).cumcount().to_numpy()
    return Rows(
        raw.iloc[order].reset_index(drop=True), target[order], part, period[order], place[order]
    )


def by_time(rows: Rows) -> Rows:
    """Return the rows split by their periods: the oldest half trains, the newest is held out."""
    if len(np.unique(rows.period)) < PERIODS:  # rows without time: their order stands for it
        place = np.arange(len(rows.period)) * PERIODS // len(rows.period)
        names = np.array([f"{p:02}" for p in place], dtype=object)
        rows = Rows(rows.raw, rows.target, rows.part, names, rows.place, rows.by_time)
    periods = np.unique(rows.period)
    edges = periods[[len(periods) // 2, len(periods) * 3 // 4]]
    part = np.full(len(rows.period), "train", dtype=object)
    part[rows.period >= edges[0]] = "calibration"
    part[rows.period >= edges[1]] = "holdout"
    return Rows(rows.raw, rows.target, part, rows.period, rows.place, by_time=True)
