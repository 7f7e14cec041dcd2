"""The target: two classes, and which of them is positive; what else it is, is said."""

from dataclasses import dataclass

import pandas as pd

from perennial.core.dataset.features import text_of
from perennial.core.profiling.columns import Column, Kind, is_whole

KNOWN_POSITIVE = (
    "1",
    "true",
    "yes",
    "y",
    "t",
    "positive",
    "pos",
    "bad",
    "default",
    "fraud",
    "churn",
)
KNOWN_NEGATIVE = ("0", "false", "no", "n", "f", "negative", "neg", "good", "none", "-1")
MULTICLASS = 50  # classes; a number with more values is a quantity
REMEDY = (
    "Perennial has two classes today: multiclass and regression are not supported yet. Make a "
    "column of two values of the question you have, such as `is it A or not` or `is it above X`."
)
SHOWN = 5


@dataclass(frozen=True)
class Classes:
    """The target's two classes.

    Attributes:
        cells: As batches have them: text, bool or int64, shape (rows,).
        positive: The value of the positive class.
        negative: That of the other.
        chosen: Why this one is positive.
        rate: The share of positives.
    """

    cells: pd.Series
    positive: str | int | bool
    negative: str | int | bool
    chosen: str
    rate: float


def classes(column: Column, positive: str | None) -> Classes | list[str]:
    """Return the target's classes, or what is wrong with it.

    Args:
        column: The target, as recognised.
        positive: What the user says is the positive class; None if nothing.
    """
    values = column.cells
    faults = _nulls(column.name, values)
    there = values.dropna()
    distinct = sorted(there.unique(), key=str)
    if len(distinct) > 2:
        return [*faults, f"target {column.name}: {_more(column.kind, there, distinct)}"]
    if len(distinct) < 2:
        only = f"one class only, {distinct[0]!s}" if distinct else "no value in any row"
        return [*faults, f"target {column.name}: {only}: there is nothing to tell apart"]
    names = [_text(value) for value in distinct]
    chosen = _chosen(names, there, distinct, positive)
    if isinstance(chosen, str):
        return [*faults, f"--positive {positive}: target {column.name} {chosen}"]
    if faults:
        return faults
    place, why = chosen
    typed = values.astype("int64") if column.kind == "number" else values
    both = [_value(value, typed) for value in distinct]
    rate = float((values == distinct[place]).mean())
    return Classes(typed, both[place], both[1 - place], why, rate)


def _nulls(name: str, values: pd.Series) -> list[str]:
    missing = values.isna()
    if not missing.any():
        return []
    rows = [str(row + 1) for row in missing.to_numpy().nonzero()[0][:SHOWN]]
    more = "…" if missing.sum() > len(rows) else ""
    return [
        f"target {name}: no value in {int(missing.sum()):,} of {len(missing):,} rows: row "
        f"{', '.join(rows)}{more}; leave out rows whose answer is not known"
    ]


def _more(kind: Kind, there: pd.Series, distinct: list[object]) -> str:
    named = ", ".join(_text(value)[:40] for value in distinct[:SHOWN])
    more = ", …" if len(distinct) > SHOWN else ""
    if kind == "date":
        return f"dates ({named}{more}); a target has two values"
    number = kind == "number"
    whole = number and is_whole(there)
    if number and (len(distinct) > MULTICLASS or not whole):
        low, high = there.min(), there.max()
        return f"a number from {low:g} to {high:g}, which is regression; two classes are supported"
    return f"{len(distinct):,} values ({named}{more}), which is multiclass; two are supported"


def _chosen(
    names: list[str], there: pd.Series, distinct: list[object], positive: str | None
) -> tuple[int, str] | str:
    """Return which class is positive and why; or what is wrong with the user's choice."""
    if positive is not None:
        wanted = positive.strip()
        for same in (str, str.casefold):
            found = [n for n, name in enumerate(names) if same(name) == same(wanted)]
            if len(found) == 1:
                return found[0], "as you said"
        return f"has no such value, only {names[0]} and {names[1]}"
    plain = [name.casefold() for name in names]
    for known in KNOWN_POSITIVE:
        if known in plain:
            return plain.index(known), "the one of the two that says so"
    for known in KNOWN_NEGATIVE:
        if known in plain:
            return 1 - plain.index(known), f"the other is {known}"
    counts = [int((there == value).sum()) for value in distinct]
    rarer = 0 if counts[0] <= counts[1] else 1
    return rarer, "the rarer of the two"


def _text(value: object) -> str:
    return str(text_of(pd.Series([value]))[0])


def _value(value: object, values: pd.Series) -> str | int | bool:
    if pd.api.types.is_bool_dtype(values):
        return bool(value)
    number = pd.api.types.is_numeric_dtype(values)
    return int(value) if number else str(value)  # type: ignore[call-overload]
