"""Rows as the champion sees them."""

import numpy as np
import pandas as pd

from perennial.core.drift.rows import view

from .monitored import champion, rows


def test_rows_that_are_taken_keep_all_that_is_known_of_them() -> None:
    raw, target = rows(50, 1)
    raw["who"] = [f"p{number // 2}" for number in range(50)]
    chosen = np.array([7, 3, 3])
    some = view(champion(), raw, target, "who").take(chosen)
    again = view(champion(), raw.iloc[chosen].reset_index(drop=True), target[chosen], "who")
    pd.testing.assert_frame_equal(some.derived, again.derived)
    pd.testing.assert_frame_equal(some.features, again.features)
    for name in ("margin", "probability", "decision", "target", "key"):
        assert np.array_equal(getattr(some, name), getattr(again, name)), name
    assert list(some.key) == ["p3", "p1", "p1"]


def test_without_the_column_of_the_key_nobody_is_known() -> None:
    raw, target = rows(5, 1)
    assert view(champion(), raw, target, "who").key is None
    assert view(champion(), raw, target).key is None
