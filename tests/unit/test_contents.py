"""What of a batch's rows is compared with other batches."""

import pandas as pd
import pytest

from perennial.core.incoming import contents

ROWS = pd.DataFrame({"a": [1, 2, 2], "b": ["x", "y", "y"], "c": [0.5, None, 1.5]})


@pytest.mark.parametrize(
    "same",
    [
        ROWS.iloc[::-1],
        ROWS[["c", "a", "b"]],
        ROWS.astype({"b": "category"}),
        ROWS.astype({"b": object}),
        ROWS.assign(d=None),
        ROWS.set_axis([5, 6, 7]),
    ],
    ids=["rows", "columns", "category", "object", "an empty column", "an index"],
)
def test_the_same_rows_have_one_digest_however_they_are_written(same: pd.DataFrame) -> None:
    assert contents.rows_digest(same) == contents.rows_digest(ROWS)


@pytest.mark.parametrize(
    "other",
    [
        ROWS.iloc[:2],
        pd.concat([ROWS, ROWS.iloc[:1]]),
        ROWS.assign(a=[1, 2, 3]),
        ROWS.assign(b=["x", "y", None]),
        ROWS.rename(columns={"a": "z"}),
        ROWS.assign(b=["y", "x", "y"]),
        ROWS.assign(d=1),
    ],
    ids=["fewer", "one twice", "a value", "a null", "a name", "values crossed", "a column more"],
)
def test_other_rows_have_another_digest(other: pd.DataFrame) -> None:
    assert contents.rows_digest(other) != contents.rows_digest(ROWS)


def test_a_zone_is_part_of_a_time() -> None:
    """Row hashes see the moment only, and 8 o'clock somewhere is not 8 o'clock in UTC."""
    times = pd.DataFrame({"t": pd.date_range("2010-01-01", periods=3)})
    assert contents.rows_digest(times) != contents.rows_digest(
        times.assign(t=times["t"].dt.tz_localize("UTC"))
    )


def test_rows_of_lists_have_a_digest_too_and_no_rows_have_none() -> None:
    lists = pd.DataFrame({"a": [[1, 2], [3]]})
    assert contents.rows_digest(lists) == contents.rows_digest(lists.iloc[::-1])
    assert contents.rows_digest(lists) != contents.rows_digest(lists.iloc[:1])
    assert contents.rows_digest(ROWS.iloc[:0]) is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["2010-08-01T10:00:00Z", "2010-08-01 10:00+02:00"], "str, times with +02:00 and Z"),
        (["20100801T1000-0530", None], "str, times with -0530"),
        (["2010-08-01 10:00:00.123", "2010-08-01T10:00"], "str, times with no offset"),
        (["2010-08-01T10:00Z", "unknown"], "str"),
        (["2010-08-01", "2010-08-02"], "str"),
        (["blue", "2010-08-01T10:00Z"], "str"),
        ([None, None], "object"),
    ],
)
def test_text_of_times_is_told_by_its_offsets_and_other_text_is_text(
    values: list[str | None], told: str
) -> None:
    frame = pd.DataFrame({"called": values, "other": 1})
    assert contents.types(frame, {"called"}) == {"called": told}
