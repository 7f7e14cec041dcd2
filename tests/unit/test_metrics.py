"""Metrics: at unit weights and at integer weights they are scikit-learn's; ECE is debiased."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as theirs

from perennial.core.statistics import estimates, metrics

Case = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def weighted(draw: st.DrawFn) -> Case:
    """Targets, scores with many ties, and how often each row was drawn; a positive is drawn."""
    rows = draw(st.integers(2, 25))

    def numbers(highest: int) -> list[int]:
        return draw(st.lists(st.integers(0, highest), min_size=rows, max_size=rows))

    target, score, weight = (np.array(numbers(h)) for h in (1, 6, 3))
    target[0], weight[0] = 1, max(weight[0], 1)
    return target, score / 6, weight.astype("float32")


def repeated(case: Case) -> tuple[np.ndarray, np.ndarray]:
    target, score, weight = case
    return np.repeat(target, weight.astype(int)), np.repeat(score, weight.astype(int))


def calibrated(rows: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Targets and the probabilities that they were drawn with."""
    probability = random.uniform(0.15, 0.85, rows)
    return (random.random(rows) < probability).astype("int64"), probability


def ece(target: np.ndarray, probability: np.ndarray) -> float:
    statistic = metrics.calibration_error(target, probability, 10)
    return float(statistic(np.ones((1, len(target)), dtype="float32"))[0])


def plain_ece(target: np.ndarray, probability: np.ndarray) -> float:
    """ECE over ten bins of equal mass as everybody else has it."""
    bins = np.array_split(np.argsort(probability), 10)
    gaps = [abs(target[b].mean() - probability[b].mean()) * len(b) for b in bins]
    return float(sum(gaps) / len(target))


@given(weighted())
def test_average_precision_with_weights_equals_scikit_learns_on_repeated_rows(case: Case) -> None:
    target, score, weight = case
    statistic = metrics.average_precision(target, score)
    both = statistic(np.vstack([np.ones_like(weight), weight]))
    assert both[0] == pytest.approx(theirs.average_precision_score(target, score), abs=1e-9)
    again = theirs.average_precision_score(*repeated(case))
    assert both[1] == pytest.approx(again, abs=1e-9)


@given(weighted())
def test_f1_with_weights_equals_scikit_learns_on_repeated_rows(case: Case) -> None:
    target, score, weight = case
    decision = (score > 0.5).astype("int64")
    both = metrics.f1(target, decision)(np.vstack([np.ones_like(weight), weight]))
    assert both[0] == pytest.approx(theirs.f1_score(target, decision), abs=1e-6)
    again = theirs.f1_score(*repeated((target, decision, weight)))
    assert both[1] == pytest.approx(again, abs=1e-6)


@given(weighted())
def test_average_precision_does_not_depend_on_the_order_of_rows(case: Case) -> None:
    target, score, weight = case
    turned = metrics.average_precision(target[::-1], score[::-1])(weight[::-1][np.newaxis])
    plain = metrics.average_precision(target, score)(weight[np.newaxis])
    assert turned == pytest.approx(plain, abs=1e-12)


def test_holdout_metrics_are_the_contracts_seven_and_equal_scikit_learns() -> None:
    random = np.random.default_rng(0)
    target, probability = calibrated(500, random)
    decision = (probability >= 0.4).astype("int64")
    found = metrics.holdout_metrics(target, probability, decision, 10, 0.95, 200, seed=1)
    expected = {
        "roc_auc": theirs.roc_auc_score(target, probability),
        "average_precision": theirs.average_precision_score(target, probability),
        "log_loss": theirs.log_loss(target, probability),
        "brier": theirs.brier_score_loss(target, probability),
        "accuracy": theirs.accuracy_score(target, decision),
        "f1": theirs.f1_score(target, decision),
    }
    assert set(found) == {*expected, "ece"}
    assert {k: found[k].value for k in expected} == pytest.approx(expected, abs=1e-6)
    assert all(found[k].low <= found[k].value <= found[k].high for k in expected)
    assert all(estimate.n == 500 for estimate in found.values())


def test_log_loss_of_a_certain_and_wrong_row_is_finite() -> None:
    loss = metrics.row_log_loss(np.array([1, 0, 1]), np.array([0.0, 1.0, 1.0]))
    assert np.isfinite(loss).all()
    assert loss[0] > 30
    assert loss[2] == pytest.approx(0, abs=1e-12)


def test_constant_scores_have_half_an_auc_and_the_base_rate_as_precision() -> None:
    target = np.repeat([1, 0], [30, 70])
    constant = np.full(100, 0.3)
    found = metrics.holdout_metrics(target, constant, target * 0, 10, 0.95, 200, seed=1)
    assert found["roc_auc"].value == 0.5
    assert found["average_precision"].value == pytest.approx(0.3)
    assert found["ece"].value == pytest.approx(0, abs=1e-6)
    assert found["f1"].value == 0
    assert len(metrics.calibration_curve(target, constant, 10, 0.95)) == 1


def test_a_replicate_without_positives_has_no_average_precision() -> None:
    target, score = np.array([1, 0, 0]), np.array([0.9, 0.5, 0.1])
    found = metrics.average_precision(target, score)(np.array([[0, 2, 1]], dtype="float32"))
    assert np.isnan(found[0])


