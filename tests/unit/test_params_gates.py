"""params.yaml: what a change, a slice and a monotone feature may say, and what they may not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from perennial.adapters.files.configuration import read_params
from perennial.params import Change, Params
from perennial.params.gates import CostGate, Identifier, QualityFloor, Threshold
from perennial.params.slices import Slices

SHIPPED = Path(__file__).parents[2] / "params.yaml"


def change(**ways: Any) -> Change:
    return Change.model_validate({"column": "x", "expect": "unchanged", "why": "a test", **ways})


def declared(values: list[Any]) -> list[Any]:
    content = {"min_rows": 50, "bins": 4, "declared": {"one": {"x": values}}}
    return Slices.model_validate(content).declared["one"]["x"]


def changed(path: str, value: Any) -> Params:
    """The shipped parameters with one value put in; the path's parts are parted by dots."""
    content: dict[str, Any] = read_params(path=SHIPPED).model_dump(
        by_alias=True, exclude_unset=True
    )
    *groups, name = path.split(".")
    place = content
    for group in groups:
        place = place[group]
    place[name] = value
    return Params.model_validate(content)


@pytest.mark.parametrize(
    "ways", [{"to": 5}, {"to": "a"}, {"to": None}, {"add": 0}, {"add": -1.5}, {"multiply": 0}]
)
def test_a_change_says_one_of_to_add_and_multiply_even_if_it_is_null_or_nothing(
    ways: dict[str, Any],
) -> None:
    ((name, value),) = ways.items()
    assert getattr(change(**ways), name) == value


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"to": 5, "add": 1},
        {"to": None, "multiply": 2},
        {"add": 1, "multiply": 2},
        {"add": None},
        {"to": 1, "add": 1, "multiply": 1},
    ],
)
def test_a_change_that_says_none_or_more_than_one_is_refused(ways: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="say one of `to`, `add` and `multiply`"):
        change(**ways)


@pytest.mark.parametrize("ways", [{"add": float("nan")}, {"multiply": float("inf")}])
def test_a_change_by_what_is_no_finite_number_is_refused(ways: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        change(**ways)


@pytest.mark.parametrize("wrong", [{"expect": "higher"}, {"why": ""}, {"colum": "x"}])
def test_a_change_with_an_unknown_expectation_or_key_or_without_a_reason_is_refused(
    wrong: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        change(to=1, **wrong)


def test_a_change_keeps_a_whole_number_whole() -> None:
    """15.0 in a column of days would be another value than 15 to a category."""
    assert str(change(to=15).to) == "15"


@pytest.mark.parametrize("values", [["a", "b"], [0, 10], [None, 3.5], [30, None], [None]])
def test_a_declared_slice_has_levels_or_bounds_of_which_one_may_be_open(values: list[Any]) -> None:
    assert declared(values) == values


@pytest.mark.parametrize("values", [[], [float("nan")], [[1, 2]], "ab", [True]])
def test_a_declared_slice_of_nothing_or_of_what_is_no_level_is_refused(values: Any) -> None:
    with pytest.raises(ValidationError):
        declared(values)


def test_slices_of_one_row_are_refused_as_one_row_has_no_spread() -> None:
    with pytest.raises(ValidationError, match="min_rows"):
        Slices.model_validate({"min_rows": 1, "bins": 4, "declared": {}})


def test_slices_may_be_declared_by_a_feature_or_a_sensitive_attribute() -> None:
    feature, sensitive = {"poutcome": ["unknown"]}, {"marital": ["single"]}
    found = changed("evaluation.slices.declared", {"one": feature, "two": sensitive})
    assert found.evaluation.slices.declared == {"one": feature, "two": sensitive}


def test_a_slice_declared_by_a_column_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match=r"slices\.declared\.one\.height: neither a feature"):
        changed("evaluation.slices.declared", {"one": {"height": ["tall"]}})


def test_a_feature_that_is_a_number_may_be_said_to_be_monotone() -> None:
    found = changed("behaviour.monotone", {"age": "increasing"})
    assert found.behaviour.monotone == {"age": "increasing"}


@pytest.mark.parametrize("name", ["job", "height"])
def test_a_category_or_an_unknown_feature_can_not_be_monotone(name: str) -> None:
    with pytest.raises(ValidationError, match=rf"behaviour\.monotone\.{name}: not a feature"):
        changed("behaviour.monotone", {name: "increasing"})


def test_a_direction_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        changed("behaviour.monotone", {"age": "rising"})


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1])
def test_an_error_rate_of_nothing_or_of_everything_is_refused(value: float) -> None:
    with pytest.raises(ValidationError, match="error_rate"):
        changed("gates.error_rate", value)


def test_thresholds_are_not_negative_and_what_too_few_rows_mean_is_always_said() -> None:
    assert Threshold(threshold=0.0, insufficient="block").threshold == 0
    for wrong in (
        {"threshold": -0.1, "insufficient": "block"},
        {"threshold": 0.1, "insufficient": "ignore"},
        {"threshold": 0.1},
        {"threshold": float("inf"), "insufficient": "block"},
    ):
        with pytest.raises(ValidationError):
            Threshold.model_validate(wrong)


def test_a_floor_by_a_metric_that_nobody_knows_or_that_is_biased_is_refused() -> None:
    for metric in ("ece", "auc"):
        with pytest.raises(ValidationError, match="metric"):
            QualityFloor.model_validate(
                {"metric": metric, "threshold": 0.1, "insufficient": "block"}
            )


def test_costs_are_above_nothing_and_shares_of_identifiers_at_most_all() -> None:
    assert Identifier(at_most=1.0).at_most == 1
    with pytest.raises(ValidationError):
        Identifier(at_most=1.1)
    with pytest.raises(ValidationError):
        CostGate(model_size=0.0, node_visits=1.0)
