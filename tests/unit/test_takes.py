"""Whether a model takes rows as they are delivered now: by itself it says nothing of them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from perennial.core import case, takes
from perennial.core.model.candidate import Candidate
from perennial.core.proof import population

from .monitored import SHIPPED


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return population.synthetic(0).raw.head(200)


@pytest.fixture(scope="module")
def model() -> Candidate:
    params = population.synthetic_params(SHIPPED)
    return case.fit(population.synthetic(0), params).candidate


def test_the_rows_that_it_was_fitted_on_are_taken(model: Candidate, rows: pd.DataFrame) -> None:
    assert takes.faults(model, rows) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(more=1),
        lambda rows: rows.drop(columns=["noise", "after"]),
        lambda rows: rows.assign(x1=rows["x1"].astype("float32")),
        lambda rows: rows.assign(x1=rows["x1"].astype(str)),  # text, and every value a number
        lambda rows: rows.assign(x1=(rows["x1"] > 0)),
        lambda rows: rows.assign(x2=np.nan, kind=None),
        lambda rows: rows.assign(kind=rows["kind"].where(rows.index % 2 == 0, "new")),
        lambda rows: rows.head(1),
    ],
)
def test_what_scoring_takes_too_is_no_fault(
    model: Candidate, rows: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    assert takes.faults(model, change(rows)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.drop(columns=["x1", "kind"]), ["column kind: not", "column x1: not"]),
        (lambda rows: rows.assign(x1="much"), ["column x1: was a number, and 200 values are none"]),
        (
            lambda rows: rows.assign(x1=rows["x1"].astype(str).where(rows.index != 7, "?")),
            ["column x1: was a number, and 1 values are none, for example '?'"],
        ),
        (
            lambda rows: rows.assign(kind=rows["kind"].map({"p": 0, "q": 1, "r": 2, "s": 3})),
            ["column kind: not one value is a level that it knows"],
        ),
        (
            lambda rows: rows.assign(x1="much", group="elsewhere"),
            ["column x1: was a number", "column group: not one value"],
        ),
    ],
    ids=["columns gone", "text for a number", "one value", "codes for names", "two at once"],
)
def test_what_a_model_would_take_without_a_word_is_a_fault(
    model: Candidate,
    rows: pd.DataFrame,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    said: list[str],
) -> None:
    """All of it at once."""
    found = takes.faults(model, change(rows))
    assert len(found) == len(said)
    assert all(any(part in fault for fault in found) for part in said), found


def test_a_prediction_that_is_no_probability_is_a_fault(
    model: Candidate, rows: pd.DataFrame
) -> None:
    class Broken(Candidate):
        def probability(self, features: pd.DataFrame) -> np.ndarray:
            return np.where(np.arange(len(features)) < 3, np.nan, 0.5)

    assert takes.faults(Broken(**vars(model)), rows) == ["3 of 200 rows get no probability"]
