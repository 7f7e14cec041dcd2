"""Later rows made to conform: each column read as the kind that batches have it in.

`recognise` finds out what a column is; here that is known, and what doesn't fit is a fault.
"""

from collections.abc import Callable, Sequence

import pandas as pd

from perennial.core.dataset.features import text_of
from perennial.core.profiling import dates, texts
from perennial.core.profiling.columns import is_whole, recognise

SHOWN = 5
BOOLEANS = {"true": True, "false": False}


def conform(
    values: pd.Series,
    kind: str,
    place: Callable[[int], str],
    comma_is_decimal: bool = False,
    formats: Sequence[str] = (),
    words: Sequence[str] = (),
) -> pd.Series | str:
    """Return a column's cells as batches have them, shape (rows,); or what is wrong with it.

    Args:
        values: As the source has them, shape (rows,).
        kind: As `batches.columns` names it: number, text, boolean or time.
        place: Says where a row is.
        comma_is_decimal: Whether `1,234` is one and a bit, where nothing else says so.
        formats: How dates are written; any that fits, if empty.
        words: Texts that stand for a missing number or date.
    """
    values = _without(values.reset_index(drop=True), () if kind == "text" else words)
    if kind == "text":
        return _text(values)
    if kind == "number":
        cells = _numbers(values, comma_is_decimal)
    elif kind == "time":
        cells = _times(values, formats)
    elif kind == "boolean":
        cells = _booleans(values)
    else:
        return f"is {kind} in the batches, which is not read from files"
    odd = (cells.isna() & values.notna()).to_numpy().nonzero()[0]
    if not len(odd):
        return cells
    shown = ", ".join(f"{values[row]!r} in {place(row)}" for row in odd[:SHOWN])
    more = f" and {len(odd) - SHOWN:,} more" if len(odd) > SHOWN else ""
    return f"is no {kind}: {shown}{more}"


def _without(values: pd.Series, words: Sequence[str]) -> pd.Series:
    """Return values with the texts that stand for none missing, and the others stripped."""
    if not pd.api.types.is_string_dtype(values):
        return values
    codes, levels = texts.levels_of(values)
    return texts.spread(levels.mask(levels.isin(words)), codes)


def _text(values: pd.Series) -> pd.Series:
    return values if pd.api.types.is_string_dtype(values) else text_of(values).astype("str")


def _numbers(values: pd.Series, comma_is_decimal: bool) -> pd.Series:
    """Return numbers, whole ones as int64; what people write for no number is missing."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        cells = values.astype("float64")
    else:
        codes, levels = texts.levels_of(values.astype("str"))
        read = texts.numbers(codes, levels, comma_is_decimal)
        plain = pd.to_numeric(levels, errors="coerce").astype("float64")
        cells = texts.spread(plain, codes) if read is None else read.cells
    return _whole(cells)


def _whole(cells: pd.Series) -> pd.Series:
    finite = cells.where(cells.abs() != float("inf"))
    whole = finite.notna().all() and is_whole(finite) and finite.abs().max() < 2**53
    return finite.astype("int64") if whole and len(finite) else finite


def _times(values: pd.Series, formats: Sequence[str]) -> pd.Series:
    if not pd.api.types.is_string_dtype(values):
        found = recognise(values, "time")
        missing = pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
        return found.cells if found.kind == "date" else missing
    codes, levels = texts.levels_of(values)
    if formats:
        return texts.spread(dates.by_formats(levels, formats), codes)
    read = dates.dates(levels)
    unread = pd.Series(pd.NaT, index=levels.index, dtype="datetime64[us]")
    return texts.spread(unread if read is None else read.cells, codes)


def _booleans(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        return values
    read = values.astype("str").str.lower().map(BOOLEANS).astype("boolean")
    return read.astype("bool") if read.notna().all() else read
