"""Fairness: rates are fairlearn's, the largest difference's interval holds, weights balance."""

from typing import Any

import fairlearn.metrics as theirs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score

from perennial.core import fairness
from perennial.params import Fairness

SIMULATIONS = 400
RATES: dict[str, Any] = {
    "selection_rate": theirs.selection_rate,
    "true_positive_rate": theirs.true_positive_rate,
    "false_positive_rate": theirs.false_positive_rate,
    "precision": precision_score,
    "accuracy": accuracy_score,
}


def decided(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    group = random.choice(np.array(["a", "b", "(missing)"], dtype=object), rows)
    target = random.integers(0, 2, rows)
    decision = (random.random(rows) < 0.3 + 0.4 * target).astype("int64")
    return target, decision, group


def counted(rate: str = "selection_rate", **groups: tuple[int, int]) -> fairness.Counted:
    return {name: {rate: pair} for name, pair in groups.items()}


def test_every_rate_of_every_group_equals_fairlearns_own() -> None:
    target, decision, group = decided(500, seed=0)
    expected = theirs.MetricFrame(
        metrics=RATES, y_true=target, y_pred=decision, sensitive_features=group
    ).by_group
    found = fairness.counts(target, decision, group)
    assert set(found) == {"a", "b", "(missing)"}
    for name, rates in found.items():
        assert set(rates) == set(fairness.RATES) == set(RATES)
        for rate, (successes, n) in rates.items():
            assert successes / n == pytest.approx(expected.loc[name, rate])


def test_the_table_has_wilsons_interval_and_nothing_where_there_are_no_rows() -> None:
    target, decision = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])
    group = np.array(["no yes", "no yes", "all yes", "all yes"], dtype=object)
    table = fairness.table(fairness.counts(target, decision, group), 0.95)
    assert table["no yes"]["true_positive_rate"] is None
    assert table["no yes"]["precision"] is None
    assert table["all yes"]["false_positive_rate"] is None
    half = table["all yes"]["true_positive_rate"]
    assert half is not None
    assert half == pytest.approx({"value": 0.5, "low": 0.0945, "high": 0.9055, "n": 2}, abs=1e-4)


def test_the_largest_difference_is_that_of_the_farthest_groups_the_higher_first() -> None:
    rates = counted(a=(50, 100), b=(80, 100), c=(30, 100))
    found = fairness.largest_difference(rates, "selection_rate", 1, 0.95)
    assert found is not None
    estimate, pair = found
    assert pair == ("b", "c")
    assert estimate.value == pytest.approx(0.5)
    assert estimate.low < 0.5 < estimate.high
    assert estimate.n == 300


def test_a_small_group_that_may_be_farther_widens_the_interval() -> None:
    two = counted(a=(500, 1000), b=(600, 1000))
    with_small = {**two, **counted(c=(17, 30))}
    alone, all_three = (
        fairness.largest_difference(rates, "selection_rate", 1, 0.95) for rates in (two, with_small)
    )
    assert alone is not None
    assert all_three is not None
    assert all_three[1] == alone[1] == ("b", "a")
    assert all_three[0].high > alone[0].high + 0.1


def test_a_group_with_fewer_rows_than_asked_for_is_left_out() -> None:
    rates = counted(a=(50, 100), b=(60, 100), few=(19, 19))
    found = fairness.largest_difference(rates, "selection_rate", 20, 0.95)
    assert found is not None
    assert found[1] == ("b", "a")
    assert found[0].n == 200
    with_few = fairness.largest_difference(rates, "selection_rate", 19, 0.95)
    assert with_few is not None
    assert with_few[1] == ("few", "a")


def test_the_rows_that_count_for_a_group_are_those_that_the_rate_is_about() -> None:
    """A large group with few positives has no true positive rate to speak of."""
    rates = {
        "a": {"selection_rate": (300, 1000), "true_positive_rate": (4, 9)},
        "b": {"selection_rate": (100, 1000), "true_positive_rate": (300, 500)},
    }
    assert fairness.largest_difference(rates, "selection_rate", 50, 0.95) is not None
    assert fairness.largest_difference(rates, "true_positive_rate", 50, 0.95) is None


def test_people_without_a_value_are_compared_like_any_group() -> None:
    target, decision, group = decided(900, seed=0)
    decision[group == "(missing)"] = 0
    found = fairness.largest_difference(
        fairness.counts(target, decision, group), "selection_rate", 50, 0.95
    )
    assert found is not None
    assert found[1][1] == "(missing)"
    assert found[0].low > 0.3


