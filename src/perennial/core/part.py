"""A part of the rows: what stages hand to each other."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Part:
    """A part of the rows: features (rows, columns), target (rows,) and groups by attribute."""

    features: pd.DataFrame
    target: np.ndarray
    groups: pd.DataFrame
