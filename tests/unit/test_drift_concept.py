"""Concept drift: a change of the errors is found where it is, and none where there is none."""

import json

import numpy as np
import pytest

from perennial.core.drift import concept

DELTA = 0.002


def errors(*parts: tuple[int, float], seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate([random.random(rows) < rate for rows, rate in parts]).astype("float64")


def test_errors_that_go_up_are_found_soon_and_where_they_began() -> None:
    (found,) = concept.changes(errors((2000, 0.2), (2000, 0.4)), DELTA)
    assert found.harmful
    assert 1800 < found.start < 2200
    assert 2000 < found.found < 2400
    assert found.before == pytest.approx(0.2, abs=0.03)
    assert found.after > 0.3


def test_errors_that_go_down_are_a_change_and_no_harm() -> None:
    (found,) = concept.changes(errors((2000, 0.4), (2000, 0.2)), DELTA)
    assert not found.harmful


def test_a_change_and_the_way_back_are_two() -> None:
    found = concept.changes(errors((2000, 0.1), (2000, 0.5), (2000, 0.1)), DELTA)
    assert [change.harmful for change in found] == [True, False]
    assert found[1].before == pytest.approx(0.5, abs=0.05)


def test_errors_that_stay_are_seldom_a_change() -> None:
    """Twenty streams of 3,000 rows."""
    found = [concept.changes(errors((3000, 0.3), seed=seed), DELTA) for seed in range(20)]
    assert sum(map(len, found)) <= 1


def test_squared_errors_of_probabilities_are_errors_too() -> None:
    random = np.random.default_rng(0)
    probability = random.beta(2, 5, 4000)
    target = random.random(4000) < np.where(np.arange(4000) < 2000, probability, 1 - probability)
    found = concept.changes((probability - target) ** 2, DELTA)
    assert found[0].harmful
    assert 1800 < found[0].start < 2200


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, np.inf])
def test_errors_outside_of_0_to_1_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="errors of 0 to 1"):
        concept.changes(np.array([0.5, value]), DELTA)


def test_no_rows_have_no_change() -> None:
    assert concept.changes(np.array([]), DELTA) == []


def test_as_json_a_change_says_whether_it_does_harm() -> None:
    (found,) = concept.changes(errors((2000, 0.2), (2000, 0.4)), DELTA)
    written = json.loads(json.dumps(found.to_json()))
    assert set(written) == {"found", "start", "before", "after", "harmful"}
