"""Labels: the target column as 0 and 1."""

import numpy as np
import pandas as pd

from perennial.errors import InputError
from perennial.params import Target


def binary(raw: pd.DataFrame, target: Target, period: str) -> np.ndarray:
    """Return 1 where the target is the positive value, else 0; shape (rows,).

    Raises:
        InputError: the column is missing, has nulls, or more than one value besides the positive.
    """
    remedy = "Correct the batch, or target.column and target.positive in params.yaml."
    if target.column not in raw:
        raise InputError(f"{period}: column {target.column}: missing, and it is the target", remedy)
    values = raw[target.column]
    if values.isna().any():
        rows = [int(i) for i in np.flatnonzero(values.isna())[:5]]
        raise InputError(
            f"{period}: column {target.column}: {int(values.isna().sum())} nulls in the target, "
            f"rows {', '.join(map(str, rows))}…",
            remedy,
        )
    others = sorted(map(str, set(values.unique()) - {target.positive}))
    if len(others) > 1:
        raise InputError(
            f"{period}: column {target.column}: besides {target.positive!r} it has "
            f"{len(others)} values ({', '.join(others[:5])}), and only two classes are supported",
            remedy,
        )
    return (values == target.positive).to_numpy(dtype="int64")


def require_both(target: np.ndarray, part: str) -> None:
    """Check that rows of a part have both classes.

    Raises:
        InputError: one class only.
    """
    if len(np.unique(target)) < 2:
        raise InputError(
            f"the {part} rows ({len(target):,}) have one class of the target only",
            "Check target.positive in params.yaml, move data.as_of on, or add batches.",
        )
