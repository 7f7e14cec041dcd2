"""Drift: what moved far enough is named, and neither noise, many rows nor few rows raise alarm."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from perennial.core import drift
from perennial.core.drift import Comparison
from perennial.params import Monitor

from .planted import feature

COLUMNS = {name: feature("number") for name in "xyz"} | {
    name: feature("category") for name in ("job", "town")
}
Change = Callable[[pd.DataFrame], pd.DataFrame]


def monitor(**changed: Any) -> Monitor:
    settings = {
        "min_rows": 200,
        "false_discovery_rate": 0.05,
        "min_effect": 0.2,
        "min_features": 2,
    }
    return Monitor.model_validate(settings | changed)


def rows(count: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    numbers = {name: random.normal(size=count) for name in "xyz"}
    levels = {
        "job": random.choice(["a", "b", "c"], count),
        "town": random.choice(["n", "s"], count),
    }
    return pd.DataFrame(numbers | levels)


def scores(frame: pd.DataFrame) -> np.ndarray:
    """Scores that move with no feature that the tests move."""
    return np.random.default_rng(len(frame)).normal(size=len(frame))


def compare(
    reference: pd.DataFrame, current: pd.DataFrame, moved: float = 0.0, **changed: Any
) -> Comparison:
    columns = {name: COLUMNS[name] for name in reference}
    return drift.compare(
        reference,
        current,
        columns,
        scores(reference),
        scores(current) + moved,
        monitor(**changed),
    )


def found(comparison: Comparison, name: str, feature: str) -> drift.Test:
    (test,) = [t for t in comparison.tests if (t.name, t.feature) == (name, feature)]
    return test


def drifted(comparison: Comparison) -> set[str]:
    return {test.feature for test in comparison.tests if test.drifted}


def missing(share: float, column: str) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        keep = np.arange(len(frame)) >= share * len(frame)
        return frame.assign(**{column: frame[column].where(keep)})

    return change


def always(column: str, value: Any) -> Change:
    return lambda frame: frame.assign(**{column: value})


def test_the_same_rows_have_not_drifted_at_all() -> None:
    comparison = compare(rows(500, 0), rows(500, 0))
    assert comparison.verdict == "none"
    assert len(comparison.tests) == 1 + len(COLUMNS)
    assert all(test.effect == 0 and not test.drifted for test in comparison.tests)
    assert "none" in comparison.why


def test_numbers_that_moved_are_drift_and_named_with_the_largest_first() -> None:
    current = rows(500, 1).assign(x=lambda f: f["x"] + 1, y=lambda f: f["y"] + 2)
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "drift"
    assert drifted(comparison) == {"x", "y"}
    assert "y (ks 0.6" in comparison.why
    assert comparison.why.index("y (ks") < comparison.why.index("x (ks")
    assert "z (" not in comparison.why
    assert "500 newer rows, 2 moved by at least 0.2" in comparison.why


def test_categories_that_moved_are_drift_and_named() -> None:
    random = np.random.default_rng(2)
    current = rows(500, 1).assign(
        job=random.choice(["a", "b", "c"], 500, p=[0.8, 0.1, 0.1]),
        town=random.choice(["n", "s"], 500, p=[0.9, 0.1]),
    )
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "drift"
    assert drifted(comparison) == {"job", "town"}
    assert "job (chi_square 0." in comparison.why
    assert "town (chi_square 0." in comparison.why


def test_a_level_never_seen_before_is_drift() -> None:
    reference, current = (rows(n, n)[["job", "town"]] for n in (1000, 500))
    current = current.assign(job="new", town="new")
    comparison = compare(reference, current)
    assert comparison.verdict == "drift"
    assert found(comparison, "chi_square", "job").effect == pytest.approx(1, abs=0.01)


def test_a_spread_that_grew_around_the_same_mean_is_drift() -> None:
    current = rows(2000, 1).assign(x=lambda f: f["x"] * 4, y=lambda f: f["y"] * 4)
    assert drifted(compare(rows(2000, 0), current)) == {"x", "y"}


def test_an_effect_too_small_to_matter_is_no_drift_however_significant() -> None:
    current = rows(50_000, 1).assign(x=lambda f: f["x"] + 0.2, y=lambda f: f["y"] + 0.2)
    comparison = compare(rows(50_000, 0), current)
    for name in "xy":
        test = found(comparison, "ks", name)
        assert test.q_value < 1e-50
        assert 0.05 < test.effect < 0.2
        assert test.threshold == 0.2
    assert comparison.verdict == "none"
    assert not drifted(comparison)
    assert compare(rows(50_000, 0), current, min_effect=0.05).verdict == "drift"


def test_an_effect_that_is_not_significant_is_no_drift_however_large() -> None:
    reference, current = rows(12, 0), rows(12, 1)
    current = current.assign(x=reference["x"] + 0.7, y=reference["y"] + 0.7)
    comparison = compare(reference, current, min_rows=10)
    assert found(comparison, "ks", "x").effect >= 0.2
    assert found(comparison, "ks", "y").effect >= 0.2
    assert comparison.verdict == "none"


def test_fewer_rows_than_a_test_needs_are_insufficient_and_nothing_is_tested() -> None:
    current = rows(199, 1)
    current = current.assign(x=99.0, y=99.0)
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "insufficient"
    assert comparison.why == "199 newer rows are fewer than the 200 a test needs"
    assert not comparison.tests


def test_just_as_many_rows_as_a_test_needs_are_enough() -> None:
    current = rows(200, 1).assign(x=99.0, y=99.0)
    assert compare(rows(1000, 0), current).verdict == "drift"


def test_one_feature_alone_is_named_but_no_alarm_while_the_predictions_stand() -> None:
    current = rows(500, 1).assign(x=lambda f: f["x"] + 2)
    comparison = compare(rows(1000, 0), current)
    assert drifted(comparison) == {"x"}
    assert comparison.verdict == "none"
    assert "1 moved" in comparison.why
    assert "x (ks 0." in comparison.why
    assert compare(rows(1000, 0), current, min_features=1).verdict == "drift"


def test_predictions_that_moved_alone_are_drift() -> None:
    comparison = compare(rows(1000, 0), rows(500, 1), moved=1.0)
    assert comparison.verdict == "drift"
    assert drifted(comparison) == {drift.PREDICTION}
    effect = found(comparison, "ks", drift.PREDICTION).effect
    assert comparison.why.endswith(f"the predictions by {effect:.2f}")


def test_two_tests_of_one_feature_count_as_one_feature() -> None:
    current = missing(0.5, "x")(rows(500, 1).assign(x=lambda f: f["x"] + 2))
    comparison = compare(rows(1000, 0), current)
    assert [t.name for t in comparison.tests if t.drifted] == ["ks", "missing"]
    assert comparison.verdict == "none"


def test_many_tests_of_rows_that_did_not_move_seldom_alarm() -> None:
    """A/A: one alarm in twenty comparisons is what a false discovery rate of 5 % allows.

    With every effect allowed to matter and one feature enough, of 20 tests in each of 100: 5 on
    average, 11 at three standard errors. Without the correction 1 - 0.95^20 = 64 % alarm.
    """
    columns = {f"x{i}": feature("number") for i in range(14)}
    columns |= {f"c{i}": feature("category") for i in range(5)}
    alarms = uncorrected = 0
    for random in np.random.default_rng(0).spawn(100):
        both = []
        for count in (300, 250):
            numbers = {f"x{i}": random.normal(size=count) for i in range(14)}
            levels = {f"c{i}": random.choice(["a", "b", "c"], count) for i in range(5)}
            both.append(pd.DataFrame(numbers | levels))
        moved = [random.normal(size=len(frame)) for frame in both]
        settings = monitor(min_effect=1e-9, min_features=1)
        comparison = drift.compare(*both, columns, *moved, settings)
        alarms += comparison.verdict == "drift"
        uncorrected += any(test.p_value < 0.05 for test in comparison.tests)
    assert uncorrected > 40
    assert 0 < alarms <= 11


def test_q_values_are_benjamini_and_hochbergs() -> None:
    comparison = compare(rows(1000, 0), rows(500, 1).assign(x=lambda f: f["x"] + 0.15))
    p_values = np.array([test.p_value for test in comparison.tests])
    order = np.argsort(p_values)
    scaled = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    expected = np.minimum.accumulate(scaled[::-1])[::-1]
    assert [comparison.tests[i].q_value for i in order] == pytest.approx(list(expected))


def test_ks_is_the_largest_distance_of_the_two_distributions() -> None:
    reference, current = (pd.DataFrame({"x": x}) for x in ([1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0]))
    test = found(compare(reference, current, min_rows=1), "ks", "x")
    assert test.statistic == test.effect == pytest.approx(0.5)


def test_values_that_go_missing_are_drift_though_the_others_stand() -> None:
    current = missing(0.4, "x")(missing(0.4, "y")(rows(500, 1)))
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "drift"
    assert {(t.name, t.feature) for t in comparison.tests if t.drifted} == {
        ("missing", "x"),
        ("missing", "y"),
    }
    assert "x (missing 0." in comparison.why


def test_values_that_stop_missing_are_drift() -> None:
    reference = missing(0.4, "x")(missing(0.4, "y")(rows(1000, 0)))
    assert drifted(compare(reference, rows(500, 1))) == {"x", "y"}


def test_the_same_share_of_missing_values_is_tested_and_no_drift() -> None:
    comparison = compare(missing(0.3, "x")(rows(1000, 0)), missing(0.3, "x")(rows(500, 1)))
    test = found(comparison, "missing", "x")
    assert (test.effect, test.p_value) == pytest.approx((0, 1))
    assert not drifted(comparison)


def test_numbers_that_never_miss_have_no_test_of_missing_values() -> None:
    assert "missing" not in {test.name for test in compare(rows(500, 0), rows(500, 1)).tests}


def test_a_missing_category_is_a_level_of_its_own() -> None:
    current = rows(500, 1).assign(
        job=lambda f: f["job"].where(f["job"] != "a"),
        town=lambda f: f["town"].where(f["town"] != "n"),
    )
    comparison = compare(rows(1000, 0), current)
    assert drifted(comparison) == {"job", "town"}
    assert {test.name for test in comparison.tests if test.feature == "job"} == {"chi_square"}


def test_missing_values_are_tested_by_pearsons_chi_square_without_yates_correction() -> None:
    frames = [missing(share, "x")(rows(200, seed)) for share, seed in ((0.1, 0), (0.2, 1))]
    test = found(compare(*frames), "missing", "x")
    assert test.statistic == pytest.approx(400 * (20 * 160 - 40 * 180) ** 2 / (200**2 * 60 * 340))
    assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, 1))


@pytest.mark.parametrize("empty", ["reference", "current"])
def test_a_number_that_is_all_missing_on_one_side_is_judged_on_that_alone(empty: str) -> None:
    frames = {"reference": rows(1000, 0), "current": rows(500, 1)}
    frames[empty] = frames[empty].assign(x=np.nan)
    comparison = compare(**frames)
    assert [test.name for test in comparison.tests if test.feature == "x"] == ["missing"]
    test = found(comparison, "missing", "x")
    assert test.drifted
    assert test.effect == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("column", "name"), [("x", "missing"), ("job", "chi_square")])
def test_a_column_that_is_all_missing_on_both_sides_has_not_drifted(column: str, name: str) -> None:
    frames = [always(column, np.nan)(rows(n, n)) for n in (1000, 500)]
    test = found(compare(*frames), name, column)
    assert (test.statistic, test.p_value, test.effect, test.drifted) == (0.0, 1.0, 0.0, False)


@pytest.mark.parametrize(("column", "value"), [("x", 3.0), ("job", "a")])
def test_a_column_of_one_value_on_both_sides_has_not_drifted(column: str, value: Any) -> None:
    comparison = compare(*(always(column, value)(rows(n, n)) for n in (1000, 500)))
    (test,) = [t for t in comparison.tests if t.feature == column]
    assert (test.p_value, test.effect, test.drifted) == (1.0, 0.0, False)


def test_infinite_numbers_are_values_like_others() -> None:
    current = rows(500, 1).assign(x=np.inf, y=-np.inf)
    assert drifted(compare(rows(1000, 0), current)) == {"x", "y"}


def test_rare_levels_of_few_rows_look_like_no_effect() -> None:
    """Plain Cramér's V of 30 levels on 2 × 100 rows is about √(29 / 200) = 0.38 for noise only."""
    plain, corrected = [], []
    for random in np.random.default_rng(0).spawn(50):
        both = [pd.DataFrame({"job": random.integers(0, 30, 100).astype(str)}) for _ in "12"]
        test = found(compare(*both, min_rows=100), "chi_square", "job")
        plain.append(np.sqrt(test.statistic / 200))
        corrected.append(test.effect)
    assert np.mean(plain) > 0.35
    assert np.mean(corrected) < 0.1


