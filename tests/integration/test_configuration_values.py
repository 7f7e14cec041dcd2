"""params.yaml: values that no stage could use, and groups that disagree."""

import pytest
from tests.integration.configured import Faults, line_of


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
