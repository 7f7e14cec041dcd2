"""Probing: what the candidate says of raw rows that are moved, changed, or strange.

Behavioural tests in the sense of CheckList (Ribeiro et al. 2020): invariance, directional
expectation, and minimum functionality; monotonicity by individual conditional expectation
(Goldstein et al. 2015).
"""

from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.features import MISSING, groups
from perennial.core.dataset.part import evenly
from perennial.core.evaluation import cost, parity
from perennial.core.model.candidate import Candidate
from perennial.core.statistics import clusters
from perennial.params import Behaviour, Change

UNSEEN = "\u2042 never seen"
STRANGE: dict[str, Any] = {
    "missing": None,
    "unseen": UNSEEN,
    "huge": 1e308,
    "hugely_negative": -1e308,
    "infinite": np.inf,
    "zero": 0,
}
STRANGE_ROWS = 20  # each is asked once for every column and strange value
STRANGE_CELLS = 4000  # of thousands of columns each is asked in fewer rows, at least one
SINGLE = 20  # rows asked one at a time: each costs what a request costs


def probe(
    candidate: Candidate,
    default: Candidate,
    raw: pd.DataFrame,
    features: pd.DataFrame,
    settings: Behaviour,
    seed: int,
    key: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return all that is tried on the candidate, as JSON values.

    Args:
        candidate: The model.
        default: Default XGBoost, which the cost is compared with.
        raw: Raw holdout rows, shape (rows, columns).
        features: The same rows of the feature matrix.
        settings: What the user declared.
        seed: Of the order of rows.
        key: Each row's cluster, shape (rows,), if rows are not independent.
    """
    sources = {feature.source for feature in candidate.spec.columns.values()}
    few = raw.iloc[: max(1, min(STRANGE_ROWS, STRANGE_CELLS // len(sources), len(raw)))]
    gaps = invariance(candidate, raw, seed)
    directions = {
        name: direction(candidate, raw, change, settings.tolerance, key)
        for name, change in settings.changes.items()
    } | {
        name: monotonicity(candidate, features, name, wanted, settings.tolerance, key)
        for name, wanted in settings.monotone.items()
    }
    return {
        "rows": len(raw),
        "invariance": {name: _json(gap) for name, gap in gaps.items()},
        "robustness": robustness(candidate, few),
        "strange_rows": len(few) * (len(sources) + 1) * len(STRANGE),
        "directions": directions,
        "flipped": {name: flipped(candidate, raw, name, key) for name in candidate.spec.sensitive},
        "cost": {
            "candidate": cost.measure(candidate, features),
            "default": cost.measure(default, features),
        },
    }


def invariance(candidate: Candidate, raw: pd.DataFrame, seed: int) -> dict[str, float]:
    """Return the largest change of a probability when rows are arranged otherwise.

    Args:
        candidate: The model.
        raw: Raw rows, shape (rows, columns).
        seed: Of the order of rows.
    """
    expected = _probability(candidate, raw)
    order = np.random.default_rng(seed).permutation(len(raw))
    shuffled = np.empty(len(raw))
    shuffled[order] = _probability(candidate, raw.iloc[order])
    size = max(1, len(raw) // 7)  # no divisor of the whole: the last batch is smaller
    batches = [_probability(candidate, raw[i : i + size]) for i in range(0, len(raw), size)]
    few = evenly(len(raw), SINGLE)
    single = [_probability(candidate, raw.iloc[[i]])[0] for i in few]
    return {
        "order_of_rows": _gap(expected, shuffled),
        "size_of_batch": _gap(expected, np.concatenate(batches)),
        "one_row_alone": _gap(expected[few], np.array(single)),
        "order_of_columns": _gap(expected, _probability(candidate, raw[raw.columns[::-1]])),
    }


def robustness(candidate: Candidate, raw: pd.DataFrame) -> dict[str, int]:
    """Count answers that are no probability when one column, or all, hold a strange value.

    Args:
        candidate: The model.
        raw: A few raw rows; each is asked once for every column and strange value.
    """
    sources = sorted({feature.source for feature in candidate.spec.columns.values()})
    counts, objects = {}, raw.astype(object)  # a strange value may be of another type
    for name, value in STRANGE.items():
        found = _probability(candidate, _strange_rows(objects, sources, value))
        bad = ~(np.isfinite(found) & (found >= 0) & (found <= 1))
        counts[name] = int(bad.sum())
    return counts


def direction(
    candidate: Candidate,
    raw: pd.DataFrame,
    change: Change,
    tolerance: float,
    key: np.ndarray | None = None,
) -> dict[str, Any]:
    """Count rows whose probability does not move as a declared change must move it.

    Args:
        candidate: The model.
        raw: Raw rows, shape (rows, columns).
        change: Which column becomes what, and what that must do.
        tolerance: Moves of the probability up to this size count as none.
        key: Each row's cluster.
    """
    before, changed, words = raw[change.column], raw.copy(), ""
    if "to" in change.model_fields_set:
        changed[change.column] = change.to
        words = f"{change.column} = {change.to}"
    elif change.add is not None:
        changed[change.column] = before + change.add
        words = f"{change.column} {change.add:+}"
    elif change.multiply is not None:
        changed[change.column] = before * change.multiply
        words = f"{change.column} × {change.multiply}"
    after = changed[change.column]
    altered = ((after != before) & ~(after.isna() & before.isna())).to_numpy()
    expected = _probability(candidate, raw[altered]) if altered.any() else np.zeros(0)
    found = _probability(candidate, changed[altered]) if altered.any() else np.zeros(0)
    move = found - expected
    wrong = (
        ~np.isfinite(move)
        | {
            "unchanged": np.abs(move) > tolerance,
            "not_higher": move > tolerance,
            "not_lower": -move > tolerance,
        }[change.expect]
    )
    says = f"'{words}: {change.expect.replace('_', ' ')}'"
    return {
        "says": says,
        **_counted("violations", np.asarray(wrong), None if key is None else key[altered]),
    }


def monotonicity(
    candidate: Candidate,
    features: pd.DataFrame,
    name: str,
    direction: str,
    tolerance: float,
    key: np.ndarray | None = None,
) -> dict[str, Any]:
    """Count rows whose probability falls (or rises) anywhere as one feature rises.

    Each row is asked at eleven quantiles of the feature, all else as it is.
    """
    grid = np.unique(features[name].dropna().quantile(np.linspace(0, 1, 11)))
    curves = np.array(
        [candidate.probability(features.assign(**{name: float(value)})) for value in grid]
    )
    steps = np.diff(curves, axis=0) * (1 if direction == "increasing" else -1)
    wrong = (~(steps >= -tolerance)).any(axis=0) if len(grid) > 1 else np.zeros(len(features), bool)
    says = f"'{name} {direction}'"
    return {"says": says, **_counted("violations", np.asarray(wrong), key)}


def flipped(
    candidate: Candidate, raw: pd.DataFrame, attribute: str, key: np.ndarray | None = None
) -> dict[str, float | None]:
    """Count decisions that change when a row is moved to any other group of one attribute.

    A group is stood for by a value of its own rows: the first of a category, the median of a
    number cut at `bins`. Nothing else of the row changes.
    """
    sensitive = candidate.spec.sensitive[attribute]
    group = groups(raw, {attribute: sensitive})[attribute].to_numpy()
    before = candidate.predict(raw)["decision"].to_numpy()
    changed = np.zeros(len(raw), dtype=bool)
    for name in sorted(set(group) - {MISSING}):
        own = raw.loc[group == name, sensitive.source]
        value = own.iloc[0] if sensitive.bins is None else float(own.median())
        after = candidate.predict(raw.assign(**{sensitive.source: value}))["decision"].to_numpy()
        changed |= after != before
    return _counted("changed", changed, key)


def _counted(name: str, found: np.ndarray, key: np.ndarray | None) -> dict[str, float | None]:
    """Return how many rows it is found in, of how many, and what clusters take from them."""
    effect, several = clusters.design(found, key)
    counts = {name: int(found.sum()), "rows": len(found)}
    return {**counts, "design_effect": effect, "clusters": several}


def _probability(candidate: Candidate, raw: pd.DataFrame) -> np.ndarray:
    return candidate.predict(raw)["probability"].to_numpy()


def _strange_rows(objects: pd.DataFrame, sources: list[str], value: Any) -> pd.DataFrame:
    """Return the rows once for each source, with a value in that column, and once with it in all;
    shape (rows * (sources + 1), columns)."""
    rows = len(objects)
    starts = {source: number * rows for number, source in enumerate(sources)}
    columns = {}
    for name in objects:
        columns[name] = np.tile(objects[name].to_numpy(), len(sources) + 1)
        if name in starts:
            columns[name][starts[name] : starts[name] + rows] = value
            columns[name][-rows:] = value
    return pd.DataFrame(columns, dtype=object)


def _gap(expected: np.ndarray, found: np.ndarray) -> float:
    return float(np.nan_to_num(np.abs(expected - found), nan=np.inf).max())


def _json(gap: float) -> float | None:
    """Return a gap rounded up; None where it is not finite, as JSON has no infinity."""
    return parity.rounded_up(gap) if np.isfinite(gap) else None
