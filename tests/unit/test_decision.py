"""Decisions: the threshold is the best there is, and thresholds per group equalise a rate."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from perennial.core.model.decision import (
    MIN_POSITIVES,
    Decision,
    choose_by_group,
    choose_threshold,
    row_utility,
)
from perennial.params import Utility

from .planted import WIN_OR_ANNOY

COUNTED: dict[str, Any] = {
    "true_positive_rate_parity": lambda target: target == 1,
    "false_positive_rate_parity": lambda target: target == 0,
    "demographic_parity": lambda target: target >= 0,
}


def worth(utility: Utility, target: np.ndarray, decided: np.ndarray) -> float:
    return float(row_utility(utility, target, decided).sum())


def scored(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, calibrated probabilities and groups that differ in base rate."""
    random = np.random.default_rng(seed)
    group = random.choice(np.array(["a", "b", "c"], dtype=object), rows, p=[0.5, 0.35, 0.15])
    shift = np.array([{"a": 0.6, "b": -0.4, "c": -1.2}[g] for g in group])
    probability = 1 / (1 + np.exp(-(random.normal(size=rows) * 1.3 + shift)))
    return (random.random(rows) < probability).astype("int64"), probability, group


def rates(decision: Decision, constraint: str, case: tuple[np.ndarray, ...]) -> dict[str, float]:
    target, probability, group = case
    decided, counted = decision.decide(probability, group), COUNTED[constraint](target)
    return {g: float(decided[counted & (group == g)].mean()) for g in sorted(set(group))}


@settings(max_examples=200)
@example([(1, 5), (0, 5), (0, 5)], [1, -1, 0, 0])  # a cut within equal scores would be worth more
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(1, 5)), min_size=1, max_size=25),
    st.lists(st.integers(-5, 5), min_size=4, max_size=4),
)
def test_no_other_cut_is_worth_more_than_the_threshold(
    rows: list[tuple[int, int]], worths: list[int]
) -> None:
    target, score = np.array(rows).T
    probability = score / 10
    tp, fp, fn, tn = map(float, worths)
    utility = Utility(true_positive=tp, false_positive=fp, false_negative=fn, true_negative=tn)
    threshold = choose_threshold(utility, target, probability)
    every = [worth(utility, target, probability >= cut) for cut in [*set(probability), 2.0]]
    assert worth(utility, target, probability >= threshold) == max(every)
    assert min(probability) <= threshold <= 1


def test_the_threshold_of_a_calibrated_model_is_where_a_decision_pays() -> None:
    """Worth 1 and -3, a decision pays from a probability of 3/4 on."""
    random = np.random.default_rng(0)
    probability = random.random(200_000)
    target = (random.random(200_000) < probability).astype("int64")
    utility = WIN_OR_ANNOY.model_copy(update={"false_positive": -3.0})
    assert choose_threshold(utility, target, probability) == pytest.approx(0.75, abs=0.02)


def test_nobody_is_decided_where_every_decision_costs() -> None:
    target, probability = np.array([0, 0, 0]), np.array([0.2, 0.9, 0.5])
    threshold = choose_threshold(WIN_OR_ANNOY, target, probability)
    assert (probability < threshold).all()


def test_nobody_is_decided_where_every_decision_costs_though_the_model_is_certain() -> None:
    target, probability = np.array([0, 0]), np.array([0.5, 1.0])
    threshold = choose_threshold(WIN_OR_ANNOY, target, probability)
    assert (probability < threshold).all()


def test_two_scores_that_differ_in_their_last_bit_can_be_told_apart() -> None:
    for high in (0.5, np.nextafter(0.5, 0), 0.7, np.nextafter(0.7, 0)):
        target, probability = np.array([1, 0]), np.array([high, np.nextafter(high, 0)])
        threshold = choose_threshold(WIN_OR_ANNOY, target, probability)
        assert (probability >= threshold).tolist() == [True, False]


def test_a_row_at_the_threshold_is_decided_1() -> None:
    decided = Decision(0.5).decide(np.array([0.5, np.nextafter(0.5, 0)]), None)
    assert decided.tolist() == [1, 0]


def test_a_group_without_a_threshold_of_its_own_gets_the_overall_one() -> None:
    decision = Decision(0.5, "age", {"old": 0.3})
    group = np.array(["old", "young", "(missing)"], dtype=object)
    assert decision.decide(np.full(3, 0.4), group).tolist() == [1, 0, 0]


