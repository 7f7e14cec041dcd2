"""What each column becomes: a feature of some kind, a sensitive attribute, or nothing, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.core.profiling import periods, suspects
from perennial.core.profiling.columns import Column, feature_name, is_whole, sentinel, words
from perennial.core.profiling.sizes import RARER, Sizes
from perennial.params import RESERVED

BORN = {"birth", "born", "dob", "birthday", "birthdate"}
SKEWED = 100.0  # the largest is so many times the middle: a logarithm brings the rows together
NEARLY_ALL_DISTINCT = 0.5
FEW_VALUES = 10
AGES = [30.0, 60.0]


@dataclass(frozen=True)
class Chosen:
    """A feature: the column it comes from, as what, which value is missing, and why."""

    source: str
    kind: str
    missing: float | None
    why: str


@dataclass(frozen=True)
class Group:
    """A sensitive attribute: its column, where it is cut, and why there."""

    source: str
    bins: list[float] | None
    why: str


def said_by_the_user(drop: Sequence[str], time: str | None, key: str | None) -> dict[str, str]:
    """Return the columns that are no features because of what the user said."""
    found = dict.fromkeys(drop, "you said so")
    if time is not None:
        found[time] = "when the row is of: it stands for the period, not for what the row is"
    if key is not None:
        found[key] = "names whom the row is about"
    return found


def features(columns: Sequence[Column], alone: Mapping[str, float]) -> dict[str, Chosen]:
    """Return a feature of each column, by a name that models and files can have."""
    found: dict[str, Chosen] = {}
    for column in columns:
        name = feature_name(column.name, found)
        cells = column.cells
        kind, told = _kind(column, cells.dropna())
        missing = sentinel(cells) if column.kind == "number" else None
        if missing is not None:
            told += f"; {missing:g} stands for no value"
        if column.missing:
            told += f"; {_percent(column.missing)} missing"
        auc = alone.get(column.name)
        told += f"; AUC {auc:.2f} or more alone" if auc is not None and auc >= 0.55 else ""
        found[name] = Chosen(column.name, kind, missing, told)
    return found


def _kind(column: Column, values: pd.Series) -> tuple[str, str]:
    if column.kind == "category":
        count = values.nunique()
        return "category", f"{count:,} level{'s' * (count != 1)}" + ", codes" * column.code
    if column.kind == "date":
        return "number", f"a date, {values.min():%Y-%m-%d} to {values.max():%Y-%m-%d}"
    low, high = float(values.min()), float(values.max())
    told = f"from {low:.4g} to {high:.4g}"
    middle = float(values.abs().median())
    whole = is_whole(values)
    if whole and values.nunique() / len(values) > NEARLY_ALL_DISTINCT and values.nunique() > 2:
        return "signed_log", f"{told}, whole numbers that hardly come again"
    if max(abs(low), abs(high)) > SKEWED * max(middle, 1.0):
        return "signed_log", f"{told}, half of them within {middle:.4g}"
    return "number", told


def faults(columns: Mapping[str, Column], sensitive: Sequence[str]) -> list[str]:
    """Return which sensitive columns can't be."""
    return [
        f"--sensitive {name}: a date names no groups; make a column of groups, such as age"
        for name in sensitive
        if columns[name].kind == "date"
    ]


def groups(columns: Mapping[str, Column], sensitive: Sequence[str]) -> dict[str, Group]:
    """Return the sensitive attributes; a number is cut into groups."""
    found: dict[str, Group] = {}
    for name in sensitive:
        column = columns[name]
        bins, why = _bins(column)
        stem = f"{name}_group" if bins or feature_name(name, ()) in RESERVED else name
        found[feature_name(stem, {*found, *RESERVED})] = Group(name, bins, why)
    return found


def _bins(column: Column) -> tuple[list[float] | None, str]:
    values = column.cells.dropna()
    if column.kind == "category" or values.nunique() <= FEW_VALUES:
        return None, f"{values.nunique():,} groups, as they are"
    if "age" in words(column.name) and values.min() >= 0 and values.max() <= 120:
        edges, why = AGES, "under 30, 30 to 59, 60 and over"
        sizes = np.bincount(np.digitize(values, edges), minlength=3)
        if sizes.min() > 0:
            return list(edges), why
    thirds = np.unique([float(f"{edge:.3g}") for edge in np.quantile(values, [1 / 3, 2 / 3])])
    return [float(edge) for edge in thirds], "three groups of about as many rows"


def times(
    columns: Mapping[str, Column], target: str, positive: np.ndarray, wanted: Sizes
) -> tuple[list[str], periods.Periods | None]:
    """Return the columns that could be the rows' time, dates in every row that can be split by;
    and how rows are cut by the first of them."""
    found: list[str] = []
    first = None
    for name, column in columns.items():
        if name == target or column.kind != "date" or column.missing:
            continue
        if set(words(name)) & BORN or any("other way round" in said for said in column.said):
            continue
        cut = periods.cut(column.cells, positive, wanted)
        if cut.split:
            found.append(name)
            first = first or cut
    return found, first


def look(
    columns: Sequence[Column],
    key: str | None,
    dropped: Mapping[str, str],
    leaks: Sequence[str],
    sizes: Sizes,
) -> list[str]:
    """Return what a person should look at first, most important first."""
    told = [
        f"{name} {dropped[name]}. If it is known before the decision, put it back: take it out of "
        "features.drop and gates.forbidden_features, and add it to features.columns"
        for name in leaks
    ]
    if sizes.short:
        told.append(
            f"{sizes.holdout:,} rows can be held out, and it takes {sizes.enough:,} to tell "
            f"(with {RARER} of the rarer class): gates that can't tell may block, which is no fault"
        )
    if key is not None:
        told.append(
            f"rows of one {key} are kept together, and gates count them for as much as they say; "
            "tests of drift take each row for a new one, so they alarm more often than they say"
        )
    else:
        for column in columns:
            if (several := _several_rows(column)) is not None:
                told.append(several)
    told += [f"{c.name}: {said}" for c in columns for said in c.said if "other way round" in said]
    return told


def _several_rows(column: Column) -> str | None:
    if "id" not in words(column.name):
        return None
    values = column.cells.dropna()
    if len(values) < 2:
        return None
    share = values.nunique() / len(values)
    if values.nunique() > 100 and share < suspects.IDENTIFIER:
        return (
            f"{column.name} has {values.nunique():,} values in {len(values):,} rows: if it names "
            "a person or thing, say --key, or rows of one are on both sides of the split"
        )
    return None


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
