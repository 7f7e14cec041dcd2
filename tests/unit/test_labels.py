"""Labels: the target as 0 and 1, and what is said where it can't be."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.dataset import labels
from perennial.errors import InputError
from perennial.params import Target


def binary(values: Any, positive: Any = "yes") -> list[int]:
    target = Target(column="y", positive=positive)
    return labels.binary(pd.DataFrame({"y": values}), target, "2020-01").tolist()


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["yes", "no", "yes"], "yes"),
        ([1, 0, 1], 1),
        ([1.0, 0.0, 1.0], 1),
        ([True, False, True], True),
        (pd.Categorical(["yes", "no", "yes"]), "yes"),
        (pd.array([1, 0, 1], dtype="Int64"), 1),
        (pd.array(["yes", "no", "yes"], dtype="string"), "yes"),
        ([5, -3, 5], 5),
    ],
)
def test_the_positive_value_is_1_and_the_other_0(values: Any, positive: Any) -> None:
    assert binary(values, positive) == [1, 0, 1]


def test_one_class_alone_is_read_as_it_is() -> None:
    assert binary(["no", "no"]) == [0, 0]
    assert binary(["yes"]) == [1]


def test_a_missing_target_column_is_named_with_its_period() -> None:
    with pytest.raises(InputError, match=r"2020-01: column y: missing"):
        labels.binary(pd.DataFrame({"x": [1]}), Target(column="y", positive="yes"), "2020-01")


def test_nulls_in_the_target_are_counted_and_the_first_rows_named() -> None:
    with pytest.raises(InputError) as caught:
        binary(["yes", None, "no", None])
    assert "2 nulls" in caught.value.faults[0]
    assert "1, 3" in caught.value.faults[0]


def test_a_third_value_is_named() -> None:
    with pytest.raises(InputError) as caught:
        binary(["yes", "no", "maybe"])
    assert "2020-01" in caught.value.faults[0]
    assert "maybe, no" in caught.value.faults[0]


@pytest.mark.parametrize(
    ("values", "positive"), [(["1", "0"], 1), ([1, 0], "1"), (["Yes", "no"], "yes")]
)
def test_a_positive_value_of_another_type_or_spelling_is_not_taken_for_all_negative(
    values: list[Any], positive: Any
) -> None:
    with pytest.raises(InputError, match="besides"):
        binary(values, positive)


def test_one_class_only_is_refused_with_the_part_and_its_rows() -> None:
    labels.require_both(np.array([0, 1]), "training")
    with pytest.raises(InputError) as caught:
        labels.require_both(np.zeros(1234, dtype="int64"), "holdout")
    assert "holdout" in caught.value.faults[0]
    assert "1,234" in caught.value.faults[0]
