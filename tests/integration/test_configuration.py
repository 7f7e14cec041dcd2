"""params.yaml: every fault is said at once with its line, and a stage sees what it asked for."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from perennial.adapters.configuration import read_params
from perennial.errors import InputError

SHIPPED = Path(__file__).parents[2] / "params.yaml"
PARAMS = """\
seed: 7
data:
  as_of: "2010-08"
target:
  column: deposit
  positive: yes
validation:
  suite: batch.json
  on_failure: stop
split:
  kind: time
  key: null
  calibration_rows: 100
  holdout_rows: 100
monitor:
  min_rows: 200
  false_discovery_rate: 0.05
  effects:
    ks: 0.2
    psi: 0.25
    chi_square: 0.2
    jensen_shannon: 0.2
    missing: 0.1
    new_levels: 0.05
    vanished_levels: 0.1
  psi_bins: 10
  min_features: 2
  confidence: 0.95
  replicates: 1000
  domain_classifier: {rows: 5000, folds: 5, rounds: 30, roc_auc: 0.6}
  adaptive_windowing: 0.002
policy:
  request: none
sensitive:
  age_group: {from: age, bins: [30, 60]}
  marital: {from: marital, bins: null}
features:
  rare_below: 50
  columns:
    age: {from: age, as: number, missing: null, why: a test}
    balance: {from: balance, as: signed_log, missing: null, why: a test}
    days: {from: pdays, as: number, missing: -1, why: a test}
  drop:
    duration: known only after the call
search:
  trials: 24
  trials_per_round: 4
  folds: 3
  learning_rate: 0.1
  max_rounds: 400
  early_stopping_rounds: 25
  ensemble: 5
  simpler_within_errors: 1.0
  space:
    max_depth: [2, 9]
    min_child_weight: [1.0, 100.0]
    subsample: [0.5, 1.0]
    colsample_bytree: [0.3, 1.0]
    reg_lambda: [0.01, 100.0]
    reg_alpha: [0.001, 10.0]
training:
  calibration: sigmoid
  utility:
    true_positive: 1.0
    false_positive: -1.0
    false_negative: 0.0
    true_negative: 0.0
  mitigation:
    method: thresholds
    attribute: age_group
    constraint: true_positive_rate_parity
    permission: the author of this test
evaluation:
  confidence: 0.95
  replicates: 2000
  bins: 10
  slices: {min_rows: 50, bins: 4, declared: {old: {age: [60.0, null]}}}
explanation:
  rows: 5000
  waterfalls: 4
  proxy_auc: 0.75
behaviour:
  rows: 100
  tolerance: 0.01
  changes:
    longer: {column: duration, multiply: 2, expect: unchanged, why: a test}
  monotone: {balance: increasing}
fairness:
  attributes: [age_group, marital]
  intersections: true
  min_group: 50
gates:
  error_rate: 0.05
  quality_floor: {metric: roc_auc, threshold: 0.6, insufficient: block}
  calibration: {threshold: 0.1, insufficient: tolerate}
  better_than_prior: {threshold: 0.0, insufficient: block}
  better_than_simple: {margin: 0.04, insufficient: block}
  champion: {margin: 0.04}
  slices: {threshold: 0.1, insufficient: tolerate}
  declared_slices: {threshold: 0.1, insufficient: tolerate}
  leakage: {threshold: 0.333, insufficient: block}
  dependence: {threshold: 0.1, insufficient: block}
  forbidden_features: {columns: [duration]}
  proxies: {threshold: 0.5, insufficient: tolerate}
  stability: {threshold: 0.5, insufficient: tolerate}
  additivity: {threshold: 0.001}
  invariance: {tolerance: 0.000001}
  directions: {threshold: 0.05, insufficient: block}
  flipped: {threshold: 0.333, insufficient: tolerate}
  single_feature: {threshold: 0.75, insufficient: block}
  identifier: {at_most: 0.9}
  cost: {model_size: 10.0, node_visits: 10.0}
  parity: {tolerance: 0.00001, insufficient: tolerate}
  fairness:
    {criterion: true_positive_rate, measure: difference, threshold: 0.1, insufficient: tolerate}
replay: {start: null, scheduled: [3]}
registry:
  model: bank-deposits
  uri: null
"""
Faults = Callable[..., list[str]]


@pytest.fixture
def params_yaml(tmp_path: Path) -> Callable[..., Path]:
    """Write params.yaml with the replacements, each of which must be found once."""

    def write(*replacements: tuple[str, str], text: str | bytes = PARAMS) -> Path:
        for old, new in replacements:
            assert isinstance(text, str)
            assert text.count(old) == 1, f"{old!r} is in params.yaml {text.count(old)} times"
            text = text.replace(old, new)
        path = tmp_path / "params.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def faults(params_yaml: Callable[..., Path]) -> Faults:
    """Return the faults of params.yaml after the replacements."""

    def found(*replacements: tuple[str, str], text: str | bytes = PARAMS) -> list[str]:
        with pytest.raises(InputError) as caught:
            read_params(path=params_yaml(*replacements, text=text))
        assert caught.value.exit_code == 2
        return caught.value.faults

    return found


def line_of(words: str) -> int:
    """Return the line of params.yaml that starts so."""
    lines = [i for i, line in enumerate(PARAMS.splitlines(), 1) if line.strip().startswith(words)]
    assert len(lines) == 1, words
    return lines[0]


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


# what is not refused, and should be


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
