"""Label shift: the prior is found without labels where classes look as they did."""

import numpy as np
import pytest
from scipy.special import expit, logit

from perennial.core.drift import label_shift

OLD = 0.2


def drawn(rows: int, prior: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that are calibrated under the old prior."""
    random = np.random.default_rng(seed)
    target = (random.random(rows) < prior).astype("int64")
    x = random.normal(1.5 * target, 1)
    return target, expit(logit(OLD) + 1.5 * x - 1.5**2 / 2)


def decided(probability: np.ndarray) -> np.ndarray:
    return (probability > 0.3).astype("int64")


def test_probabilities_under_the_new_prior_are_bayes_rule() -> None:
    """Its odds are multiplied by the ratio of the priors' odds."""
    probability = np.array([0.01, 0.3, 0.9])
    adjusted = label_shift.adjust(probability, 0.2, 0.6)
    assert logit(adjusted) == pytest.approx(logit(probability) + logit(0.6) - logit(0.2))
    assert label_shift.adjust(probability, 0.2, 0.2) == pytest.approx(probability)


def test_adjusted_probabilities_are_calibrated_again() -> None:
    target, probability = drawn(100_000, 0.6, 0)
    adjusted = label_shift.adjust(probability, OLD, 0.6)
    for low in np.arange(0, 1, 0.2):
        inside = (adjusted >= low) & (adjusted < low + 0.2)
        assert adjusted[inside].mean() == pytest.approx(target[inside].mean(), abs=0.02)


def test_the_estimate_is_where_the_em_of_saerens_and_others_ends() -> None:
    _, probability = drawn(800, 0.5, 1)
    prior = OLD
    for _ in range(2000):
        prior = float(label_shift.adjust(probability, OLD, prior).mean())
    found = label_shift.estimated_prior(probability, OLD, 0.95, 100, 0)
    assert found.value == pytest.approx(prior, abs=1e-8)


@pytest.mark.parametrize("prior", [0.05, 0.2, 0.7])
def test_intervals_of_both_ways_cover_the_new_prior(prior: float) -> None:
    """95 % intervals: of 60, 51 at three standard errors below."""
    likely = boxed = 0
    for seed in range(60):
        _, current = drawn(500, prior, seed)
        target, reference = drawn(1000, OLD, seed + 1000)
        one = label_shift.estimated_prior(current, OLD, 0.95, 200, seed)
        pair = decided(reference), decided(current)
        two = label_shift.black_box_prior(target, *pair, 0.95, 400, seed)
        likely += one.low <= prior <= one.high
        boxed += two.low <= prior <= two.high
    assert min(likely, boxed) >= 51


def test_without_shift_the_estimate_stays_at_the_old_prior() -> None:
    _, probability = drawn(20_000, OLD, 3)
    found = label_shift.estimated_prior(probability, OLD, 0.95, 100, 0)
    assert found.low < OLD < found.high
    assert found.high - found.low < 0.03


def test_the_result_does_not_depend_on_how_many_replicates_are_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, probability = drawn(300, 0.5, 4)
    whole = label_shift.estimated_prior(probability, OLD, 0.95, 200, 0)
    monkeypatch.setattr(label_shift, "_AT_ONCE", 3000)
    pieces = label_shift.estimated_prior(probability, OLD, 0.95, 200, 0)
    assert pieces.low == pytest.approx(whole.low, abs=1e-8)
    assert pieces.high == pytest.approx(whole.high, abs=1e-8)


@pytest.mark.parametrize(("probability", "expected"), [(0.0, 0.0), (1.0, 1.0), (1e-12, 0.0)])
def test_rows_that_are_all_certain_are_all_of_that_class(
    probability: float, expected: float
) -> None:
    found = label_shift.estimated_prior(np.full(50, probability), OLD, 0.95, 100, 0)
    assert found.value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("probability", [0.3, 0.1 + 0.2])
def test_probabilities_that_tell_nothing_move_nothing(probability: float) -> None:
    """All equal to the prior, but for the last bit: every prior is as likely, the old one stays."""
    found = label_shift.estimated_prior(np.full(50, probability), 0.3, 0.95, 100, 0)
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.3, 0.3))


def test_decisions_that_tell_nothing_leave_the_prior_open() -> None:
    target = np.repeat([0, 1], 500)
    decision = np.tile([0, 1], 500)
    found = label_shift.black_box_prior(target, decision, decision, 0.95, 400, 0)
    assert (found.low, found.high) == (0, 1)


def test_measured_shift_is_the_current_rate_less_the_references() -> None:
    reference, current = np.repeat([1, 0], [200, 800]), np.repeat([1, 0], [120, 180])
    found = label_shift.measured_shift(reference, current, 0.95)
    assert found.value == pytest.approx(0.2)
    assert 0.13 < found.low < 0.2 < found.high < 0.27
    assert found.n == 1300
