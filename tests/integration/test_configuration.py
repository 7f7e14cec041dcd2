"""params.yaml: every fault is said at once with its line, and a stage sees what it asked for."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.configured import PARAMS, SHIPPED, Faults, line_of

from perennial.adapters.files.configuration import read_params
from perennial.errors import InputError


def test_every_group_is_read_as_written(params_yaml: Callable[..., Path]) -> None:
    params = read_params(path=params_yaml())
    assert params.target.positive == "yes"  # not True: this is YAML 1.2
    assert params.features.columns["days"].missing == -1
    assert params.search.space.max_depth == (2, 9)
    assert params.sensitive["age_group"].bins == [30, 60]
    assert params.registry.uri is None


def test_the_projects_own_file_has_no_fault() -> None:
    assert read_params(path=SHIPPED).seed >= 0


def test_every_fault_is_said_at_once_each_with_its_line_and_key(faults: Faults) -> None:
    found = faults(
        ("seed: 7", "seed: -1"),
        ("folds: 3", "fold: 3"),
        ("replicates: 2000", "replicates: many"),
        ("on_failure: stop", "on_failure: ignore"),
        ("age: {from: age, as: number,", "age: {from: age, as: numeric,"),
        ("false_discovery_rate: 0.05", "false_discovery_rate: 5"),
        ("reg_alpha: [0.001, 10.0]", "reg_alpha: [10.0, 0.001]"),
    )
    expected = {
        "seed": line_of("seed:"),
        "search.folds: missing key": line_of("search:"),
        "search.fold: unknown key": line_of("folds:"),
        "evaluation.replicates": line_of("replicates: 2000"),
        "validation.on_failure": line_of("on_failure:"),
        "features.columns.age.as": line_of("age: {from: age, as"),
        "monitor.false_discovery_rate": line_of("false_discovery_rate:"),
        "search.space": line_of("space:"),
    }
    assert len(found) == len(expected)
    for key, line in expected.items():
        told = [fault for fault in found if f", {key}" in fault]
        assert len(told) == 1, key
        assert f"line {line}," in told[0], "of a missing key, the line of its group"


def test_an_unknown_and_a_missing_group_are_both_said(faults: Faults) -> None:
    found = faults(("\nexplanation:", "\nexplanations:"))
    assert sorted(fault.split(", ")[-1] for fault in found) == [
        "explanation: missing key",
        "explanations: unknown key",
    ]
    assert f"line {line_of('explanation:')}," in " ".join(found)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("trials: 24", "trials: 24.0", "search.trials"),
        ("trials: 24", "trials: '24'", "search.trials"),
        ("trials: 24", "trials: true", "search.trials"),
        ("intersections: true", "intersections: 1", "fairness.intersections"),
        ("uri: null", "uri: 5", "registry.uri"),
        ("rare_below: 50", "rare_below: -1", "features.rare_below"),
        ("suite: batch.json", "suite: ../batch.json", "validation.suite"),
        ("model: bank-deposits", "model: bank/deposits", "registry.model"),
        ("max_depth: [2, 9]", "max_depth: ['2', 9]", "search.space.max_depth.0"),
    ],
)
def test_no_value_is_bent_into_the_type_that_is_wanted(
    faults: Faults, old: str, new: str, key: str
) -> None:
    found = faults((old, new))
    assert len(found) == 1
    assert f"line {line_of(old)}, {key}: " in found[0]


def test_a_whole_number_is_good_for_a_fraction(params_yaml: Callable[..., Path]) -> None:
    path = params_yaml(("simpler_within_errors: 1.0", "simpler_within_errors: 1"))
    assert read_params(path=path).search.simpler_within_errors == 1


def test_a_column_both_dropped_and_used_is_named(faults: Faults) -> None:
    found = faults(("    duration: known", "    balance: known"))
    assert len(found) == 1
    assert f"line {line_of('features:')}, features: balance" in found[0]


def test_thresholds_by_group_need_a_written_permission(faults: Faults) -> None:
    start, end = PARAMS.index("    permission:"), PARAMS.index("\nevaluation:")
    for written in ("null", "''", "'  '"):
        found = faults(text=f"{PARAMS[:start]}    permission: {written}\n{PARAMS[end:]}")
        assert len(found) == 1
        assert "permission" in found[0]
        assert f"line {line_of('mitigation:')}," in found[0]


def test_a_key_goes_with_a_split_by_group_and_with_no_other(faults: Faults) -> None:
    assert "split: " in faults(("key: null", "key: job"))[0]
    assert "split: " in faults(("kind: time", "kind: group"))[0]


def test_attributes_that_nobody_defined_and_a_target_as_feature_are_named(faults: Faults) -> None:
    found = faults(
        ("attributes: [age_group, marital]", "attributes: [age_group, religion]"),
        ("attribute: age_group", "attribute: sex"),
        ("age: {from: age, as", "age: {from: deposit, as"),
    )
    for words in (
        "religion is not among",
        "training.mitigation.attribute",
        "deposit is the target",
    ):
        assert words in " ".join(found)


@pytest.mark.parametrize(
    ("written", "shown"), [("2010-08-01", "2010"), ("201008", "201008"), ("2010", "2010")]
)
def test_a_period_without_quotes_that_yaml_takes_for_something_else_is_said(
    faults: Faults, written: str, shown: str
) -> None:
    found = faults(('as_of: "2010-08"', f"as_of: {written}"))
    assert len(found) == 1
    assert f"line {line_of('as_of:')}, data.as_of: " in found[0]
    assert "string" in found[0]
    assert shown in found[0]


def test_a_period_without_quotes_that_yaml_takes_for_text_is_text(
    params_yaml: Callable[..., Path],
) -> None:
    assert read_params(path=params_yaml(('as_of: "2010-08"', "as_of: 2010-08"))).data.as_of


@pytest.mark.parametrize(
    "text",
    [
        PARAMS[: PARAMS.index("space:") + 30] + " [1, ",
        PARAMS.replace("  as_of", "\tas_of"),
        PARAMS + "seed: 3\n",
        PARAMS.replace("positive: yes", 'positive: "yes'),
    ],
    ids=["torn", "tab", "key twice", "open quote"],
)
def test_what_is_no_yaml_is_said_with_its_line(faults: Faults, text: str) -> None:
    found = faults(text=text)
    assert len(found) == 1
    assert "not readable as YAML" in found[0]
    assert re.search(r"line \d+", found[0])


@pytest.mark.parametrize(
    "text",
    [b"", b"- a\n- b\n", b"seed", b"seed: 1\n# \xe9\n", b"seed: \x00"],
    ids=["empty", "a list", "a word", "Latin 1", "a null byte"],
)
def test_what_holds_no_groups_is_the_users_to_correct(faults: Faults, text: bytes) -> None:
    assert len(faults(text=text)) == 1


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"elsewhere\.yaml: no such file"):
        read_params(path=tmp_path / "elsewhere.yaml")


def test_a_stage_gets_the_groups_that_it_asked_for_and_no_other(
    params_yaml: Callable[..., Path],
) -> None:
    params = read_params("seed", "target", path=params_yaml())
    assert params.seed == 7
    assert params.target.column == "deposit"
    with pytest.raises(AttributeError, match="search"):
        _ = params.search


def test_a_fault_in_a_group_not_asked_for_stops_a_stage_too(
    params_yaml: Callable[..., Path],
) -> None:
    with pytest.raises(InputError, match=r"search\.folds"):
        read_params("seed", path=params_yaml(("folds: 3", "folds: 1")))


def test_params_cannot_be_changed() -> None:
    params = read_params(path=SHIPPED)
    with pytest.raises(ValueError, match="frozen"):
        params.search.trials = 5


def test_nobody_may_be_named_as_sensitive_but_a_mitigation_is_for_someone(
    params_yaml: Callable[..., Path], faults: Faults
) -> None:
    groups = "  age_group: {from: age, bins: [30, 60]}\n  marital: {from: marital, bins: null}"
    nobody = (
        ("attributes: [age_group, marital]", "attributes: []"),
        ("  attribute: age_group", "  attribute: null"),
        (f"sensitive:\n{groups}", "sensitive: {}"),
    )
    plain = (*nobody, ("method: thresholds", "method: none"))
    assert read_params(path=params_yaml(*plain)).fairness.attributes == []
    assert "attribute" in " ".join(faults(*nobody))
