"""Null windows: drawn from one pool, what raised an alarm, and thresholds that would do."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from perennial.adapters.files.configuration import read_params
from perennial.core import nulls
from perennial.core.drift.comparison import Comparison, conclude
from perennial.core.drift.examination import Examination
from perennial.core.drift.numeric import ks
from perennial.core.drift.result import PREDICTION, Test
from perennial.core.drift.signals import Signal
from perennial.core.statistics.estimates import Estimate
from perennial.params.drift import Monitor

MONITOR = read_params("monitor").monitor


@given(st.integers(3, 300), st.data(), st.integers(0, 99))
def test_a_window_and_the_others_share_no_row(pool: int, data: st.DataObject, seed: int) -> None:
    """Without replacement, and all of the pool is used."""
    rows = data.draw(st.integers(1, pool - 1))
    inside, others = nulls.draw(pool, rows, seed)
    assert len(inside) == rows
    assert sorted([*inside, *others]) == list(range(pool))


def test_rows_are_drawn_in_no_order() -> None:
    """A trend within the pool is none within a window, or within the others."""
    for side in nulls.draw(2000, 1000, 0):
        assert abs(np.corrcoef(side, np.arange(len(side)))[0, 1]) < 0.1


def found(**changes: object) -> Examination:
    tests = (
        Test("ks", PREDICTION, 0.1, 0.5, 0.1),
        Test("ks", "n", 0.3, 0.001, 0.3),
        Test("wasserstein", "n", 9.0, None, 9.0),
    )
    signal = Signal("roc_auc", Estimate(-0.1, -0.15, -0.05, 9), 0.02, True, True, "lost")
    whole = Examination("harmful", "", Comparison("drift", "", tests), None, (signal,))
    return replace(whole, **changes)


def test_an_alarm_is_put_down_to_what_raised_it() -> None:
    """Each look that fired is named, features only if enough of them moved."""
    moved = [
        replace(test, drifted=True)
        for test in (Test("ks", PREDICTION, 0.3, 0.0, 0.3), Test("psi", "n", 0.3, 0.0, 0.3))
    ]
    drift = found(comparison=Comparison("drift", "", moved))
    assert nulls.alarms(found(), 1) == ["roc_auc"]
    assert nulls.alarms(drift, 1) == ["features", "predictions", "roc_auc"]
    assert nulls.alarms(drift, 2) == ["predictions", "roc_auc"]


@pytest.mark.parametrize("verdict", ["none", "insufficient"])
def test_without_a_verdict_there_is_no_alarm(verdict: str) -> None:
    """What fired without deciding is not counted."""
    assert nulls.alarms(found(verdict=verdict), 1) == []


def test_rates_name_every_look_also_those_that_never_alarmed() -> None:
    """Nothing seen in few windows is not nothing: the upper bound says how much it may be."""
    rates = nulls.rates([["concept"], [], [], []], 0.95)
    assert tuple(rates) == nulls.LOOKS
    assert rates["concept"]["value"] == 0.25
    assert rates["features"]["value"] == 0.0
    assert rates["features"]["high"] > 0.4


def test_what_a_window_would_need_is_the_farthest_it_went() -> None:
    """The largest effect of a test over features; the interval's bound, not the estimate."""
    needed = nulls.strengths(found(), MONITOR)
    assert needed["effects.ks"] == 0.3
    assert needed["effects.psi"] == 0.0
    assert needed["harm.roc_auc"] == pytest.approx(0.05)
    assert "effects.wasserstein" not in needed


def drawn(windows: int) -> list[dict[str, float]]:
    values = np.random.default_rng(0).gamma(2.0, 0.05, size=(windows, 3)).tolist()
    keys = ("effects.ks", "effects.psi", "harm.roc_auc")
    return [dict(zip(keys, row, strict=True)) for row in values]


def test_suggested_thresholds_keep_the_wanted_rate_together() -> None:
    """At most so many windows reach any of them, and the step below would not do for each."""
    windows = drawn(2000)
    suggested = nulls.suggest(windows, MONITOR, 0.05, 0.95)
    smallest = {line["parameter"].removeprefix("monitor."): line["smallest"] for line in suggested}
    reached = [any(window[key] >= smallest[key] for key in smallest) for window in windows]
    assert 0.03 < np.mean(reached) <= 0.05
    for key, threshold in smallest.items():
        below = np.mean([window[key] >= threshold - 2 * nulls.STEP for window in windows])
        assert below > 0.05 / 3
    assert [line["now"] for line in suggested] == [0.2, 0.25, 0.02]


def test_a_suggestion_says_how_sure_it_is() -> None:
    """The upper bound of what reaches it falls with the windows that were examined."""
    few, many = (nulls.suggest(drawn(n), MONITOR, 0.05, 0.95)[0]["reached"] for n in (30, 3000))
    assert (few["n"], many["n"]) == (30, 3000)
    assert many["high"] < 0.03 < few["high"]


def test_a_threshold_of_almost_nothing_is_reached_by_every_window() -> None:
    """The share that reaches today's threshold is counted: a broken one shows."""
    content = MONITOR.model_dump()
    content["effects"]["ks"] = 1e-9
    (line, *_) = nulls.suggest(drawn(50), Monitor.model_validate(content), 0.05, 0.95)
    assert line["reached_now"]["value"] == 1.0


def test_suggestions_may_be_pasted_into_the_parameters() -> None:
    """The groups are whole, so they can take the place of those that are there."""
    suggested = nulls.suggest(drawn(500), MONITOR, 0.05, 0.95)
    pasted = yaml.safe_load(nulls.as_yaml(suggested, MONITOR))["monitor"]
    changed = Monitor.model_validate({**MONITOR.model_dump(), **pasted})
    assert changed.effects.ks == suggested[0]["smallest"] != MONITOR.effects.ks
    assert changed.effects.missing == MONITOR.effects.missing


def test_null_windows_find_out_a_detector_that_does_not_correct_for_many_tests() -> None:
    """Noise alone: with Benjamini and Hochberg's correction 5 % alarm at most, without it most do,
    where any effect counts."""
    pool = np.random.default_rng(1).normal(size=(600, 20))
    content = MONITOR.model_dump()
    content |= {"effects": dict.fromkeys(content["effects"], 1e-9), "min_features": 1}
    monitor = Monitor.model_validate(content)
    corrected = uncorrected = 0
    for seed in range(100):
        inside, others = nulls.draw(len(pool), 200, seed)
        tests = [ks(f"x{i}", pool[others, i], pool[inside, i]) for i in range(20)]
        corrected += bool(nulls.alarms(found_by(conclude(tests, 200, monitor)), 1))
        uncorrected += any(test.p_value < 0.05 for test in tests)
    assert corrected <= 9  # of 100, where 5 are expected at most: more have a chance of 3 %
    assert uncorrected > 50


def found_by(comparison: Comparison) -> Examination:
    return Examination(comparison.verdict, "", comparison)
