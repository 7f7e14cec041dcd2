"""The gates together: each is asked once, and those that estimate share the error rate."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perennial.core import verdict
from perennial.core.gates.result import CHAMPION, decide
from perennial.core.verdict import Evidence, Rival

from .gated import ALONE, alone
from .judged import EVIDENCE, PARAMS, ROWS, estimated, named, results, shap


def behaving(**changes: Any) -> Evidence:
    return replace(EVIDENCE, behaviour={**EVIDENCE.behaviour, **changes})


def test_every_gate_is_asked_exactly_once() -> None:
    expected = {
        *("quality_floor", "calibration", "better_than_prior", "better_than_logistic"),
        *("better_than_default", CHAMPION, "slices", "declared_slices", "fairness_g"),
        *("fairness_g_by_h", "group_coverage", "leakage", "dependence", "forbidden_features"),
        *("proxies_g", "proxies_h", "stability", "additivity", "invariance", "robustness"),
        *("direction_more", "direction_less", "flipped_g", "model_size", "node_visits"),
        *("parity_onnx", "parity_pyfunc", "overlap", "time_order", "single_feature"),
        "identifier",
    }
    counted = Counter(gate.name for gate in results())
    assert set(counted.values()) == {1}
    assert set(counted) == expected


def test_every_group_of_gates_in_params_yaml_has_a_result() -> None:
    """A gate that is configured and never asked would be worse than none."""
    asked = " ".join(gate.name for gate in results())
    stems = {
        "better_than_simple": "better_than_logistic",
        "directions": "direction",
        "cost": "model_size",
    }
    for name in type(PARAMS.gates).model_fields:
        if name != "error_rate":
            assert stems.get(name, name) in asked


def test_a_sound_candidate_is_blocked_by_nothing() -> None:
    found = results()
    assert [gate.why for gate in found if gate.blocks] == []
    assert decide(found, candidate_is_champion=False) == "promote"


def test_the_error_rate_is_shared_by_as_many_gates_as_have_an_interval() -> None:
    assert verdict.intervals(EVIDENCE) == len(estimated(results())) == 19


@pytest.mark.parametrize(
    ("evidence", "fewer"),
    [
        (replace(EVIDENCE, declared_slices=EVIDENCE.declared_slices.iloc[:0]), 1),
        (replace(EVIDENCE, counts={"g": EVIDENCE.counts["g"]}), 1),
        (behaving(directions={}), 2),
        (behaving(flipped={}), 1),
        (replace(EVIDENCE, explained={**EVIDENCE.explained, "proxies": {}}), 2),
    ],
)
def test_gates_that_are_not_asked_have_no_share(evidence: Evidence, fewer: int) -> None:
    assert verdict.intervals(evidence) == verdict.intervals(EVIDENCE) - fewer
    assert verdict.intervals(evidence) == len(estimated(results(evidence)))


def test_a_smaller_error_rate_makes_every_interval_wider_and_no_fact() -> None:
    strict, loose = named(results(error_rate=0.001)), named(results(error_rate=0.9))
    with_interval = estimated(list(strict.values()))
    assert with_interval == estimated(list(loose.values()))
    for name, gate in strict.items():
        wide, narrow = gate.estimate, loose[name].estimate
        if name in with_interval:
            gained = (wide.high - wide.low) - (narrow.high - narrow.low)
            assert gained >= 0 if name == "stability" else gained > 0, name  # ranks go by steps
        else:
            assert wide == narrow


def test_each_bound_has_the_gates_whole_share_of_the_error_rate() -> None:
    """Wilson's interval of 1 of 800 at 1 - 2 × 0.05 / 19, worked out by its own formula."""
    from scipy.stats import binomtest

    found = named(results(error_rate=0.05))["direction_more"].estimate
    expected = binomtest(1, 800).proportion_ci(1 - 2 * 0.05 / 19, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_the_same_evidence_and_seed_give_the_same_results() -> None:
    assert results() == results()


def test_without_a_champion_the_others_stand_and_the_candidate_is_promoted() -> None:
    found = results(replace(EVIDENCE, champion=None))
    assert decide(found, candidate_is_champion=False) == "promote"
    assert [gate.name for gate in found] == [gate.name for gate in results()]


def test_a_better_champion_keeps_its_place() -> None:
    tampered = EVIDENCE.scores["probability"] + np.random.default_rng(5).normal(size=ROWS) * 0.15
    scores = EVIDENCE.scores.assign(probability=tampered.clip(0.01, 0.99))
    rival = Rival(False, EVIDENCE.scores["probability"].to_numpy(), shap(3))
    found = results(replace(EVIDENCE, scores=scores, champion=rival))
    assert named(found)[CHAMPION].verdict == "fail"
    assert not named(found)[CHAMPION].blocks


def test_after_drift_an_equal_candidate_is_enough() -> None:
    near = EVIDENCE.scores["probability"].to_numpy() + 1e-3 * np.random.default_rng(5).random(ROWS)
    equal = replace(EVIDENCE, champion=Rival(False, near, shap(3)))
    assert named(results(equal))[CHAMPION].verdict == "insufficient"
    assert named(results(replace(equal, drifted=True)))[CHAMPION].verdict == "pass"


def test_a_null_in_a_report_stands_for_an_endless_gap_and_fails() -> None:
    parts = {"train": {"rows": 800, "additivity_error": None}}
    explained = replace(EVIDENCE, explained={**EVIDENCE.explained, **parts})
    assert named(results(explained))["additivity"].verdict == "fail"
    arranged = behaving(invariance={"order_of_rows": 1e-9, "size_of_batch": None})
    assert named(results(arranged))["invariance"].verdict == "fail"


@pytest.mark.parametrize(
    ("gate", "part", "value"),
    [
        ("overlap", "overlap", {"what": "rows", "shared": 3, "rows": 8500}),
        ("time_order", "time_order", {"backwards": 3, "rows": 8500}),
        ("identifier", "distinct", {"a": 1.0}),
        ("group_coverage", "group_sizes", {"train": {}, "holdout": {"g: a": 900}}),
        (
            "single_feature",
            "single_features",
            {"a": alone(0.95)},
        ),
    ],
)
def test_a_fault_in_the_leaks_report_fails_its_own_gate_and_no_other(
    gate: str, part: str, value: Any
) -> None:
    found = results(replace(EVIDENCE, leaks={**EVIDENCE.leaks, part: value}))
    assert [one.name for one in found if one.verdict == "fail"] == [gate]
    assert decide(found, candidate_is_champion=False) == "block"


@pytest.mark.parametrize(
    ("gate", "part", "value"),
    [
        ("robustness", "robustness", {"missing": 1}),
        (
            "flipped_g",
            "flipped",
            {"g": {"changed": 700, "rows": 800, **ALONE}},
        ),
        (
            "direction_more",
            "directions",
            {
                "more": {
                    "violations": 400,
                    "rows": 800,
                    **ALONE,
                    "says": "'x'",
                }
            },
        ),
        (
            "model_size",
            "cost",
            {
                "candidate": {"model_size": 2000.0, "node_visits": 50.0},
                "default": {"model_size": 100.0, "node_visits": 50.0},
            },
        ),
    ],
)
def test_a_fault_in_the_behaviour_report_fails_its_own_gate_and_no_other(
    gate: str, part: str, value: Any
) -> None:
    found = results(behaving(**{part: value}))
    assert [one.name for one in found if one.verdict == "fail"] == [gate]


def test_a_forbidden_source_is_looked_for_in_all_features() -> None:
    columns = {
        "forbidden_features": PARAMS.gates.forbidden_features.model_copy(update={"columns": ["f"]})
    }
    assert named(results(**columns))["forbidden_features"].verdict == "fail"