def test_without_an_attribute_the_group_changes_nothing() -> None:
    group = np.array(["old", "young"], dtype=object)
    assert Decision(0.5).decide(np.array([0.4, 0.6]), group).tolist() == [0, 1]


@pytest.mark.parametrize("constraint", COUNTED)
def test_thresholds_per_group_equalise_the_rate_as_far_as_group_sizes_allow(
    constraint: str,
) -> None:
    case = scored(3000, seed=1)
    target, probability, group = case
    decision = choose_by_group(WIN_OR_ANNOY, target, probability, group, "g", constraint)
    assert set(decision.by_group) == {"a", "b", "c"}
    found = rates(decision, constraint, case)
    step = {g: 1 / (COUNTED[constraint](target) & (group == g)).sum() for g in found}
    for first in found:
        for second in found:
            assert abs(found[first] - found[second]) <= step[first] + step[second]


@pytest.mark.parametrize("constraint", COUNTED)
def test_equal_rates_hold_on_other_rows_too(constraint: str) -> None:
    decision = choose_by_group(WIN_OR_ANNOY, *scored(20_000, seed=1), "g", constraint)
    fresh = rates(decision, constraint, scored(20_000, seed=2))
    one = Decision(choose_threshold(WIN_OR_ANNOY, *scored(20_000, seed=1)[:2]))
    single = rates(one, constraint, scored(20_000, seed=2))
    assert max(fresh.values()) - min(fresh.values()) < 0.045  # 3 s.e. of the smallest group's rates
    assert max(single.values()) - min(single.values()) > 0.15


class Passes(BaseEstimator):
    """An estimator whose score is its one feature, for fairlearn."""

    def fit(self, _rows: np.ndarray, _target: np.ndarray) -> "Passes":
        self.fitted_ = True
        return self

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return rows[:, 0]


@pytest.mark.parametrize("constraint", COUNTED)
def test_utility_is_near_that_of_fairlearns_randomised_optimum(constraint: str) -> None:
    """ThresholdOptimizer may draw decisions at random and so bounds what thresholds can be worth.

    Worth 1 and -1, the utility a row is accuracy less the share of negatives.
    """
    from fairlearn.postprocessing import ThresholdOptimizer

    target, probability, group = scored(20_000, seed=3)
    rows = probability.reshape(-1, 1)
    best = ThresholdOptimizer(
        estimator=Passes().fit(rows, target),
        constraints=constraint,
        objective="accuracy_score",
        prefit=True,
        predict_method="predict",
    ).fit(rows, target, sensitive_features=group)
    theirs = best.predict(rows, sensitive_features=group, random_state=0)
    own = choose_by_group(WIN_OR_ANNOY, target, probability, group, "g", constraint)
    decided = own.decide(probability, group)
    lost = worth(WIN_OR_ANNOY, target, theirs) - worth(WIN_OR_ANNOY, target, decided)
    assert lost / len(target) < 0.005


def test_a_group_too_small_for_its_own_rate_gets_the_overall_threshold() -> None:
    target, probability, group = scored(2000, seed=1)
    few = np.flatnonzero((group == "a") & (target == 1))[: MIN_POSITIVES - 1]
    group[few] = "few"
    decision = choose_by_group(
        WIN_OR_ANNOY, target, probability, group, "g", "true_positive_rate_parity"
    )
    assert "few" not in decision.by_group
    assert decision.threshold == choose_threshold(WIN_OR_ANNOY, target, probability)
    at = np.full(1, decision.threshold)
    assert decision.decide(at, np.array(["few"], dtype=object)).tolist() == [1]


def test_nobody_is_decided_by_group_where_every_decision_costs() -> None:
    target, probability, group = scored(2000, seed=1)
    ruinous = WIN_OR_ANNOY.model_copy(update={"false_positive": -1e4})
    target[np.argmax(probability)] = 0
    decision = choose_by_group(ruinous, target, probability, group, "g", "demographic_parity")
    assert decision.decide(probability, group).sum() == 0


def test_a_decision_as_json_makes_the_same_decision_again() -> None:
    target, probability, group = scored(1000, seed=1)
    decision = choose_by_group(WIN_OR_ANNOY, target, probability, group, "g", "demographic_parity")
    back = Decision(**decision.to_json())
    assert np.array_equal(back.decide(probability, group), decision.decide(probability, group))
