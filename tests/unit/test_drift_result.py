"""Judging tests together: significant after the correction, and large enough to matter."""

import json

import numpy as np
import pytest

from perennial.core.drift import result


def one(name: str, p_value: float | None, effect: float = 1.0) -> result.Test:
    return result.Test(name, "x", 2.0, p_value, effect)


def test_q_values_are_benjamini_and_hochbergs_over_the_tests_with_a_p_value() -> None:
    p_values = np.array([0.01, 0.02, 0.03, 0.5])
    tests = [one("ks", float(p)) for p in p_values]
    tests.insert(2, one("wasserstein", None))
    judged = result.judge(tests, {"ks": 0.2}, 0.05)
    scaled = p_values * 4 / np.arange(1, 5)
    expected = np.minimum.accumulate(scaled[::-1])[::-1]
    assert [t.q_value for t in judged if t.name == "ks"] == pytest.approx(list(expected))
    assert judged[2].q_value is None


def test_a_test_drifts_if_it_is_significant_and_its_effect_reaches_its_threshold() -> None:
    cases = [(0.001, 0.3, True), (0.001, 0.2, True), (0.001, 0.19, False), (0.2, 0.9, False)]
    for p_value, effect, drifted in cases:
        (judged,) = result.judge([one("ks", p_value, effect)], {"ks": 0.2}, 0.05)
        assert judged.drifted is drifted, (p_value, effect)
        assert judged.threshold == 0.2


def test_each_test_has_the_threshold_of_its_name() -> None:
    judged = result.judge(
        [one("ks", 1e-9, 0.22), one("psi", 1e-9, 0.22)], {"ks": 0.2, "psi": 0.25}, 0.05
    )
    assert [t.drifted for t in judged] == [True, False]


def test_a_distance_without_a_p_value_is_shown_and_never_drifts() -> None:
    (judged,) = result.judge([one("wasserstein", None, 99.0)], {"ks": 0.2}, 0.05)
    assert (judged.drifted, judged.threshold, judged.q_value) == (False, None, None)
    assert judged.strength == -1


def test_no_tests_are_judged_to_none() -> None:
    assert result.judge([], {"ks": 0.2}, 0.05) == []


def test_as_json_a_test_has_the_keys_of_the_contract() -> None:
    (judged,) = result.judge([one("ks", 0.01, 0.3)], {"ks": 0.2}, 0.05)
    assert json.loads(json.dumps(judged.to_json())) == {
        "name": "ks",
        "feature": "x",
        "statistic": 2.0,
        "p_value": 0.01,
        "q_value": 0.01,
        "effect": 0.3,
        "threshold": 0.2,
        "drifted": True,
    }
