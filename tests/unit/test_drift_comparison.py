"""Drift: what moved far enough is named, and neither noise, many rows nor few rows raise alarm."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from perennial.core import drift
from perennial.core.dataset import features
from perennial.core.drift import Comparison, comparison
from perennial.params import Feature
from perennial.params.drift import Monitor

from .planted import feature

ROOT = Path(__file__).parents[2]
SHIPPED = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
COLUMNS = {name: feature("number") for name in "xyz"} | {
    name: feature("category") for name in ("job", "town")
}
Change = Callable[[pd.DataFrame], pd.DataFrame]


def monitor(effects: dict[str, float] | None = None, **changed: Any) -> Monitor:
    settings = {**SHIPPED["monitor"], **changed}
    settings["effects"] = {**SHIPPED["monitor"]["effects"], **(effects or {})}
    return Monitor.model_validate(settings)


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
    pair = scores(reference), scores(current) + moved
    return drift.compare(reference, current, columns, *pair, monitor(**changed))


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


def test_the_same_rows_have_not_drifted_at_all() -> None:
    comparison = compare(rows(500, 0), rows(500, 0))
    assert comparison.verdict == "none"
    assert len(comparison.tests) == 1 + 3 * 3 + 2 * 5
    assert all(test.effect == 0 and not test.drifted for test in comparison.tests)
    assert "drift in 0 features, 2 are needed: none" in comparison.why


def test_numbers_that_moved_are_drift_and_named_once_each_with_the_furthest_first() -> None:
    current = rows(500, 1).assign(x=lambda f: f["x"] + 1, y=lambda f: f["y"] + 2)
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "drift"
    assert drifted(comparison) == {"x", "y"}
    assert comparison.why.index("y (psi") < comparison.why.index("x (psi")
    assert comparison.why.count("x (") == 1
    assert "z (" not in comparison.why
    assert "20 tests on 500 newer rows found drift in 2 features" in comparison.why


@pytest.mark.parametrize("column", ["x", "job"])
def test_a_column_without_any_value_is_drift_by_its_missing_values(column: str) -> None:
    comparison = compare(rows(500, 0), missing(1.0, column)(rows(500, 1)))
    test = found(comparison, "missing", column)
    assert test.drifted
    assert test.effect == pytest.approx(1.0, abs=0.1)


def test_categories_that_moved_are_drift() -> None:
    random = np.random.default_rng(2)
    current = rows(500, 1).assign(
        job=random.choice(["a", "b", "c"], 500, p=[0.8, 0.1, 0.1]),
        town=random.choice(["n", "s"], 500, p=[0.9, 0.1]),
    )
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "drift"
    assert drifted(comparison) == {"job", "town"}
    for name in ("chi_square", "jensen_shannon", "psi"):
        assert found(comparison, name, "town").drifted, name


def test_a_level_never_seen_before_is_drift_though_the_others_stand() -> None:
    current = rows(500, 1).assign(
        job=lambda f: f["job"].where(np.arange(500) >= 27, "new"),
        town=lambda f: f["town"].where(np.arange(500) >= 27, "new"),
    )
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "drift"
    for column in ("job", "town"):
        assert found(comparison, "new_levels", column).drifted
        assert not found(comparison, "chi_square", column).drifted


def test_a_level_that_vanished_is_drift() -> None:
    current = rows(500, 1).assign(job=lambda f: f["job"].replace("c", "a"))
    assert found(compare(rows(1000, 0), current), "vanished_levels", "job").drifted


def test_a_spread_that_grew_around_the_same_mean_is_drift() -> None:
    current = rows(2000, 1).assign(x=lambda f: f["x"] * 4, y=lambda f: f["y"] * 4)
    assert drifted(compare(rows(2000, 0), current)) == {"x", "y"}


def test_an_effect_too_small_to_matter_is_no_drift_however_significant() -> None:
    current = rows(50_000, 1).assign(x=lambda f: f["x"] + 0.2, y=lambda f: f["y"] + 0.2)
    comparison = compare(rows(50_000, 0), current)
    for name in "xy":
        test = found(comparison, "ks", name)
        assert test.q_value is not None
        assert test.q_value < 1e-50
        assert 0.05 < test.effect < 0.2
        assert test.threshold == 0.2
    assert comparison.verdict == "none"
    assert not drifted(comparison)
    assert compare(rows(50_000, 0), current, effects={"ks": 0.05}).verdict == "drift"


def test_an_effect_that_is_not_significant_is_no_drift_however_large() -> None:
    reference, current = rows(12, 0), rows(12, 1)
    current = current.assign(x=reference["x"] + 0.7, y=reference["y"] + 0.7)
    comparison = compare(reference, current, min_rows=10)
    assert found(comparison, "ks", "x").effect >= 0.2
    assert found(comparison, "ks", "y").effect >= 0.2
    assert comparison.verdict == "none"


def test_a_wasserstein_distance_is_shown_and_alarms_nobody() -> None:
    current = rows(500, 1).assign(x=lambda f: f["x"].where(np.arange(500) > 2, 1e6))
    test = found(compare(rows(1000, 0), current), "wasserstein", "x")
    assert test.effect > 100
    assert (test.p_value, test.threshold, test.drifted) == (None, None, False)


def test_fewer_rows_than_a_test_needs_are_insufficient_and_nothing_is_tested() -> None:
    current = rows(199, 1).assign(x=99.0, y=99.0)
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "insufficient"
    assert comparison.why == "199 newer rows are fewer than the 200 a test needs"
    assert not comparison.tests


def test_just_as_many_rows_as_a_test_needs_are_enough() -> None:
    current = rows(200, 1).assign(x=99.0, y=99.0)
    assert compare(rows(1000, 0), current).verdict == "drift"


def test_one_feature_alone_is_named_but_no_alarm_while_the_predictions_stand() -> None:
    """However many of its tests drifted."""
    current = missing(0.5, "x")(rows(500, 1).assign(x=lambda f: f["x"] + 2))
    comparison = compare(rows(1000, 0), current)
    assert {t.name for t in comparison.tests if t.drifted} == {"ks", "psi", "missing"}
    assert comparison.verdict == "none"
    assert "drift in 1 feature, 2 are needed: x (" in comparison.why
    assert compare(rows(1000, 0), current, min_features=1).verdict == "drift"


def test_predictions_that_moved_alone_are_drift() -> None:
    comparison = compare(rows(1000, 0), rows(500, 1), moved=1.0)
    assert comparison.verdict == "drift"
    assert drifted(comparison) == {drift.PREDICTION}
    effect = found(comparison, "ks", drift.PREDICTION).effect
    assert comparison.why.endswith(f"the predictions moved by {effect:.2f} of 0.20 allowed")


def test_tests_of_features_alone_are_judged_without_predictions() -> None:
    """As a caller does who streams columns and has no model."""
    whole = compare(rows(1000, 0), rows(500, 1).assign(x=9.0, y=9.0))
    alone = [test for test in whole.tests if test.feature != drift.PREDICTION]
    assert comparison.conclude(alone, 500, monitor()).verdict == "drift"


def test_values_that_go_missing_are_drift_though_the_others_stand() -> None:
    current = missing(0.4, "job")(missing(0.4, "y")(rows(500, 1)))
    comparison = compare(rows(1000, 0), current)
    assert comparison.verdict == "drift"
    assert {(t.name, t.feature) for t in comparison.tests if t.drifted} == {
        ("missing", "job"),
        ("missing", "y"),
    }


def test_values_that_stop_missing_are_drift() -> None:
    reference = missing(0.4, "x")(missing(0.4, "y")(rows(1000, 0)))
    assert drifted(compare(reference, rows(500, 1))) == {"x", "y"}


def test_many_tests_of_rows_that_did_not_move_seldom_alarm() -> None:
    """A/A: one alarm in twenty comparisons is what a false discovery rate of 5 % allows.

    With every effect allowed to matter and one feature enough, of 68 tests in each of 60: at most
    3 on average, 8 at three standard errors. Without the correction most alarm.
    """
    columns = {f"x{i}": feature("number") for i in range(14)}
    columns |= {f"c{i}": feature("category") for i in range(5)}
    alarms = uncorrected = 0
    every = dict.fromkeys(SHIPPED["monitor"]["effects"], 1e-9)
    settings = monitor(every, min_features=1)
    for random in np.random.default_rng(0).spawn(60):
        both = []
        for count in (300, 250):
            numbers = {f"x{i}": random.normal(size=count) for i in range(14)}
            levels = {f"c{i}": random.choice(["a", "b", "c"], count) for i in range(5)}
            both.append(pd.DataFrame(numbers | levels))
        moved = [random.normal(size=len(frame)) for frame in both]
        comparison = drift.compare(*both, columns, *moved, settings)
        alarms += comparison.verdict == "drift"
        uncorrected += any((test.p_value or 1) < 0.05 for test in comparison.tests)
    assert uncorrected > 30
    assert 0 < alarms <= 8


def test_the_shipped_rows_split_at_random_do_not_alarm_and_a_later_year_does() -> None:
    """On the shipped data and thresholds; 0 of 1,000 splits of each size alarmed when measured."""
    columns = {k: Feature.model_validate(v) for k, v in SHIPPED["features"]["columns"].items()}
    batches = sorted((ROOT / "data/batches").glob("*.parquet"))
    raw = {batch.stem: pd.read_parquet(batch) for batch in batches if batch.stem >= "2008-10"}
    late = pd.concat([rows for period, rows in raw.items() if period >= "2009-01"])
    derived = features.derive(late.reset_index(drop=True), columns)
    for count in (200, 1000):
        for random in np.random.default_rng(count).spawn(10):
            order = random.permutation(len(derived))
            both = [derived.iloc[part] for part in (order[:2000], order[2000 : 2000 + count])]
            pair = [frame["balance"].fillna(0).to_numpy() for frame in both]
            comparison = drift.compare(*both, columns, *pair, monitor())
            assert comparison.verdict == "none", comparison.why
    both = [features.derive(raw[period], columns) for period in ("2008-11", "2010-09")]
    same = [np.zeros(len(frame)) for frame in both]
    assert drift.compare(*both, columns, *same, monitor()).verdict == "drift"


def test_as_json_the_drifted_come_first_then_the_furthest_from_none() -> None:
    current = rows(500, 0).assign(y=lambda f: f["y"] + 2)
    written = json.loads(json.dumps(compare(rows(500, 0), current).to_json()))
    assert set(written) == {"verdict", "why", "tests"}
    tests = written["tests"]
    assert [(test["feature"], test["name"]) for test in tests[:2]] == [("y", "psi"), ("y", "ks")]
    assert [test["drifted"] for test in tests] == [True] * 2 + [False] * 18
    assert tests[-1]["name"] == "wasserstein", "what is shown only comes last"
    assert set(tests[0]) == {
        "name",
        "feature",
        "statistic",
        "p_value",
        "effect",
        "q_value",
        "threshold",
        "drifted",
    }
