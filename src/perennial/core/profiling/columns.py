"""Columns: what kind each is, and its values as batches will have them."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from perennial.core.profiling import dates, texts

Kind = Literal["number", "category", "date"]
CODE_NAMES = frozenset(
    {"zip", "zipcode", "postcode", "postal", "plz", "icd", "naics", "sic", "fips", "iban", "phone"}
)
SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, 999.0, 9999.0, 99999.0, 999999.0)
SENTINEL_SHARE = 0.01


@dataclass(frozen=True)
class Column:
    """A column of the user's.

    Attributes:
        name: As batches have it.
        kind: What it is.
        read: Gives its cells, or those of some rows by their places; of a large table from a file,
            which is there as long as the table is.
        missing: The share of rows without a value.
        said: What was found about how it is written, a sentence each.
        code: Whether it is a category though it looks like numbers.
        formats: How a date that is text is written, most frequent first.
        words: Texts that stand for a missing number or date.
    """

    name: str
    kind: Kind
    read: Callable[[np.ndarray | None], pd.Series]
    missing: float
    said: tuple[str, ...] = ()
    code: bool = False
    formats: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def cells(self) -> pd.Series:
        """int64 or float64, text, bool, or datetime64[us]; shape (rows,). Ask once."""
        return self.read(None)

    def at(self, rows: np.ndarray) -> pd.Series:
        """Return the cells of some rows, by their places."""
        return self.read(rows)


def with_cells(
    name: str, kind: Kind, cells: pd.Series, said: tuple[str, ...] = (), code: bool = False
) -> Column:
    """Return a column of these cells, shape (rows,)."""

    def read(rows: np.ndarray | None) -> pd.Series:
        return cells if rows is None else cells.iloc[rows].reset_index(drop=True)

    return Column(name, kind, read, float(cells.isna().mean()), said, code)


def recognise(values: pd.Series, name: str, comma_is_decimal: bool = False) -> Column:
    """Return what a column is.

    Text is looked at for what it says: numbers, dates, codes, or levels of a category.

    Args:
        values: As the source has them, shape (rows,).
        name: The column's.
        comma_is_decimal: Whether `1,234` is one and a bit, where nothing else says so.
    """
    values = values.reset_index(drop=True)
    if pd.api.types.is_bool_dtype(values):
        return with_cells(name, "category", values)
    if pd.api.types.is_datetime64_any_dtype(values):
        return _times(name, values)
    if pd.api.types.is_numeric_dtype(values):
        return _number(name, values.astype("float64"), values, ())
    return _text(values, name, comma_is_decimal)


def as_category(column: Column) -> Column:
    """Return a column as levels of a category, whatever it looks like."""
    if column.kind == "category":
        return column
    from perennial.core.dataset.features import text_of

    cells = text_of(column.cells).astype("str")
    return with_cells(column.name, "category", cells, column.said, code=True)


def _times(name: str, values: pd.Series) -> Column:
    years = values.dt.year
    far = (years < 1) | (years > 9999)
    if not far.any():
        return with_cells(name, "date", values)
    said = ("years before 1 or after 9999 are taken as missing",)
    return with_cells(name, "date", values.mask(far), said)


def _text(values: pd.Series, name: str, comma_is_decimal: bool) -> Column:
    codes, levels = texts.levels_of(values)
    if levels.empty:
        return with_cells(name, "number", pd.Series(float("nan"), index=values.index))
    if texts.is_code(levels):
        why = ("digits with leading zeros are a code, not a number",)
        return with_cells(name, "category", texts.spread(levels, codes), why, True)
    number = texts.numbers(codes, levels, comma_is_decimal)
    if number is not None:
        said: tuple[str, ...] = ()
        said += (f"numbers written {number.written}",) if number.written else ()
        if number.words:
            said += (f"taken as missing among numbers: {', '.join(number.words)}",)
        return replace(_number(name, number.cells, number.cells, said), words=number.words)
    found = dates.dates(levels)
    if found is not None and dates.plausible(found.cells):
        said = (f"dates as {', '.join(found.formats)}",)
        if found.ambiguous:
            said += (f"day and month could be the other way round: read as {found.formats[0]}",)
        if found.words:
            said += (f"taken as missing among dates: {', '.join(found.words)}",)
        cells = texts.spread(found.cells, codes)
        column = with_cells(name, "date", cells, said)
        return replace(column, formats=found.formats, words=found.words)
    return with_cells(name, "category", texts.spread(levels, codes))


def _number(name: str, number: pd.Series, own: pd.Series, said: tuple[str, ...]) -> Column:
    finite = number.where(number.abs() != float("inf"))
    if finite.isna().sum() > number.isna().sum():
        said += ("infinite values are taken as missing",)
    if set(words(name)) & CODE_NAMES and not finite.dropna().empty:
        said += ("a code by its name, not a number",)
        return as_category(with_cells(name, "number", finite, said))
    found = dates.of_numbers(finite) if finite.notna().any() else None
    if found is not None:
        return with_cells(name, "date", found[0], (*said, f"dates as {found[1]}"))
    if pd.api.types.is_integer_dtype(own) and own.notna().all():
        return with_cells(name, "number", own.astype("int64"))
    whole = finite.notna().all() and is_whole(finite) and finite.abs().max() < 2**53
    return with_cells(name, "number", finite.astype("int64") if whole else finite, said)


def is_whole(values: pd.Series) -> bool:
    """Say whether numbers, of which none is missing, have no decimals."""
    return pd.api.types.is_integer_dtype(values) or not (values % 1 != 0).any()


def sentinel(values: pd.Series) -> float | None:
    """Return the number that stands for no value, such as -1 or 999; None without one.

    It is the lowest or highest, frequent, and further from all others than these are spread.
    """
    there = values.dropna()
    if len(there) < 20:
        return None
    for value, end in ((there.min(), 1), (there.max(), -1)):
        rest = there[there != value]
        if value not in SENTINELS or (there == value).mean() < SENTINEL_SHARE or rest.nunique() < 5:
            continue
        nearest, middle = (rest.min() if end == 1 else rest.max()), rest.median()
        if value == -1.0 and rest.min() >= 0:
            return float(value)
        if abs(value - nearest) > 2 * abs(nearest - middle):
            return float(value)
    return None


def words(name: str) -> list[str]:
    """Return the words of a column's name in lower case: of `zipCode_2`, zip, code and 2."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", apart.lower()) if word]


def feature_name(name: str, taken: Collection[str]) -> str:
    """Return a name that models, files and sentences can all have, and that is not taken."""
    plain = unicodedata.normalize("NFKC", name)
    stem = re.sub(r"\W+", "_", plain).strip("_")[:60].strip("_") or "column"
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem}_{number}", number + 1
    return found


def distinct_names(header: Collection[str]) -> tuple[list[str], Mapping[str, str]]:
    """Return a name of its own for each column, and those that were changed with why.

    An empty name becomes `column 3`, the second `a` becomes `a (2)`; what can't be printed, such as
    a terminal's escape, becomes a space.
    """
    taken: set[str] = set()
    told: dict[str, str] = {}
    found = []
    header = list(header)
    for place, given in enumerate(header, start=1):
        name = " ".join("".join(c if c.isprintable() else " " for c in given).split())
        stem, number = name or f"column {place}", 2
        new = stem
        while new in taken or (new != name and new in header):
            new, number = f"{stem} ({number})", number + 1
        if new != name:
            told[new] = f"column {place} has no name" if not name else f"`{name}` is there twice"
        taken.add(new)
        found.append(new)
    return found, told
