"""A part of the rows: what stages hand to each other."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Part:
    """A part of the rows: features (rows, columns), target (rows,) and groups by attribute.

    `key` numbers whose rows are one person's, shape (rows,), where the split keeps them together.
    """

    features: pd.DataFrame
    target: np.ndarray
    groups: pd.DataFrame
    key: np.ndarray | None = None

    def take(self, chosen: np.ndarray) -> "Part":
        """Return the rows of these numbers, in their order."""
        key = None if self.key is None else self.key[chosen]
        return Part(self.features.iloc[chosen], self.target[chosen], self.groups.iloc[chosen], key)


def evenly(rows: int, at_most: int) -> np.ndarray:
    """Return the numbers of at most `at_most` rows, evenly spaced over all; shape (chosen,)."""
    return np.unique(np.linspace(0, rows - 1, min(rows, at_most)).round().astype("int64"))
