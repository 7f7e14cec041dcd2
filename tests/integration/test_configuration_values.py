"""params.yaml: values that no stage could use, and groups that disagree."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.configured import Faults, line_of

from perennial.adapters.files.configuration import read_params


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reg_alpha: [0.001, 10.0]", "reg_alpha: [0, 10.0]"),
        ("reg_lambda: [0.01, 100.0]", "reg_lambda: [-1.0, 100.0]"),
        ("subsample: [0.5, 1.0]", "subsample: [0.5, 2.0]"),
        ("colsample_bytree: [0.3, 1.0]", "colsample_bytree: [0.3, .nan]"),
        ("max_depth: [2, 9]", "max_depth: [-2, 9]"),
        ("true_positive: 1.0", "true_positive: .nan"),
        ("false_positive: -1.0", "false_positive: -.inf"),
        ("missing: -1", "missing: .nan"),
        ("bins: [30, 60]", "bins: [60, 30]"),
        ("bins: [30, 60]", "bins: []"),
    ],
)
def test_a_number_that_a_stage_cannot_use_is_refused(faults: Faults, old: str, new: str) -> None:
    assert len(faults((old, new))) == 1


@pytest.mark.parametrize("name", ["row", "target", "probability", "decision"])
def test_a_sensitive_attribute_with_a_reserved_name_is_refused(faults: Faults, name: str) -> None:
    faults(
        ("  marital: {from: marital, bins", f"  {name}: {{from: marital, bins"),
        ("attributes: [age_group, marital]", f"attributes: [age_group, {name}]"),
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[60.0]", "it has 1 value"),
        ("[20, 30, 40]", "it has 3 values"),
        ("[60, 20]", "60 is not below 20"),
        ("[60, 60]", "60 is not below 60"),
        ("[null, null]", "both ends are open"),
        ("['60', null]", "'60' is text"),
    ],
)
def test_a_declared_slice_of_a_number_that_is_no_range_is_refused(
    faults: Faults, written: str, told: str
) -> None:
    """[60] alone would be read as 60 to under 60: a slice without rows, which no gate looks at."""
    (fault,) = faults(("{age: [60.0, null]}", f"{{age: {written}}}"))
    assert "evaluation.slices.declared.old.age: a number needs [low, high)" in fault
    assert told in fault


@pytest.mark.parametrize("column", ["marital", "age_group"])
def test_a_declared_slice_of_levels_may_have_any_number_of_them(
    params_yaml: Callable[..., Path], column: str
) -> None:
    for levels in (["a"], ["a", None], ["a", "b", "c"]):
        written = json.dumps({column: levels})
        path = params_yaml(("{age: [60.0, null]}", written))
        params = read_params(path=path)
        assert params.evaluation.slices.declared["old"] == {column: levels}


def test_every_fault_of_declared_slices_is_said_at_once(faults: Faults) -> None:
    (fault,) = faults(("{old: {age: [60.0, null]}}", "{old: {age: [1], days: [3, 2], sex: [m]}}"))
    for key in ("old.age: a number", "old.days: a number", "old.sex: neither a feature"):
        assert key in fault


def test_a_value_of_none_of_several_types_is_one_fault(faults: Faults) -> None:
    assert len(faults(("missing: -1", "missing: [1]"))) == 1


def test_a_feature_may_be_called_like_a_type(faults: Faults) -> None:
    found = faults(("    days: {from: pdays, as: number,", "    float: {from: pdays, as: numeric,"))
    assert f"line {line_of('days: {from')}, features.columns.float.as: " in found[0]


@pytest.mark.xfail(
    strict=True,
    reason="what keys say together is checked only once each is right by itself, and has no line",
)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("    duration: known", "    balance: known"), ("rare_below: 50", "rare_below: -1")),
        (("attribute: age_group", "attribute: sex"), ("folds: 3", "folds: 1")),
    ],
)
def test_keys_that_disagree_are_said_beside_other_faults(
    faults: Faults, one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert len(faults(one, other)) == 2


@pytest.mark.xfail(
    strict=True,
    reason="what keys say together is checked only once each is right by itself, and has no line",
)
def test_groups_that_disagree_are_said_with_their_line(faults: Faults) -> None:
    found = faults(("attribute: age_group", "attribute: sex"))
    assert f"line {line_of('attribute: age_group')}," in found[0]


def test_a_kind_of_trees_is_known_and_named_once(faults: Faults) -> None:
    (unknown,) = faults(("kinds: [depthwise]", "kinds: [depthwise, sideways]"))
    assert "search.kinds" in unknown
    (twice,) = faults(("kinds: [depthwise]", "kinds: [depthwise, depthwise]"))
    assert "names one twice" in twice
    (none,) = faults(("kinds: [depthwise]", "kinds: []"))
    assert "search.kinds" in none
