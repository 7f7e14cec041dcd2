"""Attribution: shares of features, the check that they add up, and which rows are shown."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core import attribution
from perennial.core.dataset.part import evenly

VALUES = pd.DataFrame({"a": [1.0, -3.0, 2.0], "b": [0.5, 0.5, -0.5], "c": [0.0, 0.0, 0.0]})


def test_importance_is_the_mean_size_and_its_share_largest_first() -> None:
    found = attribution.importance(VALUES)
    assert [row["feature"] for row in found] == ["a", "b", "c"]
    assert [row["mean_abs_shap"] for row in found] == pytest.approx([2.0, 0.5, 0.0])
    assert [row["share"] for row in found] == pytest.approx([0.8, 0.2, 0.0])


def test_features_of_equal_importance_are_in_order_of_name() -> None:
    values = pd.DataFrame({"z": [1.0], "a": [-1.0], "m": [1.0]})
    assert [row["feature"] for row in attribution.importance(values)] == ["a", "m", "z"]


def test_a_model_that_says_nothing_has_no_shares() -> None:
    nothing = VALUES * 0
    assert [row["share"] for row in attribution.importance(nothing)] == [0, 0, 0]
    assert attribution.largest_share(nothing)(np.ones((2, 3), dtype="float32")).tolist() == [0, 0]


@given(
    st.lists(
        st.tuples(*[st.floats(-5, 5).map(lambda v: round(v, 3))] * 3), min_size=1, max_size=15
    ),
    st.data(),
)
def test_the_largest_share_with_weights_is_that_of_repeated_rows(
    rows: list[tuple[float, float, float]], data: st.DataObject
) -> None:
    values = pd.DataFrame(rows, columns=["a", "b", "c"])
    drawn = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    weight = np.array(data.draw(drawn))
    weight[0] += 1
    found = attribution.largest_share(values)(np.vstack([np.ones(len(rows)), weight]))
    again = values.loc[np.repeat(np.arange(len(rows)), weight)]
    for share, repeated in zip(found, (values, again), strict=True):
        assert share == pytest.approx(attribution.importance(repeated)[0]["share"])


def test_the_feature_with_the_largest_share_may_differ_by_replicate() -> None:
    values = pd.DataFrame({"a": [3.0, 0.0], "b": [0.0, 1.0]})
    found = attribution.largest_share(values)(np.array([[1, 0], [0, 1], [1, 1]]))
    assert found == pytest.approx([1.0, 1.0, 0.75])


@given(st.integers(0, 19), st.integers(0, 2), st.floats(0.01, 10) | st.floats(-10, -0.01))
def test_one_changed_value_is_an_additivity_error_of_its_size(
    row: int, column: int, change: float
) -> None:
    values = np.random.default_rng(0).normal(size=(20, 3))
    margin = 0.3 + values.sum(axis=1)
    assert attribution.additivity_error(values, 0.3, margin) < 1e-12
    values[row, column] += change
    assert attribution.additivity_error(values, 0.3, margin) == pytest.approx(abs(change))


def test_a_value_that_is_no_number_is_no_small_additivity_error() -> None:
    values = np.zeros((3, 2))
    values[1, 1] = np.nan
    assert not attribution.additivity_error(values, 0.0, np.zeros(3)) < 0.001


@given(st.integers(1, 300), st.integers(1, 60))
def test_rows_chosen_evenly_span_all_rows_and_are_as_many_as_asked_for(
    rows: int, at_most: int
) -> None:
    found = evenly(rows, at_most)
    assert len(found) == min(rows, at_most)
    assert found[0] == 0
    assert at_most == 1 or found[-1] == rows - 1
    steps = np.diff(found)
    assert len(steps) == 0 or steps.max() - steps.min() <= 1


@given(st.lists(st.floats(0, 1), min_size=4, max_size=40, unique=True))
def test_rows_shown_go_from_the_lowest_probability_to_the_highest(scores: list[float]) -> None:
    probability = np.array(scores)
    found = attribution.spread(probability, 4)
    assert len(found) == 4
    assert probability[found[0]] == min(scores)
    assert probability[found[-1]] == max(scores)
    assert probability[found].tolist() == sorted(probability[found])
