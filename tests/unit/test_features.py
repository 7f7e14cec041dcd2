"""Features: what one row becomes, alone or among others, and which groups it belongs to."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perennial.core.dataset import features as core
from perennial.core.dataset.features import MISSING
from perennial.errors import InputError
from perennial.params import Sensitive

from .planted import feature, sensitive
from .raw_rows import MIXED, ROWS, Rows, frame


def derived(values: Any, kind: str, missing: Any = None) -> list[Any]:
    """Return what one column becomes, with None for missing."""
    raw = pd.DataFrame({"x": values})
    found = core.derive(raw, {"f": feature(kind, missing=missing)})["f"]
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


def test_a_year_that_stands_for_no_end_is_a_number_too() -> None:
    assert derived(np.array(["9999-12-31"], "datetime64[us]"), "number") == [253402214400.0]


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