@pytest.mark.parametrize("truth", [(0.5, 0.5, 0.5), (0.3, 0.5, 0.6), (0.2, 0.7)])
def test_the_interval_of_the_largest_difference_covers_the_truth_at_least_as_often_as_it_says(
    truth: tuple[float, ...],
) -> None:
    """Simultaneous over all pairs, so it may be wide, never narrow."""
    covered = []
    for random in np.random.default_rng(0).spawn(SIMULATIONS):
        drawn = {f"g{i}": (int(random.binomial(80, p)), 80) for i, p in enumerate(truth)}
        found = fairness.largest_difference(counted(**drawn), "selection_rate", 1, 0.95)
        assert found is not None
        covered.append(found[0].low <= max(truth) - min(truth) <= found[0].high)
    assert np.mean(covered) >= 0.93


def test_equal_groups_are_seldom_proven_different() -> None:
    proven = []
    for random in np.random.default_rng(1).spawn(SIMULATIONS):
        drawn = {f"g{i}": (int(random.binomial(60, 0.4)), 60) for i in range(6)}
        found = fairness.largest_difference(counted(**drawn), "selection_rate", 1, 0.95)
        assert found is not None
        proven.append(found[0].low > 0)
    assert np.mean(proven) <= 0.08


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(20, 200)), min_size=2, max_size=6))
def test_the_value_lies_in_its_interval_and_the_order_of_groups_is_no_matter(
    pairs: list[tuple[int, int]],
) -> None:
    rates = counted(**{f"g{i}": (min(x, n), n) for i, (x, n) in enumerate(pairs)})
    found = fairness.largest_difference(rates, "selection_rate", 1, 0.95)
    assert found is not None
    assert 0 <= found[0].low <= found[0].value <= found[0].high
    turned = dict(reversed(rates.items()))
    assert fairness.largest_difference(turned, "selection_rate", 1, 0.95) == found


def test_attributes_are_reported_one_by_one_and_crossed_if_asked_for() -> None:
    one = Fairness(attributes=["a", "b", "c"], intersections=False, min_group=5)
    assert fairness.combinations_of(one) == [["a"], ["b"], ["c"]]
    crossed = fairness.combinations_of(one.model_copy(update={"intersections": True}))
    assert crossed[3:] == [["a", "b"], ["a", "c"], ["b", "c"]]


def test_an_intersection_is_named_after_both_groups() -> None:
    groups = pd.DataFrame({"age": ["old", "young"], "sex": ["m", "(missing)"], "x": ["1", "2"]})
    names = fairness.group_names(groups, ["age", "sex"])
    assert names.tolist() == ["old · m", "young · (missing)"]
    assert fairness.group_names(groups, ["age"]).tolist() == ["old", "young"]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1)), max_size=40).map(
        lambda rows: [*rows, ("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    )
)
def test_reweighing_makes_group_and_target_independent_and_keeps_their_totals(
    rows: list[tuple[str, int]],
) -> None:
    group, target = np.array([g for g, _ in rows], dtype=object), np.array([t for _, t in rows])
    weight = fairness.reweighing(target, group)
    assert weight.sum() == pytest.approx(len(rows))
    for name in "ab":
        own = group == name
        assert weight[own].sum() == pytest.approx(own.sum())
        rate = weight[own & (target == 1)].sum() / weight[own].sum()
        assert rate == pytest.approx(target.mean())
    assert (weight > 0).all()


def test_the_smallest_ratio_is_the_lower_rate_over_the_higher_and_names_both() -> None:
    found = fairness.smallest_ratio(
        counted(a=(80, 100), b=(60, 100), c=(75, 100)), "selection_rate", 50, 0.95
    )
    assert found is not None
    estimate, pair = found
    assert estimate.value == pytest.approx(0.75)
    assert pair == ("b", "a")
    assert estimate.low < 0.75 < estimate.high <= 1


def test_a_ratio_of_two_large_groups_has_scipys_katz_interval() -> None:
    from scipy.stats.contingency import relative_risk

    found = fairness.smallest_ratio(
        counted(a=(8000, 10000), b=(6000, 10000)), "selection_rate", 50, 0.95
    )
    assert found is not None
    expected = relative_risk(6000, 10000, 8000, 10000).confidence_interval(0.95)
    assert found[0].low == pytest.approx(expected.low, abs=1e-4)
    assert found[0].high == pytest.approx(expected.high, abs=1e-4)


def test_equal_groups_may_have_the_ratio_1_and_a_small_one_is_left_out() -> None:
    equal = counted(a=(50, 100), b=(50, 100), tiny=(0, 10))
    found = fairness.smallest_ratio(equal, "selection_rate", 50, 0.95)
    assert found is not None
    assert found[0].value == 1
    assert found[0].high == 1
    assert fairness.smallest_ratio(counted(a=(50, 100)), "selection_rate", 50, 0.95) is None


def test_a_rate_of_0_still_has_an_interval() -> None:
    found = fairness.smallest_ratio(counted(a=(50, 100), b=(0, 100)), "selection_rate", 50, 0.95)
    assert found is not None
    assert found[0].value == 0
    assert 0 < found[0].low < found[0].high < 0.5
