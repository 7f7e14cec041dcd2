"""A champion on a population whose truth is known, and windows of newer rows from it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.adapters.configuration import read_params
from perennial.core import case
from perennial.core.drift.examination import Examination, examine
from perennial.core.drift.rows import Rows, view
from perennial.core.model.candidate import Candidate
from perennial.core.proof import population
from perennial.params import Params


@dataclass(frozen=True)
class Known:
    """The champion, the rows it was checked on, and the parameters."""

    champion: Candidate
    reference: Rows
    params: Params

    def examine(
        self, raw: pd.DataFrame, target: np.ndarray | None, labelled: bool = True
    ) -> Examination:
        current = view(self.champion, raw, target)
        utility = self.params.training.utility
        return examine(
            self.champion,
            self.reference,
            current,
            current if labelled else None,
            self.params.monitor,
            utility,
            0,
        )


def champion() -> Known:
    params = population.synthetic_params(read_params())
    rows = population.synthetic(0)
    fitted = case.fit(rows, params)
    checked = rows.take(rows.of("calibration", "holdout"))
    return Known(fitted.candidate, view(fitted.candidate, checked.raw, checked.target), params)


def window(rows: int = 800, seed: int = 7) -> tuple[pd.DataFrame, np.ndarray]:
    """Return newer rows of the same population, and their target."""
    drawn = population.synthetic(seed)
    return drawn.raw.iloc[:rows].reset_index(drop=True), drawn.target[:rows]
