"""Rows as the champion sees them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.core.dataset import features
from perennial.core.model.candidate import Candidate


@dataclass(frozen=True)
class Rows:
    """Raw rows after the champion has scored them.

    Attributes:
        derived: Features before fitting, shape (rows, features).
        features: The champion's feature matrix, shape (rows, features).
        margin: Its log odds before calibration, shape (rows,).
        probability: Calibrated, shape (rows,).
        decision: 0 or 1, shape (rows,).
        target: 0 or 1, shape (rows,); None where labels have not arrived.
        key: Whose row it is, shape (rows,); None where the split keeps nobody's rows together.
    """

    derived: pd.DataFrame
    features: pd.DataFrame
    margin: np.ndarray
    probability: np.ndarray
    decision: np.ndarray
    target: np.ndarray | None
    key: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.margin)

    def take(self, chosen: np.ndarray) -> "Rows":
        """Return the rows of these numbers, in their order."""
        return Rows(
            self.derived.iloc[chosen].reset_index(drop=True),
            self.features.iloc[chosen].reset_index(drop=True),
            self.margin[chosen],
            self.probability[chosen],
            self.decision[chosen],
            None if self.target is None else self.target[chosen],
            None if self.key is None else self.key[chosen],
        )


def view(
    model: Candidate, raw: pd.DataFrame, target: np.ndarray | None, key: str | None = None
) -> Rows:
    """Return raw rows as a model sees them.

    Args:
        model: The champion.
        raw: Raw columns, shape (rows, columns).
        target: 0 or 1, shape (rows,); None where labels have not arrived.
        key: The column that says whose a row is, if there is one.

    Raises:
        InputError: a raw column that a feature or the groups come from is missing.
    """
    spec, attribute = model.spec, model.decision.attribute
    derived = features.derive(raw, spec.columns)
    matrix = features.apply(spec, derived)
    margin = model.margin(matrix)
    probability = model.calibration.probability(margin)
    group = None
    if attribute is not None:
        groups = features.groups(raw, {attribute: spec.sensitive[attribute]})
        group = groups[attribute].to_numpy()
    decision = model.decision.decide(probability, group)
    known = key is not None and key in raw
    whose = features.text_of(raw[key]).to_numpy() if known else None
    return Rows(derived, matrix, margin, probability, decision, target, whose)
