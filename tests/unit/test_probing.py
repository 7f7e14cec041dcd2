"""Probing: what a candidate does with rows that are moved, changed or strange is counted right."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.dataset import features as core_features
from perennial.core.evaluation import probing
from perennial.core.model import linear
from perennial.core.model.calibration import Calibration
from perennial.core.model.candidate import Candidate
from perennial.core.model.decision import Decision
from perennial.core.proof.faults_of_models import Tampered
from perennial.params import Behaviour, Change

from .gated import ALONE
from .planted import feature, features, sensitive


def raw_rows(rows: int = 210, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": random.normal(size=rows),
            "code": random.choice(["u", "v", "w"], rows).astype(object),
            "age": random.integers(18, 80, rows),
            "sex": random.choice(["f", "m"], rows).astype(object),
            "unused": random.normal(size=rows),
        }
    )


RAW = raw_rows()


def candidate(**changes: Any) -> Candidate:
    """A logistic regression that rises with x, falls with age, and knows no sex."""
    columns = {
        "x": feature("number", "x"),
        "code": feature("category", "code"),
        "age": feature("number", "age"),
    }
    groups = {"sex": sensitive("sex"), "age_group": sensitive("age", [30.0, 60.0])}
    given = raw_rows(1000, seed=1)
    derived = core_features.derive(given, columns)
    spec = core_features.fit(derived, features(**columns), groups)
    odds = 1.5 * given["x"] - 0.05 * (given["age"] - 50) + 0.5 * (given["code"] == "u")
    target = (np.random.default_rng(2).random(1000) < 1 / (1 + np.exp(-odds))).astype("int64")
    content: dict[str, Any] = {
        "kind": "logistic",
        "spec": spec,
        "calibration": Calibration("sigmoid"),
        "decision": Decision(0.5),
        "recipe": {},
        "logistic": linear.fit(core_features.apply(spec, derived), target),
    }
    return (Tampered if changes else Candidate)(**content, **changes)


SOUND = candidate()


def change(column: str, expect: str, **ways: Any) -> Change:
    content = {"column": column, "expect": expect, "why": "a test", **ways}
    return Change.model_validate(content)


def direction(model: Candidate, raw: pd.DataFrame, tolerance: float = 0.01, **ways: Any) -> Any:
    return probing.direction(model, raw, change(**ways), tolerance)


def test_a_sound_candidate_says_the_same_however_rows_are_arranged() -> None:
    gaps = probing.invariance(SOUND, RAW, seed=0)
    assert set(gaps) == {"order_of_rows", "size_of_batch", "one_row_alone", "order_of_columns"}
    assert max(gaps.values()) < 1e-12


def test_what_hangs_on_the_batch_changes_with_its_size_and_not_with_the_order_of_columns() -> None:
    centred = candidate(by_features=lambda _, margin: margin - margin.mean())
    gaps = probing.invariance(centred, RAW, seed=0)
    assert gaps["one_row_alone"] > 0.1
    assert gaps["size_of_batch"] > 0.001
    assert gaps["order_of_columns"] < 1e-12


def test_what_hangs_on_the_order_of_rows_is_seen() -> None:
    counting = candidate(by_features=lambda rows, margin: margin + np.linspace(0, 1, len(rows)))
    assert probing.invariance(counting, RAW, seed=0)["order_of_rows"] > 0.01


def test_what_hangs_on_the_order_of_columns_is_seen() -> None:
    first = candidate(by_raw=lambda raw: pd.to_numeric(raw.iloc[:, 0], errors="coerce").to_numpy())
    found = probing.invariance(first, RAW.select_dtypes("number").assign(code="u"), seed=0)
    assert found["order_of_columns"] > 0.01
    assert found["order_of_rows"] < 1e-12


def test_an_answer_that_is_no_number_is_an_endless_gap() -> None:
    silent = candidate(by_features=lambda _, margin: np.where(margin > 0, np.nan, margin))
    assert set(probing.invariance(silent, RAW, seed=0).values()) == {np.inf}


@pytest.mark.parametrize("rows", [1, 2, 6, 8])
def test_a_few_rows_are_rearranged_as_well(rows: int) -> None:
    assert max(probing.invariance(SOUND, RAW.iloc[:rows], seed=0).values()) < 1e-12


def test_every_strange_value_gets_a_probability_from_a_sound_candidate() -> None:
    assert probing.robustness(SOUND, RAW.iloc[:5]) == dict.fromkeys(probing.STRANGE, 0)


def test_rows_without_an_answer_are_counted_by_the_value_that_silenced_it() -> None:
    silent = candidate(by_features=lambda rows, margin: np.where(rows["x"].isna(), np.nan, margin))
    found = probing.robustness(silent, RAW.iloc[:5])
    assert found["missing"] == found["unseen"] == found["infinite"] == 10  # x alone, and with all
    assert found["zero"] == found["huge"] == 0


def test_a_change_is_judged_on_the_rows_it_alters_and_in_its_direction() -> None:
    rising = direction(SOUND, RAW, column="x", add=1, expect="not_lower")
    assert (rising["violations"], rising["rows"]) == (0, len(RAW))
    falling = direction(SOUND, RAW, column="x", add=1, expect="not_higher")
    assert falling["violations"] > 0.8 * len(RAW)
    still = direction(SOUND, RAW, column="x", add=1, expect="unchanged")
    assert still["violations"] >= falling["violations"]
    unused = direction(SOUND, RAW, column="unused", multiply=-3, expect="unchanged")
    assert (unused["violations"], unused["rows"]) == (0, len(RAW))


def test_a_row_that_has_the_value_already_is_not_altered() -> None:
    found = direction(SOUND, RAW, column="code", to="u", expect="not_lower")
    assert found["rows"] == (RAW["code"] != "u").sum()
    assert found["violations"] == 0
    nothing = direction(SOUND, RAW.assign(x=0.0), column="x", multiply=5, expect="unchanged")
    assert (nothing["rows"], nothing["violations"]) == (0, 0)


@pytest.mark.parametrize("ways", [{"add": 1}, {"multiply": 3}, {"to": None}])
def test_a_row_without_a_value_is_not_altered_by_what_leaves_it_without_one(
    ways: dict[str, Any],
) -> None:
    """Else a column that is mostly missing would hide violations among rows that never move."""
    raw = RAW.copy()
    raw.loc[:99, "x"] = np.nan
    found = direction(SOUND, raw, column="x", expect="unchanged", **ways)
    assert found["rows"] == len(raw) - 100
    filled = direction(SOUND, raw, column="x", to=1.0, expect="unchanged")
    assert filled["rows"] == len(raw)  # where a value is put in, all are


def test_a_move_within_the_tolerance_is_none() -> None:
    found = direction(SOUND, RAW, tolerance=1.0, column="x", add=1, expect="unchanged")
    assert found["violations"] == 0
    slight = direction(SOUND, RAW, tolerance=0.0, column="x", add=0.001, expect="unchanged")
    assert slight["violations"] > 0.8 * len(RAW)


@pytest.mark.parametrize("expect", ["unchanged", "not_higher", "not_lower"])
def test_an_answer_that_is_no_number_is_a_violation_in_every_direction(expect: str) -> None:
    silent = candidate(by_features=lambda rows, margin: np.where(rows["x"].isna(), np.nan, margin))
    found = direction(silent, RAW, column="x", to=None, expect=expect)
    assert found["violations"] == found["rows"] == len(RAW)


def test_a_feature_that_rises_is_monotone_in_one_direction_only() -> None:
    rows = SOUND.spec.transform(RAW)
    rising = probing.monotonicity(SOUND, rows, "x", "increasing", 0.0)
    falling = probing.monotonicity(SOUND, rows, "x", "decreasing", 0.0)
    assert (rising["violations"], rising["rows"]) == (0, len(RAW))
    assert falling["violations"] == len(RAW)
    assert probing.monotonicity(SOUND, rows, "age", "decreasing", 0.0)["violations"] == 0


def test_a_dip_in_the_middle_is_not_monotone() -> None:
    dip = candidate(by_features=lambda rows, margin: margin - 4 * rows["x"].between(-0.3, 0.3))
    rows = SOUND.spec.transform(RAW)
    assert probing.monotonicity(dip, rows, "x", "increasing", 0.01)["violations"] > 150


def test_silence_is_not_monotone() -> None:
    silent = candidate(
        by_features=lambda rows, margin: np.where(rows["x"] > 1, np.nan, np.asarray(margin))
    )
    found = probing.monotonicity(silent, SOUND.spec.transform(RAW), "x", "increasing", 0.01)
    assert found["violations"] == len(RAW)


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_a_feature_with_one_value_or_none_has_no_direction_to_break(value: float) -> None:
    rows = SOUND.spec.transform(RAW.assign(x=value))
    for wanted in ("increasing", "decreasing"):
        found = probing.monotonicity(SOUND, rows, "x", wanted, 0.0)
        assert (found["violations"], found["rows"]) == (0, len(RAW))


def test_no_decision_flips_with_an_attribute_that_the_candidate_does_not_know() -> None:
    assert probing.flipped(SOUND, RAW, "sex") == {"changed": 0, "rows": len(RAW), **ALONE}


def test_every_decision_flips_where_the_attribute_alone_decides() -> None:
    biased = candidate(by_raw=lambda raw: np.where(raw["sex"] == "f", 30.0, -30.0))
    assert probing.flipped(biased, RAW, "sex") == {"changed": len(RAW), "rows": len(RAW), **ALONE}


def test_an_attribute_cut_at_bins_is_moved_to_each_of_its_groups() -> None:
    found = probing.flipped(SOUND, RAW, "age_group")
    assert 0 < found["changed"] < len(RAW)  # the candidate falls with age


def test_an_attribute_with_one_group_has_no_other_to_move_to() -> None:
    biased = candidate(by_raw=lambda raw: np.where(raw["sex"] == "f", 30.0, -30.0))
    assert probing.flipped(biased, RAW.assign(sex="f"), "sex")["changed"] == 0


def test_a_missing_group_is_no_group_to_move_to() -> None:
    """It has no value to stand for it; its own rows are moved to the others."""
    biased = candidate(by_raw=lambda raw: np.where(raw["sex"].isna(), 30.0, -30.0))
    raw = RAW.copy()
    raw.loc[:49, "sex"] = None
    assert probing.flipped(biased, raw, "sex")["changed"] == 50


def settings(**changes: Any) -> Behaviour:
    content = {"rows": 100, "tolerance": 0.01, "changes": {}, "monotone": {}, **changes}
    return Behaviour.model_validate(content)


def test_all_that_is_declared_is_tried_and_told_as_json() -> None:
    wanted = settings(
        changes={"more": {"column": "x", "add": 1, "expect": "not_lower", "why": "a test"}},
        monotone={"age": "decreasing"},
    )
    rows = SOUND.spec.transform(RAW)
    found = probing.probe(SOUND, SOUND, RAW, rows, wanted, seed=0)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found["directions"]) == {"more", "age"}
    assert set(found["flipped"]) == {"sex", "age_group"}
    assert found["rows"] == len(RAW)
    # 20 rows, each of three columns and all together, six strange values
    assert found["strange_rows"] == 20 * 4 * 6
    assert found["cost"]["candidate"] == found["cost"]["default"]


def test_an_endless_gap_is_null_in_json() -> None:
    silent = candidate(by_features=lambda _, margin: margin * np.nan)
    found = probing.probe(silent, SOUND, RAW, SOUND.spec.transform(RAW), settings(), seed=0)
    assert set(found["invariance"].values()) == {None}
    json.dumps(found, allow_nan=False)


def test_trying_changes_no_row_of_the_caller() -> None:
    raw = RAW.copy()
    probing.invariance(SOUND, raw, seed=0)
    probing.robustness(SOUND, raw)
    direction(SOUND, raw, column="x", to=1.0, expect="unchanged")
    probing.flipped(SOUND, raw, "sex")
    pd.testing.assert_frame_equal(raw, RAW)