def test_debiasing_takes_a_good_part_of_the_noise_off_the_ece() -> None:
    """Where the model is calibrated, plain ECE is about 0.037 at 1,000 rows, for its noise only."""
    drawn = [calibrated(1000, random) for random in np.random.default_rng(0).spawn(200)]
    plain = np.mean([plain_ece(*case) for case in drawn])
    assert plain == pytest.approx(0.037, abs=0.003)
    assert np.mean([ece(*case) for case in drawn]) < 0.65 * plain


@pytest.mark.parametrize("shift", [0.05, 0.1, 0.2])
def test_debiased_ece_of_a_miscalibrated_model_is_near_the_truth(shift: float) -> None:
    found = []
    for random in np.random.default_rng(1).spawn(200):
        probability = random.uniform(0.25, 0.85, 1000)
        target = (random.random(1000) < probability - shift).astype("int64")
        found.append(ece(target, probability))
    assert np.mean(found) == pytest.approx(shift, abs=0.006)


def _intervals(shift: float, simulations: int = 80) -> list[estimates.Estimate]:
    found = []
    for random in np.random.default_rng(2).spawn(simulations):
        probability = random.uniform(0.25, 0.85, 1000)
        target = (random.random(1000) < probability - shift).astype("int64")
        statistic = metrics.calibration_error(target, probability, 10)
        seed = int(random.integers(2**31))
        found.append(estimates.bootstrap(statistic, 1000, 0.95, 100, seed))
    return found


def test_ece_interval_covers_a_true_miscalibration_as_often_as_it_says() -> None:
    found = _intervals(0.1)
    assert np.mean([e.low <= 0.1 <= e.high for e in found]) >= 0.88


@given(st.floats(-3, 3), st.floats(0.01, 3))
def test_folded_normal_mean_equals_scipys(mean: float, error: float) -> None:
    found = metrics.folded_normal_mean(np.array([mean]), np.array([error]))
    expected = stats.foldnorm(abs(mean) / error, scale=error).mean()
    assert found[0] == pytest.approx(expected, rel=1e-9)


def test_folded_normal_mean_equals_a_simulation() -> None:
    drawn = np.random.default_rng(0).normal(0.4, 0.7, 400_000)
    found = metrics.folded_normal_mean(np.array([0.4]), np.array([0.7]))
    assert found[0] == pytest.approx(np.abs(drawn).mean(), abs=0.003)


def test_folded_normal_without_error_is_the_size_of_its_mean() -> None:
    found = metrics.folded_normal_mean(np.array([-0.4, 0.0]), np.zeros(2))
    assert found == pytest.approx([0.4, 0.0], abs=1e-9)


def test_calibration_curve_has_bins_of_equal_mass_that_state_and_find_means() -> None:
    target, probability = calibrated(1000, np.random.default_rng(0))
    curve = metrics.calibration_curve(target, probability, 10, 0.95)
    for row, inside in zip(curve, np.array_split(np.argsort(probability), 10), strict=True):
        assert row["n"] == 100
        assert row["stated"] == pytest.approx(probability[inside].mean())
        assert row["value"] == pytest.approx(target[inside].mean())
        assert row["low"] < row["value"] < row["high"]


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=60),
    st.integers(2, 12),
)
def test_equal_scores_share_a_bin_and_no_row_is_lost(
    rows: list[tuple[int, int]], bins: int
) -> None:
    target, score = np.array(rows, dtype="int64").T
    curve = metrics.calibration_curve(target, score / 4, bins, 0.95)
    assert len(curve) <= min(bins, len(np.unique(score)))
    assert sum(row["n"] for row in curve) == len(rows)
    assert sum(row["n"] * row["stated"] for row in curve) == pytest.approx(score.sum() / 4)
    assert sum(row["n"] * row["value"] for row in curve) == pytest.approx(target.sum())


def test_debiased_ece_of_a_calibrated_model_is_near_nothing() -> None:
    drawn = [calibrated(1000, random) for random in np.random.default_rng(0).spawn(200)]
    assert np.mean([ece(*case) for case in drawn]) < 0.015


def test_ece_interval_of_a_calibrated_model_starts_at_nothing() -> None:
    found = _intervals(0.0)
    assert np.mean([e.low < 0.002 for e in found]) >= 0.9
    assert all(e.low <= e.value <= e.high for e in found)


@pytest.mark.parametrize("name", ["average_precision", "f1", "ece"])
def test_intervals_of_many_rows_are_those_of_the_rows(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn on cells of like rows: the same value, and the interval but for the draws."""
    random = np.random.default_rng(0)
    probability = random.beta(1, 6, 6000)
    target = (random.random(6000) < np.clip(1.1 * probability, 0, 1)).astype("int64")
    decision = (probability > 0.3).astype("int64")

    def found() -> Any:
        rows, precision = (target, probability, decision), (0.95, 600, 1)
        if name == "ece":
            return metrics.resampled(metrics.ece_of(10), *rows, *precision)
        return metrics.holdout_metric(name, *rows, *precision)

    plain = found()
    monkeypatch.setattr(metrics, "MANY", 5000)
    merged = found()
    assert merged != plain
    assert merged.value == plain.value
    width = plain.high - plain.low
    assert abs(merged.low - plain.low) < 0.2 * width
    assert abs(merged.high - plain.high) < 0.2 * width
    monkeypatch.setattr(metrics, "CELLS", 10)  # far too few cells are found out here
    if name == "average_precision":
        assert abs(found().low - plain.low) > 0.2 * width
