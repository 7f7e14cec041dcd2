"""Power: what the simulated gates catch is what theory says, and more rows catch less."""

from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from perennial.core.fairness import Counted
from perennial.core.proof import power, power_thresholds
from perennial.core.statistics import estimates, metrics, roc

Rows = list[dict[str, Any]]


def scored(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, and two models of an AUC of 0.76 that correlate by 0.8 within each class."""
    random = np.random.default_rng(seed)
    target, shared = np.repeat([1, 0], rows // 2), random.normal(size=rows)
    first, second = (shared * 0.8**0.5 + random.normal(size=rows) * 0.2**0.5 for _ in "12")
    return target, first + target, second + target


def champion(rows: int, effects: list[float], simulations: int = 150, seed: int = 1) -> Rows:
    return power.champion_power(*scored(rows), 0.95, effects, simulations, seed)


def fairness(
    scale: int, effects: list[float], simulations: int = 300, threshold: float = 0.1
) -> Rows:
    counted: Counted = {
        name: {"selection_rate": (n * scale // 2, n * scale)}
        for name, n in {"a": 200, "b": 100, "c": 60, "few": 1}.items()
    }
    return power_thresholds.fairness_power(
        counted, "selection_rate", 50, threshold, 0.95, effects, simulations, 1
    )


def calibration(rows: int, effects: list[float], simulations: int = 60) -> Rows:
    probability = np.random.default_rng(0).uniform(0.15, 0.85, rows)
    return power_thresholds.calibration_power(
        probability, 0.1, 10, 0.95, 200, effects, simulations, 1
    )


def caught(rows: Rows) -> list[float]:
    return [row["caught"]["value"] for row in rows]


def by_hand(*points: tuple[float, float]) -> Rows:
    return [{"effect": effect, "caught": {"value": value}} for effect, value in points]


GATES = {
    "champion": (champion, 400, [0.02, 0.04, 0.06, 0.1]),
    "fairness": (fairness, 1, [0.1, 0.2, 0.3, 0.4, 0.5]),
    "calibration": (calibration, 500, [0.11, 0.14, 0.17, 0.2, 0.25]),
}


@pytest.mark.parametrize("gate", GATES)
def test_power_rises_with_the_effect_from_little_to_nearly_certain(gate: str) -> None:
    simulate, size, effects = GATES[gate]
    found = caught(simulate(size, effects))
    assert found == sorted(found)
    assert found[0] < 0.3
    assert found[-1] > 0.9


@pytest.mark.parametrize("gate", GATES)
def test_more_rows_catch_a_smaller_effect(gate: str) -> None:
    simulate, size, effects = GATES[gate]
    few, many = (power.detectable(simulate(rows, effects)) for rows in (size, 4 * size))
    assert few is not None
    assert many is not None
    assert many < 0.85 * few


@pytest.mark.parametrize("gate", GATES)
def test_a_seed_draws_the_same_power_again(gate: str) -> None:
    simulate, size, effects = GATES[gate]
    assert simulate(size, effects[1:3]) == simulate(size, effects[1:3])


def test_another_seed_draws_other_holdouts() -> None:
    assert champion(400, [0.04]) != champion(400, [0.04], seed=2)


@pytest.mark.parametrize("gate", GATES)
def test_an_effect_has_the_same_power_whatever_else_is_tried(gate: str) -> None:
    simulate, size, effects = GATES[gate]
    assert simulate(size, effects[1:2]) == simulate(size, effects[1:3])[:1]


def test_no_loss_of_auc_is_caught_no_more_often_than_the_error_rate() -> None:
    """2.5 % on this side of a 95 % interval: 15 of 600 on average, 27 at three standard errors."""
    assert 0.005 < champion(400, [0.0], simulations=600)[0]["caught"]["value"] <= 27 / 600


def test_a_difference_at_the_threshold_is_caught_no_more_often_than_the_error_rate() -> None:
    found = fairness(1, [0.0, 0.1], simulations=600)
    assert caught(found)[0] <= caught(found)[1] <= 27 / 600


def test_groups_that_are_equal_are_caught_no_more_often_than_the_error_rate_at_threshold_0() -> (
    None
):
    """All pairs together: 5 % on both sides, of which Bonferroni's bound uses a part."""
    assert 0 < fairness(1, [0.0], simulations=600, threshold=0.0)[0]["caught"]["value"] <= 0.077


def test_an_ece_at_the_threshold_is_caught_about_as_often_as_the_error_rate() -> None:
    """At most: the percentile bootstrap of few replicates is a little narrow."""
    assert caught(calibration(500, [0.1], simulations=200))[0] <= 0.06


def test_champion_power_is_near_that_of_a_normal_test_with_delongs_error() -> None:
    target, candidate, best = scored(1000)
    found = roc.roc_auc_difference(target, candidate, best, 0.95)
    error = (found.high - found.low) / 2 / 1.96
    theory = stats.norm.cdf(0.03 / error - 1.96)
    assert 0.2 < theory < 0.9
    assert champion(1000, [0.03], simulations=300)[0]["caught"]["value"] == pytest.approx(
        theory, abs=0.12
    )


def test_fairness_power_of_two_groups_is_near_that_of_a_normal_test() -> None:
    counted: Counted = {"a": {"accuracy": (250, 500)}, "b": {"accuracy": (150, 300)}}
    (row,) = power_thresholds.fairness_power(
        counted, "accuracy", 50, 0.05, 0.95, [0.15], 600, seed=1
    )
    error = np.sqrt(0.575 * 0.425 * (1 / 500 + 1 / 300))
    theory = stats.norm.cdf((0.15 - 0.05) / error - 1.96)
    assert 0.2 < theory < 0.9
    assert row["caught"]["value"] == pytest.approx(theory, abs=0.06)


def test_models_that_are_more_alike_are_told_apart_sooner() -> None:
    target, candidate, best = scored(400)
    other = np.random.default_rng(5).normal(size=400) + target
    alike, unlike = (
        power.champion_power(target, c, best, 0.95, [0.05], 150, 1)[0]["caught"]["value"]
        for c in (candidate, other)
    )
    assert alike > unlike + 0.2


def test_a_group_too_small_for_the_gate_has_no_part_in_its_power() -> None:
    counted: Counted = {"a": {"accuracy": (50, 90)}, "b": {"accuracy": (50, 90)}}
    few = {"few": {"accuracy": (1, 9)}}
    settings = ("accuracy", 50, 0.1, 0.95, [0.3], 100, 1)
    alone, beside = (
        power_thresholds.fairness_power(c, *settings) for c in (counted, counted | few)
    )
    assert alone == beside


def test_a_difference_is_planted_whole_where_the_common_rate_is_near_1() -> None:
    """At 1.0 and 0.7, not at 1.1 and 0.8, which would be 0.2 in truth."""
    counted: Counted = {name: {"accuracy": (95, 100)} for name in "ab"}
    (row,) = power_thresholds.fairness_power(counted, "accuracy", 50, 0.1, 0.95, [0.3], 200, 1)
    assert row["caught"]["value"] > 0.9


def test_one_group_alone_has_no_power_to_state() -> None:
    counted: Counted = {"a": {"accuracy": (50, 90)}, "few": {"accuracy": (1, 9)}}
    found = power_thresholds.fairness_power(counted, "accuracy", 50, 0.1, 0.95, [0.3], 100, 1)
    assert found == []
    assert power.detectable(found) is None


@pytest.mark.parametrize(("rows", "replicates"), [(300, 150), (250_000, 85)])  # one block, two
def test_calibration_power_has_the_lower_bound_of_the_gates_own_bootstrap(
    rows: int, replicates: int
) -> None:
    """One simulation is caught at a threshold just under that bound, and not at one just over."""
    probability = np.random.default_rng(3).uniform(0.15, 0.85, rows)
    outcome = (np.random.default_rng(7).random((1, rows)) < probability).astype("int8")[0]
    stated = power_thresholds.overstated(probability, 0.2)
    statistic = metrics.calibration_error(outcome, stated, 10)
    low = estimates.bootstrap(statistic, rows, 0.95, replicates, seed=7).low
    assert low > 0.05
    for threshold, expected in ((low - 1e-9, 1.0), (low + 1e-9, 0.0)):
        found = power_thresholds.calibration_power(
            probability, threshold, 10, 0.95, replicates, [0.2], 1, 7
        )
        assert caught(found) == [expected]


@pytest.mark.parametrize("effect", [0.0, 0.05, 0.3, 0.49])
@pytest.mark.parametrize("rate", [0.02, 0.5, 0.97])
def test_overstated_probabilities_have_the_calibration_error_asked_for(
    effect: float, rate: float
) -> None:
    true = special.expit(special.logit(rate) + np.random.default_rng(0).normal(size=500))
    stated = power_thresholds.overstated(true, effect)
    assert np.abs(stated - true).mean() == pytest.approx(effect, abs=1e-8)
    assert (np.argsort(stated, kind="stable") == np.argsort(true, kind="stable")).all()
    assert 0 < stated.min() <= stated.max() < 1


@pytest.mark.parametrize("effect", [-0.01, 0.5])
def test_a_calibration_error_that_no_shift_need_reach_is_refused(effect: float) -> None:
    with pytest.raises(ValueError, match="not within 0 and"):
        power_thresholds.overstated(np.full(10, 0.5), effect)


@pytest.mark.parametrize(
    ("target", "loss"), [([1, 0, 0, 0], 0.1), ([1, 1, 1, 0], 0.1), ([1, 1, 0, 0], 1.0)]
)
def test_a_holdout_that_leaves_no_room_for_the_loss_is_refused(
    target: list[int], loss: float
) -> None:
    score = np.array([0.9, 0.8, 0.2, 0.1])
    with pytest.raises(ValueError, match="no room"):
        power.champion_power(np.array(target), score, score, 0.95, [loss], 2, 1)


def test_a_perfect_champion_has_a_power_too() -> None:
    target = np.repeat([1, 0], 100)
    found = power.champion_power(target, target * 1.0, target * 2.0, 0.95, [0.0, 0.2], 50, 1)
    assert found[0]["caught"]["value"] <= 0.1
    assert found[1]["caught"]["value"] == 1


@pytest.mark.parametrize("true", [-0.5, 0.0, 0.6, 0.9])
def test_correlation_of_normal_scores_is_found_from_their_ranks(true: float) -> None:
    first, noise = np.random.default_rng(0).normal(size=(2, 20_000))
    second = true * first + np.sqrt(1 - true**2) * noise
    assert power.binormal_correlation(np.exp(first), second) == pytest.approx(true, abs=0.02)


def test_scores_that_are_all_equal_correlate_with_nothing() -> None:
    assert power.binormal_correlation(np.full(5, 0.3), np.arange(5.0)) == 0


def test_each_row_states_its_effect_and_wilsons_interval_of_how_often_it_was_caught() -> None:
    hits = np.array([[True, True], [False, True], [False, True], [False, True]])
    first, second = power.power_rows([0.1, 0.2], hits)
    assert first == {"effect": 0.1, "caught": estimates.proportion(1, 4, 0.95).to_json()}
    assert second == {"effect": 0.2, "caught": estimates.proportion(4, 4, 0.95).to_json()}


def test_detectable_effect_is_interpolated_between_neighbours_whatever_their_order() -> None:
    rows = by_hand((0.3, 0.9), (0.1, 0.2), (0.2, 0.6), (0.4, 1.0))
    assert power.detectable(rows) == pytest.approx(0.2 + 0.1 * 2 / 3)
    assert power.detectable(rows, wanted=0.4) == pytest.approx(0.15)


def test_detectable_effect_at_a_point_tried_is_that_point() -> None:
    assert power.detectable(by_hand((0.1, 0.5), (0.2, 0.8), (0.3, 0.9))) == pytest.approx(0.2)
    assert power.detectable(by_hand((0.1, 0.5), (0.2, 0.8))) == pytest.approx(0.2)


def test_nothing_is_detectable_where_no_effect_tried_is_caught_often_enough() -> None:
    assert power.detectable(by_hand((0.1, 0.2), (0.2, 0.79))) is None
    assert power.detectable([]) is None


def test_the_smallest_effect_tried_is_all_that_is_known_where_it_is_always_caught() -> None:
    assert power.detectable(by_hand((0.1, 0.95), (0.2, 1.0))) == 0.1
