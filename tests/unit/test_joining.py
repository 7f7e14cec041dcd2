"""Labels joined to rows by key, and the contract of rows without them."""

import pandas as pd
import pytest

from perennial.core.incoming import joining
from perennial.core.incoming.joining import Joined

BATCH = pd.DataFrame({"id": list("abcd"), "x": [1, 2, 3, 4]})
LABELS = pd.DataFrame({"id": list("dbca"), "y": ["no", "yes", "no", "yes"]})


def join(batch: pd.DataFrame, labels: pd.DataFrame | None, min_share: float = 0.5) -> Joined:
    return joining.join(batch, labels, "id", "y", min_share)


def test_each_row_gets_the_label_of_its_key_whatever_the_order() -> None:
    joined = join(BATCH, LABELS)
    assert joined.rows is not None
    assert joined.rows["y"].tolist() == ["yes", "yes", "no", "no"]
    assert joined.rows[["id", "x"]].equals(BATCH)
    assert joined.why is None


def test_rows_without_a_label_are_left_out_and_counted_and_strange_keys_set_aside() -> None:
    labels = pd.concat([LABELS.iloc[:3], pd.DataFrame({"id": ["q", "r"], "y": ["no", "no"]})])
    joined = join(BATCH, labels)
    assert joined.rows is not None
    assert joined.rows["id"].tolist() == ["b", "c", "d"]
    counts = {"rows": 4, "matched": 3, "unlabelled": 1, "unknown_keys": 2, "duplicate_keys": 0}
    assert joined.counts == counts


def test_a_null_label_is_no_label() -> None:
    joined = join(BATCH, LABELS.assign(y=["no", None, "no", "yes"]))
    assert (joined.counts["matched"], joined.counts["unlabelled"]) == (3, 1)


@pytest.mark.parametrize(("min_share", "used"), [(0.75, True), (0.76, False)])
def test_labels_wait_until_they_are_enough(min_share: float, used: bool) -> None:
    joined = join(BATCH, LABELS.iloc[:3], min_share)
    assert (joined.rows is not None, joined.why is None) == (used, used)


def test_a_label_said_twice_is_one_and_said_differently_is_none() -> None:
    again = pd.concat([LABELS, LABELS.iloc[:1]])
    joined = join(BATCH, again)
    assert joined.rows is not None
    assert (len(joined.rows), joined.counts["duplicate_keys"]) == (4, 1)
    unlike = join(BATCH, pd.concat([LABELS, LABELS.iloc[:1].assign(y="yes")]))
    assert unlike.rows is None
    assert unlike.why == "keys have different labels, such as d"


def test_labels_without_a_key_are_not_used() -> None:
    joined = join(BATCH, LABELS.assign(id=["a", None, "c", "d"]))
    assert (joined.rows, joined.why) == (None, "1 labels have no id")


def test_keys_of_another_type_are_named() -> None:
    numbers = BATCH.assign(id=[1, 2, 3, 4])
    joined = join(numbers, LABELS.assign(id=["1", "2", "3", "4"]))
    assert joined.rows is None
    assert "id is int64 in the batch and" in str(joined.why)


def test_a_whole_number_stays_one_though_rows_have_no_label() -> None:
    joined = join(BATCH, LABELS.assign(y=[0, 1, 0, 1]).iloc[:3])
    assert joined.rows is not None
    assert joined.rows["y"].dtype == "int64"


def test_a_row_without_a_key_gets_no_label_and_two_of_them_are_no_fault() -> None:
    batch = BATCH.assign(id=["a", "b", None, None])
    assert joining.key_faults(batch, "id") == []
    assert join(batch, LABELS).counts["unlabelled"] == 2


def test_keys_that_rows_share_are_a_fault_with_count_and_examples() -> None:
    (fault,) = joining.key_faults(BATCH.assign(id=list("aabc")), "id")
    assert (fault["unexpected_count"], fault["unexpected_percent"]) == (2, 50.0)
    assert fault["examples"] == ["a"]
    (missing,) = joining.key_faults(BATCH, "number")
    assert missing["expectation"] == "key_is_there"


def test_the_contract_without_the_target_asks_everything_else() -> None:
    chosen = {"type": "comparison", "column": {"name": "y"}, "operator": "==", "parameter": 1}
    both = {"type": "and", "conditions": [chosen]}
    expected = [
        {"type": "set", "kwargs": {"column_set": ["x", "y"]}},
        {"type": "list", "kwargs": {"column_list": ["x", "y"]}},
        {"type": "x", "kwargs": {"column": "x"}, "meta": {"rule": "x"}},
        {"type": "y", "kwargs": {"column": "y"}},
        {"type": "pair", "kwargs": {"column_A": "x", "column_B": "y"}},
        {"type": "if", "kwargs": {"column": "x", "row_condition": chosen}},
        {"type": "ifs", "kwargs": {"column": "x", "row_condition": both}},
    ]
    assert joining.without(expected, "y") == [
        {"type": "set", "kwargs": {"column_set": ["x"]}},
        {"type": "x", "kwargs": {"column": "x"}, "meta": {"rule": "x"}},
    ]
    assert joining.without(expected, "z") == expected