def test_the_correction_leaves_an_effect_on_many_rows_as_it_is() -> None:
    random = np.random.default_rng(0)
    both = [
        pd.DataFrame({"job": random.choice(["a", "b", "c"], 20_000, p=p)})
        for p in ([0.5, 0.3, 0.2], [0.3, 0.3, 0.4])
    ]
    table = pd.DataFrame([frame["job"].value_counts() for frame in both]).fillna(0).to_numpy()
    effect = found(compare(*both), "chi_square", "job").effect
    assert effect == pytest.approx(stats.contingency.association(table), abs=1e-3)
    assert 0.2 < effect < 0.3


def test_levels_that_share_no_rows_have_the_largest_effect_on_few_rows_too() -> None:
    both = [pd.DataFrame({"job": [level] * 10}) for level in "ab"]
    assert found(compare(*both, min_rows=10), "chi_square", "job").effect == pytest.approx(1)


def test_unequal_numbers_of_rows_make_no_drift() -> None:
    assert not drifted(compare(rows(20_000, 0), rows(200, 1)))


def test_as_json_the_largest_effect_comes_first_and_ties_by_name() -> None:
    current = rows(500, 0).assign(y=lambda f: f["y"] + 2)
    written = compare(rows(500, 0), current).to_json()
    assert set(written) == {"verdict", "why", "tests"}
    assert [test["feature"] for test in written["tests"]] == [
        "y",
        "(prediction)",
        "job",
        "town",
        "x",
        "z",
    ]
    assert written["tests"][0]["drifted"] is True
    assert set(written["tests"][0]) == {
        "name",
        "feature",
        "statistic",
        "p_value",
        "effect",
        "q_value",
        "threshold",
        "drifted",
    }
