"""Features: what is learned from training rows, and how rows that differ from them are handled."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.dataset import features as core
from perennial.core.dataset.features import OTHER, FeatureSpec
from perennial.errors import InputError

from .planted import feature, features, sensitive
from .raw_rows import MIXED, frame


def fitted(values: Any, kind: str = "category", rare_below: int = 0) -> FeatureSpec:
    asked = features(rare_below, f=feature(kind))
    return core.fit(core.derive(pd.DataFrame({"x": values}), asked.columns), asked, {})


def coded(spec: FeatureSpec, values: Any) -> list[Any]:
    found = spec.transform(pd.DataFrame({"x": values}))["f"]
    return [None if pd.isna(value) else value for value in found]


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
