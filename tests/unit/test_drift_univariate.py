"""All tests of each column: the right ones, one column at a time, quietly at every edge."""

import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.drift import result, univariate
from perennial.core.drift.univariate import Column, Kind

NUMBER = ["ks", "wasserstein", "psi"]
CATEGORY = ["chi_square", "jensen_shannon", "psi", "new_levels", "vanished_levels"]
KINDS = pytest.mark.parametrize("kind", ["number", "category"])


def values(kind: Kind, rows: int, seed: int) -> pd.Series:
    random = np.random.default_rng(seed)
    if kind == "number":
        return pd.Series(random.normal(size=rows))
    return pd.Series(random.choice(["a", "b", "c"], rows), dtype=object)


def found(kind: Kind, reference: pd.Series, current: pd.Series) -> dict[str, result.Test]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tests = univariate.tests("x", kind, reference, current, 10)
    assert all(np.isfinite([t.statistic, t.effect]).all() for t in tests)
    return {test.name: test for test in tests}


@KINDS
def test_a_column_has_the_tests_of_its_kind(kind: Kind) -> None:
    tests = found(kind, values(kind, 500, 0), values(kind, 300, 1))
    assert list(tests) == (NUMBER if kind == "number" else CATEGORY)


@KINDS
def test_missing_values_are_a_test_of_their_own_and_leave_the_others_alone(kind: Kind) -> None:
    reference, current = values(kind, 1000, 0), values(kind, 500, 1)
    plain = found(kind, reference, current.iloc[250:])
    tests = found(kind, reference, current.where(np.arange(500) >= 250))
    assert tests.pop("missing").effect == pytest.approx(0.5)
    assert tests == plain


@KINDS
@pytest.mark.parametrize("empty", [0, 1])
def test_a_column_all_missing_on_one_side_is_judged_on_that_alone(kind: Kind, empty: int) -> None:
    pair = [values(kind, 500, 0), values(kind, 300, 1)]
    pair[empty] = pair[empty].where(pair[empty].isna())
    tests = found(kind, *pair)
    assert list(tests) == ["missing"]
    assert tests["missing"].effect == 1
    assert tests["missing"].p_value < 1e-50  # type: ignore[operator]


@KINDS
@pytest.mark.parametrize("dtype", ["float64", object])
def test_a_column_all_missing_on_both_sides_has_not_drifted(kind: Kind, dtype: Any) -> None:
    tests = found(kind, *(pd.Series([np.nan] * n, dtype=dtype) for n in (500, 300)))
    assert list(tests) == ["missing"]
    assert (tests["missing"].p_value, tests["missing"].effect) == (1, 0)


@KINDS
def test_a_constant_has_not_drifted(kind: Kind) -> None:
    value = 3.5 if kind == "number" else "a"
    tests = found(kind, *(pd.Series([value] * n) for n in (500, 300)))
    assert all(test.effect == 0 and test.p_value in (1, None) for test in tests.values())


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "bool"])
def test_numbers_of_any_type_are_the_same_numbers(dtype: str) -> None:
    reference, current = pd.Series([0, 1, 1, 0] * 50), pd.Series([1, 1, 1, 0] * 50)
    plain = found("number", reference.astype("float64"), current.astype("float64"))
    assert found("number", reference.astype(dtype), current.astype(dtype)) == plain


def test_a_missing_value_of_a_nullable_type_is_missing() -> None:
    tests = found("number", pd.Series([1, 2, None], dtype="Int64"), pd.Series([1, 2, 3]))
    assert tests["missing"].effect == pytest.approx(1 / 3)


@KINDS
def test_a_side_without_rows_is_named(kind: Kind) -> None:
    with pytest.raises(ValueError, match="x: 500 reference rows and 0 current rows"):
        univariate.tests("x", kind, values(kind, 500, 0), values(kind, 0, 0), 10)


def columns(count: int) -> Iterator[Column]:
    for i in range(count):
        kind: Kind = "number" if i % 2 else "category"
        pair = values(kind, 400, i), values(kind, 300, i + 50)
        yield Column(f"c{i}", kind, lambda pair=pair: pair)


def test_columns_come_back_in_their_order_whatever_the_number_of_threads() -> None:
    one, two = (univariate.run(columns(9), 10, threads) for threads in (1, 2))
    assert one == two
    assert list(dict.fromkeys(test.feature for test in one)) == [f"c{i}" for i in range(9)]


def test_no_more_columns_than_threads_are_in_memory_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that a table may be larger than memory: each is read when its turn comes."""
    lock, alive, most = threading.Lock(), 0, 0
    whole = univariate.tests

    def read() -> tuple[pd.Series, pd.Series]:
        nonlocal alive, most
        with lock:
            alive, most = alive + 1, max(most, alive + 1)
        return values("number", 2000, 0), values("number", 2000, 1)

    def counted(*arguments: Any, **named: Any) -> list[result.Test]:
        nonlocal alive
        found = whole(*arguments, **named)
        with lock:
            alive -= 1
        return found

    monkeypatch.setattr(univariate, "tests", counted)
    univariate.run((Column(f"c{i}", "number", read) for i in range(12)), 10, 2)
    assert 1 <= most <= 2
