"""Arrivals: what a contract of one batch can't see, because it shows only beside other batches.

A copy under another period's name, a batch far larger than usual, times in several zones or in
another than before, a column under a new name, periods that don't sort as they are meant.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from perennial.core.incoming.contents import TEXT_TIMES
from perennial.core.incoming.findings import finding
from perennial.errors import InputError

NUMBER = re.compile(r"\d+")
FIRST_JUDGED = 3  # two batches before it say what is usual
FITS = 0.95  # share of values that must be what the contract expects of the missing column
ALIKE = 0.6  # of names, where the contract expects nothing of the values; difflib's own cutoff


@dataclass(frozen=True)
class Arrival:
    """A batch beside others.

    Attributes:
        period: Its name.
        sha256: Of its file.
        rows: How many.
        types: Of the columns in the contract, as `contents.types` returns them.
        content: Of its rows, as `contents.rows_digest` returns it; None where there are none.
    """

    period: str
    sha256: str
    rows: int
    types: Mapping[str, str]
    content: str | None = None


def require_order(names: Sequence[str]) -> None:
    """Check that periods sort as text as their numbers do.

    Args:
        names: The periods, and `data.as_of` if it is one.

    Raises:
        InputError: names alike but for their numbers sort otherwise as text, such as 2010-9 and
            2010-10, or are the same number twice.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        alike[NUMBER.sub("#", name)].append(name)
    faults = []
    for group in alike.values():
        keys = [[int(number) for number in NUMBER.findall(name)] for name in group]
        wrong = [i for i in range(1, len(keys)) if keys[i - 1] >= keys[i]]
        if wrong:
            first, second = group[wrong[0] - 1 : wrong[0] + 1]
            faults.append(
                f"periods sort as text, which puts {first} before {second}, and as numbers they "
                "do not come so"
            )
    if faults:
        raise InputError(
            faults, "Name all periods with numbers of the same width, for example 2010-09."
        )


def faults(
    this: Arrival, before: Sequence[Arrival], accepted: Sequence[Arrival], largest: float
) -> list[dict[str, Any]]:
    """Return what is wrong with a batch beside those before it, as findings.

    Args:
        this: The batch.
        before: All of an earlier period, oldest first.
        accepted: Those of them that were accepted, oldest first.
        largest: How many times the rows of the largest accepted one a batch may have.
    """
    found = _copies(this, before, accepted)
    most = max((other.rows for other in accepted), default=0)
    if len(accepted) >= FIRST_JUDGED - 1 and this.rows > largest * most:
        note = (
            f"{this.rows:,} rows are {this.rows / most:,.1f} times the {most:,} of the largest "
            f"batch accepted before it, above {largest:g} times; if it is right, raise "
            "validation.largest"
        )
        found.append(finding("not_larger_than_usual", None, note, examples=[this.rows]))
    found += _mixed(this)
    return found + (_zones(this, accepted[-1]) if accepted else [])


def _copies(
    this: Arrival, before: Sequence[Arrival], accepted: Sequence[Arrival]
) -> list[dict[str, Any]]:
    """Find the earliest batch with the same bytes, or accepted one with the same rows."""
    alike = [(other.period, "in the same bytes") for other in before if other.sha256 == this.sha256]
    alike += [
        (other.period, "in other bytes or another order")
        for other in accepted
        if this.content is not None and other.content == this.content
    ]
    if not alike:
        return []
    first, how = alike[0]
    note = f"the same rows as {first}, {how}: one of the two names is wrong"
    return [finding("not_a_copy_of_another_period", None, note, examples=[first])]


def _mixed(this: Arrival) -> list[dict[str, Any]]:
    """Find text whose times are in several zones, which no one type can hold."""
    return [
        finding(
            "one_time_zone",
            column,
            f"is {kind}: one moment can't be told from another; write them in UTC",
            examples=kind.removeprefix(TEXT_TIMES).split(" and "),
        )
        for column, kind in sorted(this.types.items())
        if kind.startswith(TEXT_TIMES) and " and " in kind
    ]


def _zones(this: Arrival, last: Arrival) -> list[dict[str, Any]]:
    """Compare time zones with the last accepted batch: its contract knows no zones."""
    return [
        finding(
            "same_time_zone_as_before",
            column,
            f"is {kind}, where {last.period} has {last.types[column]}",
            examples=[kind],
        )
        for column, kind in sorted(this.types.items())
        if column in last.types and _zone(kind) != _zone(last.types[column])
    ]


def _zone(kind: str) -> str | None:
    """Return a type's time zone, "naive" for none; None for what is no time. Units don't matter."""
    if kind.startswith(TEXT_TIMES):
        return kind
    if not kind.startswith("datetime64["):
        return None
    return kind[:-1].partition(", ")[2] or "naive"


def renamed(expected: Sequence[Mapping[str, Any]], batch: pd.DataFrame) -> dict[str, str]:
    """Return, for each missing column, the column that is likely it under a new name.

    A column not in the contract is likely if 95 % of its values are what the contract expects of
    the missing one. Among several the one whose name is most alike is taken, and where the
    contract expects nothing of the values, the name must be alike.

    Args:
        expected: The suite's expectations.
        batch: The batch's rows.
    """
    wanted = columns_of(expected)
    new = [name for name in map(str, batch.columns) if name not in wanted]
    found: dict[str, str] = {}
    for column in sorted(wanted - set(batch.columns)):
        asked = [e for e in expected if e["kwargs"].get("column") == column]
        likely = [name for name in new if _fits(batch[name], asked)]
        near = difflib.get_close_matches(column, likely, n=1, cutoff=0 if asked else ALIKE)
        if near:
            found[column] = near[0]
            new.remove(near[0])
    return found


def columns_of(expected: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the columns that a suite names."""
    wanted: set[str] = set()
    for item in expected:
        kwargs = item["kwargs"]
        wanted |= {str(kwargs[key]) for key in ("column", "column_A", "column_B") if key in kwargs}
        wanted |= {
            str(name) for key in ("column_set", "column_list") for name in kwargs.get(key, ())
        }
    return wanted


def _fits(values: pd.Series, asked: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a column holds what expectations of a type, a set or a range ask."""
    there = values.dropna()
    for item in asked:
        kwargs, kind = item["kwargs"], item["type"]
        if kind == "expect_column_values_to_be_of_type":
            fits = _is_of(values, [kwargs["type_"]])
        elif kind == "expect_column_values_to_be_in_type_list":
            fits = _is_of(values, kwargs["type_list"])
        elif "row_condition" in kwargs:  # of some rows only
            fits = True
        elif kind == "expect_column_values_to_be_in_set":
            fits = len(there) > 0 and there.isin(kwargs["value_set"]).mean() >= FITS
        elif kind == "expect_column_values_to_be_between":
            fits = pd.api.types.is_numeric_dtype(there) and _inside(there, kwargs) >= FITS
        else:
            fits = True
        if not fits:
            return False
    return True


def _inside(values: pd.Series, kwargs: Mapping[str, Any]) -> float:
    """Return the share of values in a range, either end of which may be open."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    inside = pd.Series(True, index=values.index)
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    return float(inside.mean()) if len(values) else 0.0


def _is_of(values: pd.Series, types: Sequence[str]) -> bool:
    name = "str" if pd.api.types.is_string_dtype(values) else str(values.dtype)
    return any(name == kind or name.startswith(f"{kind}[") for kind in types) or (
        "Timestamp" in types and name.startswith("datetime64[") and "," in name
    )
