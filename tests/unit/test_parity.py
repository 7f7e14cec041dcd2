"""Parity: rows on the edge, and a gap that nothing slips through."""

import numpy as np
import pandas as pd
import pytest

from perennial.core.dataset import features
from perennial.core.dataset.features import FeatureSpec
from perennial.core.evaluation.parity import coded, edge_rows, largest_gap, rounded_up

from .planted import feature
from .planted import features as definitions

RAW = pd.DataFrame(
    {
        "amount": [1.5, -3.0, np.nan, 1e5],
        "level": ["u", None, "w", "v"],
        "rare": ["a", "a", "b", None],
    }
)


@pytest.fixture(scope="module")
def spec() -> FeatureSpec:
    asked = definitions(
        2,
        amount=feature("number", "amount"),
        level=feature("category", "level"),
        rare=feature("category", "rare"),
    )
    return features.fit(features.derive(RAW, asked.columns), asked, {})


@pytest.fixture(scope="module")
def edges(spec: FeatureSpec) -> pd.DataFrame:
    return edge_rows(spec)


def test_edge_rows_are_a_feature_matrix_like_any_other(
    spec: FeatureSpec, edges: pd.DataFrame
) -> None:
    pd.testing.assert_series_equal(edges.dtypes, spec.transform(RAW).dtypes)


def test_one_edge_row_has_nothing_at_all(edges: pd.DataFrame) -> None:
    assert edges.isna().all(axis=1).sum() == 1


def test_every_number_is_at_its_low_and_its_high(spec: FeatureSpec, edges: pd.DataFrame) -> None:
    assert set(edges["amount"].dropna()) == {-3.0, 1e5}
    assert spec.fitted["amount"].low == -3.0


def test_every_category_is_at_each_of_its_levels(spec: FeatureSpec, edges: pd.DataFrame) -> None:
    for name in ("level", "rare"):
        assert set(edges[name].dropna()) == set(spec.fitted[name].levels or ())
    assert "(other)" in set(edges["rare"])


def test_each_feature_is_missing_alone(edges: pd.DataFrame) -> None:
    alone = edges.isna()[edges.isna().sum(axis=1) == 1]
    assert (alone.sum() == 2).all()  # from the low corner and from the high one


def test_a_category_is_coded_as_its_place_among_the_levels(spec: FeatureSpec) -> None:
    found = coded(spec.transform(RAW))
    assert found.dtype == np.float32
    wanted = [[1.5, 0, 0], [-3, np.nan, 0], [np.nan, 0, 1], [1e5, 0, np.nan]]
    np.testing.assert_array_equal(found, np.array(wanted, dtype="float32"))


def test_codes_do_not_depend_on_which_levels_the_rows_have(spec: FeatureSpec) -> None:
    matrix = spec.transform(RAW)
    alone = [coded(matrix.iloc[[i]]) for i in range(len(matrix))]
    np.testing.assert_array_equal(np.concatenate(alone), coded(matrix))


def test_the_largest_gap_is_of_the_row_that_differs_most() -> None:
    first = np.array([0.1, 0.5, 0.9])
    assert largest_gap(first, np.array([0.1, 0.5, 0.9])) == 0
    assert largest_gap(first, np.array([0.11, 0.2, 0.9])) == pytest.approx(0.3)


@pytest.mark.parametrize("side", [0, 1])
def test_a_probability_that_is_no_number_is_an_infinite_gap(side: int) -> None:
    pair = [np.array([0.1, 0.2]), np.array([0.1, 0.2])]
    pair[side][1] = np.nan
    assert largest_gap(*pair) == np.inf


def test_no_number_in_both_is_no_agreement() -> None:
    assert largest_gap(np.array([np.nan]), np.array([np.nan])) == np.inf


def test_a_row_that_one_side_lacks_is_an_infinite_gap() -> None:
    assert largest_gap(np.array([0.1, 0.1]), np.array([0.1])) == np.inf


def test_no_rows_have_no_gap() -> None:
    assert largest_gap(np.array([]), np.array([])) == 0


@pytest.mark.parametrize(
    ("gap", "stated"), [(2.98e-8, 3e-8), (9.1e-6, 1e-5), (3e-7, 3e-7), (0.0, 0.0), (np.inf, np.inf)]
)
def test_a_gap_is_stated_up_to_one_digit_never_down(gap: float, stated: float) -> None:
    assert rounded_up(gap) == stated
