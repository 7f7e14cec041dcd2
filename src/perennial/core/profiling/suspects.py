"""Columns that should be no features: constants, identifiers, leaks, and the same thing twice."""

import numpy as np
import pandas as pd

from perennial.core import leaks
from perennial.core.dataset.features import seconds
from perennial.core.profiling.columns import Column, is_whole, words
from perennial.core.statistics import roc

LEAK = 0.95  # ROC AUC of one column alone: above, it has most likely seen the answer
IDENTIFIER = 0.9  # share of distinct values
TOO_MANY = 0.5  # share of distinct values from which levels hardly come again
FEWEST_VALUES = 30
SAME = 0.999  # correlation of ranks
LOOKED_AT = 100_000  # rows, evenly spaced
COMPARED = 5_000
DIGITS = 12


def useless(column: Column, rare_below: int, train: np.ndarray) -> str | None:
    """Return why a column can be no feature, or None.

    Args:
        column: The column.
        rare_below: Levels with fewer training rows are pooled.
        train: Which rows would train, shape (rows,).
    """
    own = column.cells[train].dropna()
    rows = int(train.sum())
    if own.empty:
        return "no value in any row" if column.missing == 1 else "no value in the rows to train on"
    distinct = own.nunique()
    if len(own) < FEWEST_VALUES:
        return f"only {len(own)} of {rows:,} rows have a value"
    if distinct == 1 and len(own) == rows:
        return f"always {_short(own.iloc[0])}"
    if (found := identifies(column, own, distinct)) is not None:
        return found
    if column.kind == "category" and distinct > 1:
        frequent = own.value_counts()
        kept = frequent[frequent >= rare_below].sum() / len(own)
        if distinct / len(own) > TOO_MANY or kept < 0.02:
            text = own.astype("str").str.len().median() > 30
            what = "free text" if text else "levels that hardly come again"
            return f"{what}: {distinct:,} distinct values in {len(own):,} rows"
    return None


def identifies(column: Column, own: pd.Series, distinct: int) -> str | None:
    """Return why a column names the row and says nothing of it; None if it doesn't."""
    share = distinct / len(own)
    if share <= IDENTIFIER or column.kind == "date":
        return None
    said = f"an identifier: {distinct:,} distinct values in {len(own):,} rows"
    if column.kind == "category":
        return None if own.astype("str").str.len().median() > 30 else said
    if not is_whole(own):
        return None  # a measurement with decimals may well never repeat
    named = {"id", "no", "nr", "number", "key", "uuid", "index", "rownum"} & set(words(column.name))
    span = float(own.max() - own.min() + 1)
    steady = (np.diff(own.to_numpy()) > 0).mean() > 0.99
    dense = span <= 1.2 * len(own)
    return said if named or steady or (dense and share == 1) else None


def alone(columns: list[Column], target: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """Return the ROC AUC that each column alone tells the target with, its lower bound.

    By its values, or by whether it has one: whichever says more.

    Args:
        columns: All their rows.
        target: 1 where positive, of all rows.
        rows: The places of those to train on, of which some are looked at.
    """
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).astype(int))]
    there = target[chosen]
    if len(np.unique(there)) < 2:
        return {}
    found = {}
    for column in columns:
        values = column.at(chosen)
        own = [_comparable(values, column.kind)]
        if 0 < values.isna().sum() < len(values):
            own.append(values.isna().astype("float64"))
        frame = pd.concat(own, axis=1, ignore_index=True)
        scores = leaks.single_features(frame, there).values()
        found[column.name] = max(_low(score) for score in scores)
    return found


def _low(score: dict[str, float]) -> float:
    """Return the lower bound; where the error is 0, all rows agree."""
    low = roc.reported(score, 0.999).low
    return float(low) if np.isfinite(low) else score["value"]


def _comparable(values: pd.Series, kind: str) -> pd.Series:
    if kind == "date":
        return seconds(values)
    return values if kind == "number" else values.astype(object)


def same(columns: list[Column], rows: int) -> dict[str, str]:
    """Return columns that say what another says, with that one's name.

    The same levels by other names, or numbers of the same order. Of two, the number is kept, else
    the first.

    Args:
        columns: All that could be features.
        rows: How many each has.
    """
    ordered = sorted(columns, key=lambda column: column.kind == "category")
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, 20 * COMPARED)).astype(int))
    seen: dict[bytes, str] = {}
    found: dict[str, str] = {}
    for column in ordered:
        codes, distinct = pd.factorize(column.at(chosen))
        if len(distinct) > TOO_MANY * len(chosen):
            continue  # where hardly a value comes again, any two columns go together
        mark = codes.astype("int32").tobytes()
        if mark in seen:
            found[column.name] = seen[mark]
        else:
            seen[mark] = column.name
    numbers = [c for c in ordered if c.kind == "number" and c.name not in found]
    return found | _correlated(numbers, rows)


def _correlated(numbers: list[Column], rows: int) -> dict[str, str]:
    """Return numbers whose ranks are those of an earlier one, nearly."""
    if len(numbers) < 2:
        return {}
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, COMPARED)).astype(int))
    ranks = np.empty((len(numbers), len(chosen)), dtype="float32")
    for place, column in enumerate(numbers):
        own = column.at(chosen).astype("float64").rank()
        rank = own.fillna(0.0).to_numpy()  # a missing value ranks lowest
        spread = rank.std()
        ranks[place] = (rank - rank.mean()) / (spread or 1.0)
    together = np.abs(ranks @ ranks.T / len(chosen))
    found: dict[str, str] = {}
    for later in range(1, len(numbers)):
        near = np.flatnonzero(together[later, :later] >= SAME)
        kept = [int(n) for n in near if numbers[n].name not in found]
        if kept:
            found[numbers[later].name] = numbers[kept[0]].name
    return found


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
