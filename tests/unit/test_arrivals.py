"""What shows only beside other batches: copies, sizes, time zones, names, the order of periods."""

import pandas as pd
import pytest

from perennial.core.dataset.plan import BatchRef
from perennial.core.incoming import arrivals
from perennial.core.incoming.arrivals import Arrival
from perennial.core.monitoring.finding import Known
from perennial.errors import InputError


def arrival(period: str = "2010-09", rows: int = 100, sha256: str = "", zone: str = "") -> Arrival:
    types = {"called": zone} if zone else {}
    return Arrival(period, sha256 or period, rows, types)


def names(this: Arrival, accepted: list[Arrival], largest: float = 10.0) -> list[str]:
    found = arrivals.faults(this, accepted, accepted, largest)
    return [fault["expectation"] for fault in found]


@pytest.mark.parametrize(
    "wrong", [("2010-9", "2010-10"), ("w1", "w10", "w2"), ("2010-8", "2010-08"), ("9", "10", "a")]
)
def test_numbers_that_sort_otherwise_as_text_or_come_twice_are_refused(wrong: tuple[str]) -> None:
    with pytest.raises(InputError, match="sort as text"):
        arrivals.require_order(wrong)


@pytest.mark.parametrize(
    "right",
    [
        ("2010-09", "2010-10"),
        ("2010-08", "2010-9"),
        ("2010", "2010-1", "2010-2"),
        ("a", "b10", "c9"),
        ("all",),
        (),
    ],
)
def test_periods_whose_text_sorts_as_their_numbers_are_fine(right: tuple[str, ...]) -> None:
    arrivals.require_order(right)


def test_a_copy_names_the_earliest_it_copies() -> None:
    before = [arrival("a", sha256="x"), arrival("b", sha256="x")]
    (fault,) = arrivals.faults(arrival("c", sha256="x"), before, [], 10.0)
    assert fault["examples"] == ["a"]


def test_the_same_rows_are_a_copy_of_what_was_accepted_only() -> None:
    this, other = Arrival("c", "x", 100, {}, "rows"), Arrival("a", "y", 100, {}, "rows")
    (fault,) = arrivals.faults(this, [other], [other], 10.0)
    assert fault["examples"] == ["a"]
    assert arrivals.faults(this, [other], [], 10.0) == []
    nothing = Arrival("a", "y", 0, {}, None)
    assert arrivals.faults(Arrival("c", "x", 0, {}, None), [nothing], [nothing], 10.0) == []


@pytest.mark.parametrize(("rows", "faulty"), [(1000, []), (1001, ["not_larger_than_usual"])])
def test_a_batch_is_too_large_above_that_many_times_the_largest(
    rows: int, faulty: list[str]
) -> None:
    assert names(arrival(rows=rows), [arrival("a", 100), arrival("b", 7)]) == faulty


def test_one_batch_before_says_nothing_of_what_is_usual() -> None:
    assert names(arrival(rows=10**6), [arrival("a", 1)]) == []


@pytest.mark.parametrize(
    ("zone", "before", "same"),
    [
        ("datetime64[us]", "datetime64[ns]", True),
        ("datetime64[us, UTC]", "datetime64[ns, UTC]", True),
        ("datetime64[us, UTC]", "datetime64[us]", False),
        ("datetime64[us, UTC]", "datetime64[us, Asia/Tokyo]", False),
        ("str", "datetime64[us]", False),
        ("str", "int64", True),
        ("str, times with Z", "str, times with Z", True),
        ("str, times with Z", "str, times with +02:00", False),
        ("str, times with Z", "datetime64[us, UTC]", False),
    ],
)
def test_only_what_is_a_time_has_a_zone_to_keep(zone: str, before: str, same: bool) -> None:
    found = names(arrival(zone=zone), [arrival("a", zone=before)])
    assert found == ([] if same else ["same_time_zone_as_before"])


EXPECTED = [
    {
        "type": "expect_table_columns_to_match_set",
        "kwargs": {"column_set": ["age", "pay", "job", "note"]},
    },
    {
        "type": "expect_column_values_to_be_in_type_list",
        "kwargs": {"column": "age", "type_list": ["int64"]},
    },
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "age", "min_value": 0, "max_value": 100},
    },
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "pay", "min_value": 1000}},
    {
        "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "job", "value_set": ["a", "b"]},
    },
]
ROWS = pd.DataFrame(
    {"age": [30, 40], "pay": [2000.0, 3000.0], "job": ["a", "b"], "note": ["x", "y"]}
)


@pytest.mark.parametrize("column", ["age", "pay", "job"])
def test_a_column_is_known_by_its_values_whatever_its_new_name(column: str) -> None:
    batch = ROWS.rename(columns={column: "zzz"})
    assert arrivals.renamed(EXPECTED, batch) == {column: "zzz"}


def test_of_two_columns_that_were_renamed_each_gets_its_own() -> None:
    batch = ROWS.rename(columns={"age": "pay_2", "pay": "age_2"})
    assert arrivals.renamed(EXPECTED, batch) == {"age": "pay_2", "pay": "age_2"}


def test_a_column_of_which_nothing_is_expected_is_known_by_its_name_only() -> None:
    assert arrivals.renamed(EXPECTED, ROWS.rename(columns={"note": "notes"})) == {"note": "notes"}
    assert arrivals.renamed(EXPECTED, ROWS.rename(columns={"note": "zzz"})) == {}


def test_a_column_without_values_or_with_others_is_nobody() -> None:
    batch = ROWS.drop(columns=["job", "pay"]).assign(jobs=["c", "d"], pays=[None, None])
    assert arrivals.renamed(EXPECTED, batch) == {}


def test_a_batch_with_every_column_has_none_renamed() -> None:
    assert arrivals.renamed(EXPECTED, ROWS.assign(job_2=ROWS["job"])) == {}


def refs(*periods: str) -> list[BatchRef]:
    return [{"period": period, "sha256": period, "rows": 100} for period in periods]


def test_a_late_batch_is_told_and_never_among_the_newest() -> None:
    """Late is what the champion's plan could have named, had it been there."""
    parts = {
        "train": refs("2010-01"),
        "calibration": refs("2010-03"),
        "holdout": refs("2010-04"),
    }
    plan = {"action": "retrain", "split": {"history": {"kind": "all"}}, "parts": parts}
    all_ = refs("2010-01", "2010-02", "2010-03", "2010-04", "2010-05")
    known = Known(plan, [], all_, all_)
    assert known.late == ["2010-02"]
    assert [ref["period"] for ref in known.newer(known.accepted)] == ["2010-05"]
