"""A candidate's facts, as flat names and values."""

from typing import Any

import pytest

from perennial.core import facts

SPEC: dict[str, Any] = {
    "columns": {
        "age": {"from": "age", "as": "number"},
        "worth": {"from": "balance", "as": "signed_log"},
        "job": {"from": "job", "as": "category"},
        "code": {"from": "code", "as": "category"},
        "size": {"from": "code", "as": "number"},
    },
    "sensitive": {
        "age_group": {"from": "age", "bins": [30]},
        "marital": {"from": "marital", "bins": None},
    },
}


@pytest.mark.parametrize(
    ("attribute", "more"), [(None, {}), ("age_group", {}), ("marital", {"marital": "category"})]
)
def test_a_sensitive_column_is_asked_for_only_where_it_decides(
    attribute: str | None, more: dict[str, str]
) -> None:
    inputs = facts.raw_inputs({"decision": {"attribute": attribute}}, SPEC)
    plain = {"age": "number", "balance": "number", "code": "number", "job": "category"}
    assert inputs == plain | more
    assert list(inputs) == sorted(inputs)


def test_parameters_tell_plan_recipe_calibration_and_decision() -> None:
    model = {
        "kind": "xgboost",
        "calibration": {"method": "isotonic", "margins": [0.0, 1.0]},
        "decision": {"threshold": 0.5, "attribute": "age", "by_group": {"b": 1.0, "a": 0.5}},
        "recipe": {"kind": "xgboost", "members": [{"params": {"max_depth": 3}, "rounds": 9}]},
    }
    plan = {"action": "retrain", "because": "drift", "split": {"kind": "time"}}
    assert facts.parameters(model, plan) == {
        "kind": "xgboost",
        "plan.action": "retrain",
        "plan.because": "drift",
        "plan.kind": "time",
        "calibration.method": "isotonic",
        "decision.threshold": 0.5,
        "decision.attribute": "age",
        "decision.by_group": '{"a": 0.5, "b": 1.0}',
        "member_0.max_depth": 3,
        "member_0.rounds": 9,
    }


def test_measures_are_values_with_bounds_and_leave_out_what_is_undefined() -> None:
    known = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 9}
    half = {"value": 0.5, "low": None, "high": None, "n": 9}
    assert facts.measures({"holdout": {"auc": known, "f1": half}}) == {
        "auc": 0.7,
        "auc_low": 0.6,
        "auc_high": 0.8,
        "f1": 0.5,
    }
