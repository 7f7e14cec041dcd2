"""Calibration: the maps find what was planted, rise, and come back as they were."""

import json
import warnings
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.model import calibration
from perennial.core.model.calibration import Calibration

METHODS: tuple[Literal["sigmoid", "isotonic"], ...] = ("sigmoid", "isotonic")


def planted(
    slope: float, intercept: float, rows: int = 20_000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    margin = random.normal(size=rows) * 2
    probability = 1 / (1 + np.exp(-(slope * margin + intercept)))
    return margin, (random.random(rows) < probability).astype("int64")


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.7)])
def test_sigmoid_recovers_a_planted_slope_and_intercept(slope: float, intercept: float) -> None:
    found = calibration.fit("sigmoid", *planted(slope, intercept))
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.intercept == pytest.approx(intercept, abs=0.06)


@pytest.mark.parametrize("method", METHODS)
def test_calibrated_probabilities_have_the_rate_of_the_rows_fitted_on(
    method: Literal["sigmoid", "isotonic"],
) -> None:
    margin, target = planted(0.5, -1.0, rows=2000)
    found = calibration.fit(method, margin, target).probability(margin)
    assert found.mean() == pytest.approx(target.mean(), abs=1e-3)


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.integers(0, 1)), min_size=2, max_size=40),
    st.lists(st.floats(-100, 100), min_size=2, max_size=20),
)
def test_isotonic_never_falls_and_never_says_0_or_1(
    rows: list[tuple[float, int]], asked: list[float]
) -> None:
    margin, target = (np.array(column) for column in zip(*rows, strict=True))
    found = calibration.fit("isotonic", margin, target).probability(np.sort(asked))
    assert (np.diff(found) >= 0).all()
    assert found.min() > 0
    assert found.max() < 1


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_margin_gets_the_rate_of_its_rows(
    method: Literal["sigmoid", "isotonic"],
) -> None:
    target = np.repeat([1, 0], [30, 70])
    found = calibration.fit(method, np.full(100, 0.7), target)
    assert found.probability(np.array([0.7])) == pytest.approx([0.3], abs=0.01)
    assert found.probability(np.array([-9.0, 9.0])) == pytest.approx([0.3, 0.3], abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_a_calibration_comes_back_from_json_exactly(
    method: Literal["sigmoid", "isotonic"],
) -> None:
    margin, target = planted(0.8, 0.1, rows=500)
    fitted = calibration.fit(method, margin, target)
    back = Calibration.from_json(json.loads(json.dumps(fitted.to_json())))
    assert back == fitted
    assert np.array_equal(back.probability(margin), fitted.probability(margin))


def test_sigmoid_keeps_the_order_of_a_model_that_ranks_rightly() -> None:
    margin, target = planted(0.5, -1.0, rows=500)
    found = calibration.fit("sigmoid", margin, target).probability(margin)
    assert np.array_equal(np.argsort(found, kind="stable"), np.argsort(margin, kind="stable"))


def test_a_few_rows_that_are_separated_do_not_make_certainty() -> None:
    margin = np.arange(-10, 10) + 0.5
    found = calibration.fit("sigmoid", margin, (margin > 0).astype("int64"))
    assert found.probability(margin).max() < 0.999


def test_far_margins_are_certain_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Calibration("sigmoid").probability(np.array([-1000.0, 1000.0]))
    assert found == pytest.approx([0, 1])
