"""Performance: what calibrated probabilities promise, what labels show, and the change between."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics

from perennial.core.drift import performance
from perennial.core.statistics import estimates
from perennial.core.statistics.estimates import Estimate


def window(rows: int, seed: int, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities that are calibrated, and decisions."""
    random = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-random.normal(-0.5, spread, rows)))
    target = (random.random(rows) < probability).astype("int64")
    return target, probability, (probability > 0.5).astype("int64")


def estimated(probability: np.ndarray, decision: np.ndarray) -> dict[str, Estimate]:
    return performance.estimated(probability, decision, 0.95, 200, 0)


def test_estimates_are_the_mean_over_the_labels_that_there_may_be() -> None:
    random = np.random.default_rng(0)
    _, probability, decision = window(300, 1)
    found = estimated(probability, decision)
    drawn: dict[str, list[float]] = {name: [] for name in performance.METRICS}
    for _ in range(500):
        target = (random.random(300) < probability).astype("int64")
        drawn["roc_auc"].append(sklearn_metrics.roc_auc_score(target, probability))
        drawn["log_loss"].append(sklearn_metrics.log_loss(target, probability))
        drawn["brier"].append(sklearn_metrics.brier_score_loss(target, probability))
        drawn["accuracy"].append(float((decision == target).mean()))
    for name, values in drawn.items():
        error = 4 * float(np.std(values)) / np.sqrt(500)
        assert found[name].value == pytest.approx(float(np.mean(values)), abs=error), name


def test_the_expected_auc_counts_each_pair_of_rows_and_ties_half() -> None:
    probability = np.array([0.1, 0.4, 0.4, 0.9])
    won = total = 0.0
    for i, p in enumerate(probability):
        for j, q in enumerate(probability):
            if i != j:
                total += p * (1 - q)
                won += p * (1 - q) * ((p > q) + (p == q) / 2)
    found = performance.expected_roc_auc(probability)(np.ones((1, 4)))
    assert found[0] == pytest.approx(won / total, rel=1e-12)


def test_rows_weigh_as_if_they_were_repeated_but_for_the_pairs_with_themselves() -> None:
    _, probability, _ = window(2000, 2)
    weights = np.random.default_rng(0).integers(0, 3, (1, 2000))
    repeated = np.repeat(probability, weights[0])
    one = performance.expected_roc_auc(probability)(weights)
    two = performance.expected_roc_auc(repeated)(np.ones((1, len(repeated))))
    assert one[0] == pytest.approx(two[0], rel=1e-9)


def test_intervals_cover_what_the_rows_were_drawn_from() -> None:
    """Of 60 windows at 95 %, 51 at three standard errors below."""
    _, p, decision = window(400_000, 3)
    truth = {
        "roc_auc": float(performance.expected_roc_auc(p)(np.ones((1, len(p))))[0]),
        "log_loss": float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean()),
        "brier": float((p * (1 - p)).mean()),
        "accuracy": float(np.where(decision == 1, p, 1 - p).mean()),
    }
    covered = dict.fromkeys(truth, 0)
    for seed in range(60):
        found = estimated(*window(400, seed + 10)[1:])
        for name, value in truth.items():
            covered[name] += found[name].low <= value <= found[name].high
    assert min(covered.values()) >= 51, covered


def test_a_window_of_harder_rows_is_expected_to_be_worse() -> None:
    easy, hard = (estimated(*window(2000, 5, spread)[1:]) for spread in (2.0, 0.7))
    assert hard["roc_auc"].high < easy["roc_auc"].low
    assert hard["log_loss"].low > easy["log_loss"].high


def test_estimates_agree_with_measurements_while_the_probabilities_are_right() -> None:
    target, probability, decision = window(3000, 6)
    expected = estimated(probability, decision)
    for name, found in performance.measured(target, probability, decision, 0.999).items():
        assert found.low < expected[name].value < found.high, name


def test_concept_drift_is_measured_but_not_estimated() -> None:
    """What the page on drift says of CBPE: it believes the probabilities."""
    target, probability, decision = window(3000, 7)
    found = performance.measured(1 - target, probability, decision, 0.95)
    assert found["roc_auc"].high < 0.5
    assert estimated(probability, decision)["roc_auc"].low > 0.7


def test_measured_metrics_are_scikit_learns() -> None:
    target, probability, decision = window(500, 8)
    found = performance.measured(target, probability, decision, 0.95)
    assert list(found) == list(performance.METRICS)
    assert found["roc_auc"].value == pytest.approx(
        sklearn_metrics.roc_auc_score(target, probability)
    )
    assert found["log_loss"].value == pytest.approx(sklearn_metrics.log_loss(target, probability))


@pytest.mark.parametrize("positives", [0, 1, 99, 100])
def test_an_auc_is_left_out_where_a_class_has_fewer_than_two_rows(positives: int) -> None:
    _, probability, decision = window(100, 9)
    target = np.repeat([1, 0], [positives, 100 - positives])
    found = performance.measured(target, probability, decision, 0.95)
    assert set(found) == {"log_loss", "brier", "accuracy"}


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rows_that_are_certain_to_be_of_one_class_have_no_expected_auc(value: float) -> None:
    found = estimated(np.full(20, value), np.zeros(20, dtype="int64"))
    assert set(found) == {"log_loss", "brier", "accuracy"}
    assert found["log_loss"].value == 0


def test_a_change_is_welchs_where_the_intervals_are_normal() -> None:
    random = np.random.default_rng(0)
    current, reference = random.normal(1, 1, 5000), random.normal(0.8, 2, 8000)
    pair = [estimates.mean(side, 0.95) for side in (current, reference)]
    found = performance.change(*pair)
    expected: Any = stats.ttest_ind(current, reference, equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx(current.mean() - reference.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert found.n == 13_000


def test_a_change_keeps_the_sides_of_intervals_that_are_not_symmetric() -> None:
    found = performance.change(Estimate(0.5, 0.4, 0.55, 10), Estimate(0.3, 0.28, 0.4, 20))
    assert found.low == pytest.approx(0.2 - np.hypot(0.1, 0.1))
    assert found.high == pytest.approx(0.2 + np.hypot(0.05, 0.02))


def test_changes_of_windows_that_did_not_change_seldom_exclude_zero() -> None:
    """Of 100 at 95 %, 11 at three standard errors above; a window that changed is seen."""
    wrong = {"roc_auc": 0, "log_loss": 0}
    for seed in range(100):
        now, then = (performance.measured(*window(400, s), 0.95) for s in (seed, seed + 5000))
        for name in wrong:
            found = performance.change(now[name], then[name])
            wrong[name] += not found.low <= 0 <= found.high
    assert max(wrong.values()) <= 11, wrong
    now, then = (performance.measured(*window(1000, 1, s), 0.95) for s in (0.7, 2.0))
    assert performance.change(now["roc_auc"], then["roc_auc"]).high < 0
    assert performance.change(now["log_loss"], then["log_loss"]).low > 0
