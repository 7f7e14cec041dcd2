"""Examples of what a model takes: rows that are nobody's."""

import pandas as pd


def typical(raw: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return a few made-up rows of the same columns and types.

    Each column by itself: numbers and times at even quantiles, else the most frequent values that
    more than one row has. So no row is that of a person, and no value is one person's alone.

    Args:
        raw: Rows of a batch.
        rows: How many to make.
    """
    return pd.DataFrame({str(name): _column(raw[name], rows) for name in raw})


def _column(values: pd.Series, rows: int) -> pd.Series:
    there = values.dropna()
    kind = values.dtype
    is_number = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    if len(there) and (is_number or pd.api.types.is_datetime64_any_dtype(kind)):
        at = [(number + 1) / (rows + 1) for number in range(rows)]
        found = there.quantile(at).reset_index(drop=True)
        return found.round().astype(kind) if pd.api.types.is_integer_dtype(kind) else found
    counts = there.value_counts()
    shared = sorted(counts[counts > 1].index, key=lambda value: (-counts[value], str(value)))
    chosen = [shared[number % len(shared)] if shared else None for number in range(rows)]
    whole = pd.api.types.is_bool_dtype(kind) or pd.api.types.is_integer_dtype(kind)
    return pd.Series(chosen, dtype="object" if whole and not shared else kind)  # can't be missing
