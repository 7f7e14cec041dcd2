"""Batches that arrive with times in them: of which zone, and whether it is the one of before.

docs/faults-of-data.md is the table of what is proven here.
"""

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.integration.months import Frame, good, only_failure, project, report

from perennial import paths
from perennial.stages.validate import validate

pytestmark = pytest.mark.usefixtures("empty_folder")
TIMES = pd.Series(pd.date_range("2010-08-01", periods=260, freq="h"))


def expect_times(type_: str) -> None:
    """Have the contract of the current folder ask for a column `called` of that type."""
    path = paths.EXPECTATIONS / "batch.json"
    suite = json.loads(path.read_text(encoding="utf-8"))
    suite["expectations"].append(
        {
            "type": "expect_column_values_to_be_of_type",
            "kwargs": {"column": "called", "type_": type_},
            "meta": {"rule": f"called is a {type_}"},
        }
    )
    path.write_text(json.dumps(suite), encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (TIMES.dt.tz_localize("UTC"), TIMES, "datetime64[us]"),
        (TIMES, TIMES.dt.tz_localize("UTC"), "datetime64[us, UTC]"),
        (TIMES.dt.tz_localize("UTC"), TIMES.dt.tz_localize("Asia/Tokyo"), "Asia/Tokyo"),
        (
            TIMES,
            TIMES.astype(str) + "+02:00",
            "is str, times with +02:00, where 2010-08 has datetime64[us]",
        ),
    ],
    ids=["naive after UTC", "UTC after naive", "another zone", "text with an offset"],
)
def test_another_time_zone_than_before_is_quarantined_with_both_types_named(
    before: pd.Series, after: pd.Series, told: str
) -> None:
    project(
        Path(),
        {
            "2010-08": good().assign(called=before.astype(before.dtype)),
            "2010-09": good().iloc[::-1].assign(called=after),
            "2010-10": good().iloc[:200].assign(called=before),
        },
        "quarantine",
    )
    asks_only_that_it_is_there()
    validate()
    found = report(Path())
    failure = only_failure(found["2010-09"])
    assert (failure["expectation"], failure["column"]) == ("same_time_zone_as_before", "called")
    assert told in failure["note"]
    assert "where 2010-08 has datetime64[" in failure["note"]
    assert found["2010-10"]["success"], "it is compared with the last that was accepted"


def test_text_whose_times_have_several_offsets_is_quarantined_with_each_named() -> None:
    text = TIMES.astype(str)
    mixed = (text + "+02:00").where(text.index < 130, text + "Z")
    data: dict[str, Frame | Path | bytes] = {
        "2010-08": good().assign(called=text + "Z"),
        "2010-09": good().iloc[1:].assign(called=mixed),
        "2010-10": good().iloc[2:].assign(called=text + "+01:00"),
        "2010-11": good().iloc[3:].assign(called=text + "Z"),
    }
    project(Path(), data, "quarantine")
    asks_only_that_it_is_there()
    validate()
    found = report(Path())
    assert [f["expectation"] for f in found["2010-09"]["failures"]] == [
        "one_time_zone",
        "same_time_zone_as_before",
    ]
    assert found["2010-09"]["failures"][0]["examples"] == ["+02:00", "Z"]
    assert only_failure(found["2010-10"])["note"] == (
        "called: is str, times with +01:00, where 2010-08 has str, times with Z"
    )
    assert found["2010-11"]["success"]


def asks_only_that_it_is_there() -> None:
    """Have the contract of the current folder ask for a column `called`, of whatever type."""
    path = paths.EXPECTATIONS / "batch.json"
    suite = json.loads(path.read_text(encoding="utf-8"))
    (there,) = (e for e in suite["expectations"] if "column_set" in e["kwargs"])
    there["kwargs"]["column_set"].append("called")
    path.write_text(json.dumps(suite), encoding="utf-8")


def test_the_unit_of_a_time_is_no_zone() -> None:
    data: dict[str, Frame | Path | bytes] = {
        "2010-08": good().assign(called=TIMES.astype("datetime64[ns]")),
        "2010-09": good().iloc[::-1].assign(called=TIMES.astype("datetime64[ms]")),
    }
    project(Path(), data, "quarantine")
    asks_only_that_it_is_there()
    validate()
    assert report(Path())["2010-09"]["success"]


@pytest.mark.parametrize(
    ("asked", "good_one", "wrong", "found"),
    [
        ("datetime64", TIMES, TIMES.dt.tz_localize("UTC"), "Timestamp"),
        ("Timestamp", TIMES.dt.tz_localize("UTC"), TIMES, "datetime64"),
        ("Timestamp", TIMES.dt.tz_localize("UTC"), TIMES.astype(str) + "+02:00", "str"),
    ],
    ids=["a zone", "no zone", "text"],
)
def test_the_contract_tells_times_with_a_zone_from_those_without_and_from_text(
    asked: str, good_one: pd.Series, wrong: pd.Series, found: str
) -> None:
    data = {"2010-08": good().assign(called=wrong), "2010-09": good().assign(called=good_one)}
    project(Path(), data, "quarantine")
    expect_times(asked)
    validate()
    entries = report(Path())
    assert (
        f"found {found}, against “called is a {asked}”" in only_failure(entries["2010-08"])["note"]
    )
    assert entries["2010-09"]["success"], "what was set aside is no measure of what is usual"
