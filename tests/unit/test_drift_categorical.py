"""Tests of a category: counts whatever the column's type, and levels that came or went."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.drift import categorical, result


def drawn(levels: int, n: int, m: int, random: np.random.Generator) -> np.ndarray:
    """Counts of two draws from few common levels and many rare ones."""
    shares = 1 / np.arange(1, levels + 1)
    shares /= shares.sum()
    return np.array([random.multinomial(n, shares), random.multinomial(m, shares)])


def found(table: list[list[int]]) -> dict[str, result.Test]:
    return {test.name: test for test in categorical.tests("x", np.array(table))}


@pytest.mark.parametrize("dtype", [object, "str", "category", "string"])
def test_levels_are_counted_by_name_whatever_the_type_of_the_column(dtype: Any) -> None:
    levels, absent = categorical.count(pd.Series(["b", "a", None, "b"], dtype=dtype))
    assert levels.to_dict() == {"a": 1, "b": 2}
    assert absent == 1


def test_a_level_that_no_row_has_is_none() -> None:
    column = pd.Series(pd.Categorical(["a", "a"], categories=["a", "b"]))
    assert categorical.count(column)[0].to_dict() == {"a": 2}


def test_missing_values_of_two_kinds_are_counted_together() -> None:
    column = pd.Series([None, np.nan, "a", pd.NA], dtype=object)
    assert categorical.count(column)[1] == 3


@pytest.mark.parametrize("dtype", ["float64", object, "category"])
def test_a_column_that_is_all_missing_has_no_level(dtype: Any) -> None:
    levels, absent = categorical.count(pd.Series([np.nan] * 3, dtype=dtype))
    assert (len(levels), absent) == (0, 3)


def test_a_number_and_its_text_are_one_level() -> None:
    pair = [categorical.count(pd.Series(values))[0] for values in ([1, 2, 2], ["2", "1"])]
    assert categorical.table_of(*pair).tolist() == [[1, 2], [1, 1]]


def test_a_number_beside_its_text_in_one_column_is_one_level_too() -> None:
    assert categorical.count(pd.Series([1, "1", "2"], dtype=object))[0].to_dict() == {
        "1": 2,
        "2": 1,
    }


def test_levels_of_either_side_are_in_the_table() -> None:
    pair = [categorical.count(pd.Series(list(text)))[0] for text in ("aab", "bc")]
    assert categorical.table_of(*pair).tolist() == [[2, 1, 0], [0, 1, 1]]


def test_new_and_vanished_levels_are_the_shares_of_their_rows() -> None:
    tests = found([[900, 100, 0, 0], [900, 0, 60, 40]])
    assert tests["new_levels"].effect == pytest.approx(0.1)
    assert tests["vanished_levels"].effect == pytest.approx(0.1)
    for name in ("new_levels", "vanished_levels"):
        assert tests[name].p_value < 1e-9, name  # type: ignore[operator]


def test_no_level_that_came_or_went_is_no_drift() -> None:
    tests = found([[500, 500], [250, 250]])
    for name in ("new_levels", "vanished_levels"):
        assert (tests[name].effect, tests[name].p_value) == (0, 1)


def test_the_chance_of_one_new_level_is_that_of_such_a_draw() -> None:
    """Three rows all among 500 of 1,500: (1/3)³ or a little more, as it is a bound."""
    test = categorical.new_levels("x", np.array([[1000, 0], [497, 3]]))
    assert 1 / 27 * 0.99 < test.p_value < 3 / 27  # type: ignore[operator]


@pytest.mark.parametrize("levels", [5, 100, 3000])
@pytest.mark.parametrize("name", ["new_levels", "vanished_levels"])
def test_rare_levels_come_and_go_without_drift_and_p_values_stay_honest(
    name: str, levels: int
) -> None:
    """A bound: p-values below 5 % come in at most about 5 % of draws, however many are new."""
    random = np.random.default_rng(0)
    tests = [getattr(categorical, name)("x", drawn(levels, 2000, 500, random)) for _ in range(200)]
    assert np.mean([(test.p_value or 0) < 0.05 for test in tests]) <= 0.08
    if levels == 3000:
        assert np.mean([test.effect for test in tests]) > 0.05, "many levels are new by chance"


def test_names_that_never_repeat_have_not_drifted() -> None:
    random = np.random.default_rng(0)
    sides = [pd.Series(random.permutation(100_000)[:n] + n * 10**6) for n in (2000, 1000)]
    table = categorical.table_of(*(categorical.count(side)[0] for side in sides))
    tests = categorical.tests("x", table)
    assert table.shape == (2, 3000)
    assert all((test.p_value or 0) > 0.05 for test in tests), tests


def test_a_new_level_among_many_rare_ones_is_still_seen() -> None:
    table = drawn(300, 2000, 500, np.random.default_rng(1))
    before = categorical.new_levels("x", table)
    after = categorical.new_levels("x", np.column_stack([table, [0, 60]]))
    assert (before.p_value or 0) > 0.05
    assert (after.p_value or 0) < 1e-6


def test_rare_levels_of_few_rows_look_like_no_effect() -> None:
    """Plain Cramér's V of 30 levels on 2 × 100 rows is about √(29 / 200) = 0.38 for noise only."""
    plain, corrected = [], []
    for random in np.random.default_rng(0).spawn(50):
        table = np.array([random.multinomial(100, np.full(30, 1 / 30)) for _ in "12"])
        test = found(table.tolist())["chi_square"]
        plain.append(np.sqrt(test.statistic / 200))
        corrected.append(test.effect)
    assert np.mean(plain) > 0.35
    assert np.mean(corrected) < 0.1
