"""Features: what one row becomes, what is learned from training rows, and what is handled how."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perennial.core import features as core
from perennial.core.features import MISSING, OTHER, FeatureSpec
from perennial.errors import InputError
from perennial.params import Sensitive

from .planted import feature, features, sensitive

Rows = list[tuple[float | None, str | None]]
NUMBERS = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 5).map(float)
ROWS = st.lists(st.tuples(NUMBERS, st.none() | st.sampled_from("abcde")), min_size=1, max_size=12)
MIXED = features(
    2,
    n=feature("number", "x", missing=-1),
    s=feature("signed_log", "x"),
    c=feature("category", "k", missing="a"),
)


def frame(rows: Rows) -> pd.DataFrame:
    numbers = pd.Series([n for n, _ in rows], dtype="float64")
    return pd.DataFrame({"x": numbers, "k": pd.Series([k for _, k in rows], dtype=object)})


def derived(values: Any, kind: str, missing: Any = None) -> list[Any]:
    """Return what one column becomes, with None for missing."""
    raw = pd.DataFrame({"x": values})
    found = core.derive(raw, {"f": feature(kind, missing=missing)})["f"]
    return [None if pd.isna(value) else value for value in found]


def fitted(values: Any, kind: str = "category", rare_below: int = 0) -> FeatureSpec:
    asked = features(rare_below, f=feature(kind))
    return core.fit(core.derive(pd.DataFrame({"x": values}), asked.columns), asked, {})


def coded(spec: FeatureSpec, values: Any) -> list[Any]:
    found = spec.transform(pd.DataFrame({"x": values}))["f"]
    return [None if pd.isna(value) else value for value in found]


# one row


@pytest.mark.parametrize(
    ("values", "kind", "missing", "expected"),
    [
        ([-1, 5], "number", -1, [None, 5.0]),
        ([-1.0, 0.0], "signed_log", -1, [None, 0.0]),
        (["unknown", "blue"], "category", "unknown", [None, "blue"]),
        ([999, 5], "category", 999, [None, "5"]),
        ([1.0, 2.0], "number", "?", [1.0, 2.0]),
    ],
)
def test_the_value_named_missing_becomes_missing(
    values: list[Any], kind: str, missing: Any, expected: list[Any]
) -> None:
    assert derived(values, kind, missing) == expected


def test_the_number_named_missing_is_recognised_in_a_column_of_text() -> None:
    assert derived(["-1", "3"], "number", -1) == [None, 3.0]


@pytest.mark.parametrize(
    ("values", "kind", "missing"),
    [
        (["999", "5"], "number", "999"),
        (["999", "5"], "category", 999),
        ([999, 5], "category", "999"),
    ],
)
def test_the_value_named_missing_is_recognised_as_text_or_number(
    values: list[Any], kind: str, missing: Any
) -> None:
    assert derived(values, kind, missing)[0] is None


def test_signed_log_is_defined_at_zero_and_below_and_is_odd() -> None:
    found = derived([-math.e + 1, 0.0, math.e - 1, -1e6, 1e6], "signed_log")
    assert found[:3] == pytest.approx([-1.0, 0.0, 1.0], abs=1e-6)
    assert found[3] == -found[4] == pytest.approx(-math.log1p(1e6), abs=1e-6)


@pytest.mark.parametrize("kind", ["number", "signed_log"])
def test_infinities_and_no_numbers_become_missing(kind: str) -> None:
    assert derived([np.inf, -np.inf, np.nan, 0.0], kind) == [None, None, None, 0.0]


def test_text_in_a_number_column_is_read_or_else_missing() -> None:
    found = derived(["1", " 2 ", "x", "inf", "-1e400", "", None], "number")
    assert found == [1.0, 2.0, None, None, None, None, None]


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, None], dtype="Int64"),
        pd.array([1.0, None], dtype="Float64"),
        pd.Series([True, None], dtype="object"),
        pd.Categorical(["1", "x"]),
        pd.Series(["1", None], dtype="string"),
    ],
)
def test_numbers_come_out_of_any_type_of_column(values: Any) -> None:
    assert derived(values, "number") == [1.0, None]


def test_a_missing_time_in_a_number_column_is_missing() -> None:
    assert derived(pd.to_datetime(["2020-01-01", None]), "number")[1] is None


def test_categories_are_strings_and_missing_stays_missing() -> None:
    found = core.derive(pd.DataFrame({"x": [True, None]}), {"f": feature("category")})["f"]
    assert found.tolist() == ["True", None]
    assert found.dtype == object


def test_a_code_is_the_same_level_and_group_beside_a_missing_value() -> None:
    """Whole numbers beside a null are floats to pandas; 1 must not become the level '1.0'."""
    assert derived([1, 2, None], "category") == ["1", "2", None]
    found = core.groups(pd.DataFrame({"x": [1, 2, None]}), {"g": sensitive()})
    assert found["g"].tolist() == ["1", "2", MISSING]


def test_a_code_is_the_same_level_beside_a_fraction() -> None:
    assert derived([1.0, 2.5], "category")[0] == derived([1.0], "category")[0]


def test_a_huge_number_can_be_a_level() -> None:
    assert derived([1e20, 1.0], "category")[1] == "1"


def test_a_day_is_the_same_level_beside_a_time() -> None:
    times = pd.to_datetime(pd.Series(["2020-01-01 00:00", "2020-01-01 10:30"]))
    assert derived(times, "category")[0] == derived(times[:1], "category")[0]


def test_every_missing_raw_column_is_named() -> None:
    with pytest.raises(InputError) as caught:
        core.derive(
            pd.DataFrame({"there": [1]}),
            {n: feature("number", n) for n in ("there", "gone", "lost")},
        )
    named = " ".join(caught.value.faults)
    assert len(caught.value.faults) == 2
    assert "gone" in named
    assert "lost" in named


@given(ROWS, st.data())
def test_a_row_alone_is_the_same_as_in_its_batch(rows: Rows, data: st.DataObject) -> None:
    raw = frame(rows)
    whole = core.derive(raw, MIXED.columns)
    at = data.draw(st.integers(0, len(rows) - 1))
    alone = core.derive(raw.iloc[[at]], MIXED.columns)
    pd.testing.assert_frame_equal(alone, whole.iloc[[at]], check_dtype=False)


@given(ROWS, ROWS, st.data())
def test_a_scored_row_alone_is_the_same_as_in_its_batch(
    training: Rows, rows: Rows, data: st.DataObject
) -> None:
    known = core.derive(frame([*training, (1.0, "b"), (2.0, "b")]), MIXED.columns)
    spec, raw = core.fit(known, MIXED, {}), frame(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    pd.testing.assert_frame_equal(
        spec.transform(raw.iloc[[at]]), spec.transform(raw).iloc[[at]], check_exact=True
    )


# what is learned


def test_levels_are_kept_in_order_of_name_whatever_the_order_of_rows() -> None:
    assert fitted(["b", "a", "c", "a"]).fitted["f"].levels == ("a", "b", "c")
    assert fitted(["c", "a", "a", "b"]).fitted["f"].levels == ("a", "b", "c")


def test_rare_levels_are_pooled_as_other_which_is_last() -> None:
    spec = fitted(["z"] * 3 + ["a"] * 3 + ["rare", "once"], rare_below=3)
    assert spec.fitted["f"].levels == ("a", "z", OTHER)
    assert coded(spec, ["a", "rare", "once", None]) == ["a", OTHER, OTHER, None]


def test_a_level_with_just_enough_rows_is_not_rare() -> None:
    assert fitted(["a"] * 3 + ["b"] * 2, rare_below=2).fitted["f"].levels == ("a", "b")


def test_an_unseen_level_is_other_where_training_pooled_and_else_missing() -> None:
    pooled = fitted(["a"] * 3 + ["rare"], rare_below=2)
    assert coded(pooled, ["new", None]) == [OTHER, None]
    assert coded(fitted(["a", "b"]), ["new", "b"]) == [None, "b"]


def test_a_raw_level_called_other_joins_the_pool() -> None:
    spec = fitted([OTHER] * 3 + ["a"] * 3 + ["rare"], rare_below=2)
    assert coded(spec, [OTHER, "rare", "a"]) == [OTHER, OTHER, "a"]


def test_numbers_beyond_the_training_range_are_clipped_to_it() -> None:
    spec = fitted([10.0, 20.0], kind="number")
    assert coded(spec, [-5.0, 15.0, 1e9, None]) == [10.0, 15.0, 20.0, None]


def test_a_feature_without_any_value_is_named() -> None:
    asked = features(0, full=feature("number"), empty=feature("number", "y"))
    raw = pd.DataFrame({"x": [1.0], "y": [np.inf]})
    with pytest.raises(InputError, match="empty") as caught:
        core.fit(core.derive(raw, asked.columns), asked, {})
    assert "full" not in str(caught.value)


def test_the_matrix_has_the_same_types_whatever_the_rows_hold() -> None:
    spec = core.fit(core.derive(frame([(1.0, "b"), (2.0, "c")] * 2), MIXED.columns), MIXED, {})
    types = spec.transform(frame([(1.0, "b")])).dtypes
    for rows in ([(None, None)], [(math.inf, "new")], [(0.0, "c"), (9.0, None)]):
        pd.testing.assert_series_equal(spec.transform(frame(rows)).dtypes, types)
    assert spec.transform(frame([(1.0, "b")]).iloc[:0]).shape == (0, 3)


def test_the_order_of_raw_columns_and_columns_more_do_not_matter() -> None:
    raw = frame([(1.0, "b"), (2.0, "b"), (None, "c")])
    spec = core.fit(core.derive(raw, MIXED.columns), MIXED, {})
    turned = raw.assign(more=1)[["more", "k", "x"]]
    pd.testing.assert_frame_equal(spec.transform(turned), spec.transform(raw))
    assert list(spec.transform(turned)) == ["n", "s", "c"]


def test_rows_with_the_same_index_are_kept_apart() -> None:
    raw = frame([(1.0, "b"), (2.0, "b"), (None, "c")])
    spec = core.fit(core.derive(raw, MIXED.columns), MIXED, {})
    twice = spec.transform(pd.concat([raw, raw[::-1]]))
    assert twice["n"].tolist()[:2] == [1.0, 2.0]
    assert twice["n"].tolist()[-2:] == [2.0, 1.0]


def test_the_raw_rows_are_left_as_they_were() -> None:
    raw = frame([(-1.0, "a"), (2.0, "b")])
    before = raw.copy(deep=True)
    core.fit(core.derive(raw, MIXED.columns), MIXED, {}).transform(raw)
    pd.testing.assert_frame_equal(raw, before)


def test_the_spec_knows_nothing_of_rows_that_are_held_out() -> None:
    """What is fitted, and so the training matrix, is the same whatever the holdout rows are."""
    asked = features(2, n=feature("number"), c=feature("category", "k"))
    training = frame([(1.0, "a"), (5.0, "a"), (3.0, "b"), (2.0, "b")])
    held = [frame([(1e9, "new")] * 50), frame([(-7.0, "b")])]
    specs, matrices = [], []
    for rows in held:
        both = core.derive(pd.concat([training, rows], ignore_index=True), asked.columns)
        spec = core.fit(both.iloc[:4], asked, {})
        specs.append(spec.to_json())
        matrices.append(core.apply(spec, both).iloc[:4])
    assert specs[0] == specs[1]
    pd.testing.assert_frame_equal(*matrices)


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=6),
    st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=6),
)
def test_the_spec_comes_back_from_json_exactly(numbers: list[float], levels: list[str]) -> None:
    asked = features(2, z=feature("number", missing=-1), a=feature("category", "k", "no"))
    rows = [(n, "k" + k) for n in numbers for k in levels]
    watched = {"age": sensitive("x", [30, 60.5]), "k": sensitive("k")}
    spec = core.fit(core.derive(frame(rows), asked.columns), asked, watched)
    back = FeatureSpec.from_json(json.loads(json.dumps(spec.to_json(), sort_keys=True)))
    assert back == spec
    assert list(back.columns) == ["z", "a"]  # the order of the matrix, though JSON is sorted
    pd.testing.assert_frame_equal(back.transform(frame(rows)), spec.transform(frame(rows)))


def test_audit_counts_what_had_to_be_handled() -> None:
    asked = features(2, n=feature("number"), c=feature("category", "k"))
    training = frame([(1.0, "a"), (5.0, "a"), (3.0, "rare")])
    spec = core.fit(core.derive(training, asked.columns), asked, {})
    scored = core.derive(
        frame([(0.0, "a"), (6.0, "rare"), (None, "new"), (math.inf, None)]), asked.columns
    )
    assert core.audit(spec, scored) == {
        "n": {"missing": 2, "out_of_range": 2},
        "c": {"missing": 1, "rare_or_unseen": 2},
    }


# groups


def test_a_bin_starts_at_its_lower_edge() -> None:
    raw = pd.DataFrame({"x": [29.9, 30, 59.9, 60, -5, 1e9]})
    found = core.groups(raw, {"age": sensitive(bins=[30, 60])})["age"].tolist()
    young, middle, old = "under 30", "30 to under 60", "60 and over"
    assert found == [young, middle, middle, old, young, old]


def test_people_without_a_value_are_a_group_of_their_own() -> None:
    raw = pd.DataFrame({"x": [20, None, "?"], "k": ["m", None, np.nan]})
    found = core.groups(raw, {"age": sensitive("x", [30]), "sex": sensitive("k")})
    assert found["age"].tolist() == ["under 30", MISSING, MISSING]
    assert found["sex"].tolist() == ["m", MISSING, MISSING]


def test_raw_columns_are_those_of_features_and_groups_once_each() -> None:
    columns = {"a": feature("number", "x"), "b": feature("category", "x")}
    watched = {"age": sensitive("age", [30]), "x": sensitive("x")}
    assert core.raw_columns(columns, watched) == ["age", "x"]


def test_a_missing_sensitive_column_is_named() -> None:
    with pytest.raises(InputError, match="age"):
        core.groups(pd.DataFrame({"x": [1]}), {"g": sensitive("age", [30])})


@pytest.mark.parametrize("bins", [[60, 30], [], [30, 30], [30, math.nan]])
def test_bins_that_do_not_rise_are_refused(bins: list[float]) -> None:
    with pytest.raises(ValidationError):
        Sensitive.model_validate({"from": "age", "bins": bins})


def test_every_bin_has_a_name_of_its_own() -> None:
    raw = pd.DataFrame({"x": [1_000_000, 1_000_002, 1_000_004, 1_000_006]})
    bins = [1_000_001, 1_000_003, 1_000_005]
    assert core.groups(raw, {"income": sensitive(bins=bins)})["income"].nunique() == 4


# in one go


@given(train=ROWS, later=ROWS)
def test_the_matrix_in_one_go_is_that_of_each_rows_text(train: Rows, later: Rows) -> None:
    derived_rows = core.derive(frame([*train, (0.0, "b")]), MIXED.columns)
    spec = core.fit(derived_rows, MIXED, {})
    for rows in (later, []):
        for raw in (frame(rows), frame(rows).astype({"k": "category"})):
            each = core.derive(raw, spec.columns)
            found, handled = spec.handle(raw)
            pd.testing.assert_frame_equal(found, core.apply(spec, each))
            assert handled == core.audit(spec, each)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, None],
        [True, None],
        [pd.Timestamp("2020-01-01"), None],
        pd.Series([0.1, 2.0], dtype="float32"),
        pd.Series([1, None], dtype="Int64"),
        pd.Series([2, 1], dtype="category"),
        [None, None],
        [],
    ],
)
def test_text_of_a_column_is_the_text_of_its_values(values: Any) -> None:
    column = pd.Series(values)
    expected = [None if pd.isna(v) else core.level_of(v) for v in column]
    if column.dtype == "float32":
        expected = ["0.1", "2"]
    assert core.text_of(column).tolist() == expected
