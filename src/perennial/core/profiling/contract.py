"""The data contract of a profile: a Great Expectations suite that its own batches keep, and that
batches clearly unlike them break."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.profiling.columns import Column
from perennial.core.profiling.profile import Profile

USUAL = 0.05  # of a column's values may be null, unseen or out of range: the features handle that
MOST_LEVELS = 500  # that are written down
UNSEEN = 0.25  # chance of a level never seen from which a list of them says nothing
DUPLICATES = 0.01
MOST_DUPLICATES = 0.25
ABOUT = (
    "The contract of one batch, profiled from the data by `perennial init`: what must hold before "
    "its rows are trained on. `rule` says in words what an expectation asks, and stands in "
    "reports; `why` says what it rests on. An expectation with `mostly` tolerates, and reports, "
    "the rest. docs/faults-of-data.md says what becomes of each fault. Tighten what you can."
)


def suite(profile: Profile, batches: Sequence[np.ndarray]) -> dict[str, Any]:
    """Return the suite.

    Args:
        profile: What was found.
        batches: The rows of each batch, by their places.
    """
    names = [column.name for column in profile.columns]
    smallest = min(len(rows) for rows in batches)
    expected = [
        _expect(
            "expect_table_row_count_to_be_between",
            {"min_value": max(1, smallest // 10)},
            f"there are at least {max(1, smallest // 10):,} rows",
            f"a tenth of your smallest batch ({smallest:,}); fewer says that an export failed",
        ),
        _expect(
            "expect_table_columns_to_match_set",
            {"column_set": names, "exact_match": False},
            "every column is there",
            "a column more does no harm: it is reported and not used",
        ),
        *_unique_rows(profile, batches, names),
        *_target(profile, batches),
    ]
    for column in profile.columns:
        if column.name != profile.target:
            expected += _column(column, profile, batches)
    return {"name": "batch", "meta": {"about": ABOUT}, "expectations": expected}


def _expect(kind: str, kwargs: Mapping[str, Any], rule: str, why: str | None = None) -> dict:
    meta = {"rule": rule} | ({"why": why} if why else {})
    return {"type": kind, "kwargs": dict(kwargs), "meta": meta}


def _unique_rows(
    profile: Profile, batches: Sequence[np.ndarray], names: Sequence[str]
) -> list[dict]:
    hashes = np.zeros(profile.rows, dtype="uint64")
    for place, column in enumerate(profile.columns, start=1):
        own = pd.util.hash_pandas_object(column.cells, index=False).to_numpy()
        hashes ^= own * np.uint64(2 * place + 1)
    worst = 0.0
    for rows in batches:
        worst = max(worst, float(pd.Series(hashes[rows]).duplicated(keep=False).mean()))
    if worst > MOST_DUPLICATES or len(names) < 2:
        return []
    allowed = max(DUPLICATES, round(2 * worst, 4))
    return [
        _expect(
            "expect_compound_columns_to_be_unique",
            {"column_list": list(names), "mostly": round(1 - allowed, 4)},
            "no row is there twice",
            f"in your batches at most {worst:.2%} of the rows are alike; {allowed:.2%} is left for "
            "rows that are alike by chance, more is an export joined or appended twice",
        )
    ]


def _target(profile: Profile, batches: Sequence[np.ndarray]) -> list[dict]:
    name, classes = profile.target, profile.classes
    both = sorted([classes.negative, classes.positive], key=str)
    found = [
        *_type(name, classes.cells),
        _expect(
            "expect_column_values_to_not_be_null",
            {"column": name},
            f"{name} is never null",
            "no tolerance: a row without the target teaches and judges nothing",
        ),
        _expect(
            "expect_column_values_to_be_in_set",
            {"column": name, "value_set": both},
            f"{name} is {both[0]} or {both[1]}",
            "no tolerance: a third answer makes the rest doubtful too",
        ),
    ]
    if all(classes.cells.iloc[rows].nunique() == 2 for rows in batches):
        found.append(
            _expect(
                "expect_column_unique_value_count_to_be_between",
                {"column": name, "min_value": 2},
                f"{name} has both classes",
                "each of your batches has; nothing can be measured on one class",
            )
        )
    return found


def _column(column: Column, profile: Profile, batches: Sequence[np.ndarray]) -> list[dict]:
    cells = column.cells
    found = _type(column.name, cells)
    found += _nulls(column.name, cells, profile.key, batches)
    there = cells.dropna()
    if there.empty:
        return found
    if column.kind == "number":
        found += _range(column.name, there)
        found += _middle(column.name, cells, there, batches)
    elif column.kind == "category" and not pd.api.types.is_bool_dtype(there):
        found += _levels(column.name, there)
    return found


def _type(name: str, values: pd.Series) -> list[dict]:
    if pd.api.types.is_bool_dtype(values):
        kind, words = {"type_list": ["bool", "bool_"]}, "yes or no, as true and false"
    elif pd.api.types.is_numeric_dtype(values):
        kind, words = {"type_list": ["int64", "float64"]}, "a number"
    elif pd.api.types.is_datetime64_any_dtype(values):
        return [
            _expect(
                "expect_column_values_to_be_of_type",
                {"column": name, "type_": "datetime64"},
                f"{name} is a time without a zone",
            )
        ]
    else:
        return [
            _expect(
                "expect_column_values_to_be_of_type",
                {"column": name, "type_": "str"},
                f"{name} is text",
            )
        ]
    return [
        _expect(
            "expect_column_values_to_be_in_type_list", {"column": name} | kind, f"{name} is {words}"
        )
    ]


def _nulls(
    name: str, cells: pd.Series, key: str | None, batches: Sequence[np.ndarray]
) -> list[dict]:
    missing = cells.isna().to_numpy()
    if name == key:
        rule = f"{name} is never null"
        why = "rows without a key can't be kept together"
        return [_expect("expect_column_values_to_not_be_null", {"column": name}, rule, why)]
    worst = max(float(missing[rows].mean()) for rows in batches)
    allowed = USUAL if not worst else worst + max(USUAL, 0.25 * worst)
    if allowed >= 1:
        return []
    allowed = round(allowed, 3)
    had = f"your batches have up to {worst:.1%}" if worst else "your batches have none"
    return [
        _expect(
            "expect_column_values_to_not_be_null",
            {"column": name, "mostly": round(1 - allowed, 3)},
            f"{name} is not null",
            f"up to {allowed:.1%}: {had}; more is a broken export",
        )
    ]


def _range(name: str, there: pd.Series) -> list[dict]:
    low, high = float(there.min()), float(there.max())
    span = (high - low) or max(abs(low), 1.0)
    least = 0.0 if low >= 0 else low - span
    least, most = float(f"{least:.6g}"), float(f"{high + span:.6g}")
    return [
        _expect(
            "expect_column_values_to_be_between",
            {"column": name, "min_value": least, "max_value": most, "mostly": 1 - USUAL},
            f"{name} is from {least:g} to {most:g}",
            f"yours are from {low:.6g} to {high:.6g}, and as much again is left at either end",
        )
    ]


def _middle(
    name: str, cells: pd.Series, there: pd.Series, batches: Sequence[np.ndarray]
) -> list[dict]:
    """Ask that half of the values are where nearly all were: what a change of unit moves."""
    low, high = (float(edge) for edge in there.quantile([0.05, 0.95]))
    if low == high:
        return []
    own = [cells.iloc[rows].median() for rows in batches]
    middles = [float(middle) for middle in own if pd.notna(middle)]
    least = float(np.nextafter(float(f"{min([low, *middles]):.9g}"), -np.inf))
    most = float(np.nextafter(float(f"{max([high, *middles]):.9g}"), np.inf))
    if any(pd.isna(middle) for middle in own):
        return []  # a batch without any value has no middle
    least, most = min(least, *middles), max(most, *middles)
    return [
        _expect(
            "expect_column_median_to_be_between",
            {"column": name, "min_value": least, "max_value": most},
            f"the middle value of {name} is from {least:.6g} to {most:.6g}",
            "nine of ten of your values are there; half of a batch beyond is another unit",
        )
    ]


def _levels(name: str, there: pd.Series) -> list[dict]:
    counts = there.value_counts()
    unseen = float((counts == 1).sum() / len(there))  # Good (1953)
    if len(counts) <= MOST_LEVELS and unseen <= UNSEEN:
        allowed = round(max(USUAL, 3 * unseen), 3)
        levels = sorted(map(str, counts.index))
        return [
            _expect(
                "expect_column_values_to_be_in_set",
                {"column": name, "value_set": levels, "mostly": round(1 - allowed, 3)},
                f"{name} is one of its {len(levels):,} known values",
                f"up to {allowed:.1%}: the features have a place for unseen values; more is "
                "another coding",
            )
        ]
    length = there.astype("str").str.len()
    low, high = int(length.min()), int(length.max())
    return [
        _expect(
            "expect_column_value_lengths_to_be_between",
            {
                "column": name,
                "min_value": max(0, low - (high - low)),
                "max_value": 2 * high - low + 1,
                "mostly": 1 - USUAL,
            },
            f"{name} has about the usual length",
            f"yours have {low:,} to {high:,} characters; its {len(counts):,} values are too many "
            "to list",
        )
    ]
