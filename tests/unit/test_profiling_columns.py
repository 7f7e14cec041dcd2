"""Columns: what kind each is, by what its values say."""

import numpy as np
import pandas as pd
import pytest

from perennial.core.profiling.columns import (
    distinct_names,
    feature_name,
    recognise,
    sentinel,
    words,
)


def of(*values: str, **how: bool) -> tuple[str, list]:
    found = recognise(pd.Series(values, dtype="str"), "x", **how)
    return found.kind, found.cells.tolist()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (("1,234.5", "2", "3,000"), [1234.5, 2.0, 3000.0]),
        (("12 %", "3 %"), [12, 3]),
        (("$3", "$4.50"), [3.0, 4.5]),
        (("€ 7", "8 EUR"), [7, 8]),
        (("1.234,5", "7,25"), [1234.5, 7.25]),
        (("1 234,5", "12"), [1234.5, 12.0]),
        (("(3)", "4"), [-3, 4]),
        (("-1e3", "5"), [-1000, 5]),
        (("5", "6"), [5, 6]),
    ],
)
def test_numbers_are_read_as_people_write_them(written: tuple[str], read: list[float]) -> None:
    assert of(*written) == ("number", read)


def test_a_comma_that_could_be_either_follows_the_delimiter() -> None:
    assert of("1,234", "5,678") == ("number", [1234, 5678])
    assert of("1,234", "5,678", comma_is_decimal=True) == ("number", [1.234, 5.678])


def test_infinite_and_nothing_are_missing() -> None:
    kind, cells = of("1", "inf", "NaN", "", "N/A", "?", "2")
    assert kind == "number"
    assert np.isnan(cells[1:6]).all()


def test_a_few_words_among_numbers_are_missing_and_said() -> None:
    found = recognise(pd.Series([*map(str, range(60)), "not asked"], dtype="str"), "x")
    assert found.kind == "number"
    assert found.cells.isna().sum() == 1
    assert any("not asked" in said for said in found.said)


def test_many_words_among_numbers_make_a_category() -> None:
    assert of("1", "2", "three", "four") == ("category", ["1", "2", "three", "four"])


def test_leading_zeros_make_a_code() -> None:
    assert of("01234", "99999") == ("category", ["01234", "99999"])


def test_a_number_called_a_postcode_is_a_code() -> None:
    found = recognise(pd.Series([10115, 80331]), "zipCode")
    assert (found.kind, found.cells.tolist()) == ("category", ["10115", "80331"])


@pytest.mark.parametrize("value", ["E11.9", "Y", "none", "a1"])
def test_codes_and_words_are_categories(value: str) -> None:
    assert of(value, "I10") == ("category", [value, "I10"])


@pytest.mark.parametrize(
    ("written", "days"),
    [
        (("2024-01-02", "2024-03-04T05:06:07"), ["2024-01-02", "2024-03-04"]),
        (("13/01/2024", "01/02/2024"), ["2024-01-13", "2024-02-01"]),
        (("01/13/2024", "02/01/2024"), ["2024-01-13", "2024-02-01"]),
        (("Jan 5, 2024", "2024-01-03", "5.3.2024"), ["2024-01-05", "2024-01-03", "2024-03-05"]),
        (("20240131", "20240201"), ["2024-01-31", "2024-02-01"]),
        (("2024-01-01T00:30:00+02:00", "2024-01-02"), ["2023-12-31", "2024-01-02"]),
    ],
)
def test_dates_are_read_in_one_format_or_several(written: tuple[str], days: list[str]) -> None:
    found = recognise(pd.Series(written, dtype="str"), "x")
    assert found.kind == "date"
    assert found.cells.dt.strftime("%Y-%m-%d").tolist() == days


def test_it_is_said_where_day_and_month_could_be_the_other_way_round() -> None:
    found = recognise(pd.Series(["1/2/2024", "3/4/2024"], dtype="str"), "x")
    assert any("other way round" in said for said in found.said)
    sure = recognise(pd.Series(["1/2/2024", "23/4/2024"], dtype="str"), "x")
    assert not any("other way round" in said for said in sure.said)


def test_a_column_without_any_value_is_no_crash() -> None:
    assert recognise(pd.Series(["", "NA"], dtype="str"), "x").cells.isna().all()


def test_space_around_text_is_taken_off() -> None:
    assert of(" a", "a ", "b") == ("category", ["a", "a", "b"])


def test_a_number_that_stands_for_nothing_is_found() -> None:
    rng = np.random.default_rng(0)
    ages = pd.Series(rng.integers(18, 80, 500).astype(float))
    assert sentinel(ages) is None
    ages[::20] = 999
    assert sentinel(ages) == 999
    days = pd.Series(np.where(rng.random(500) < 0.5, -1.0, rng.integers(0, 400, 500)))
    assert sentinel(days) == -1
    balanced = pd.Series(rng.integers(-9, 10, 500).astype(float))
    assert sentinel(balanced) is None


def test_names_are_made_distinct_and_it_is_said() -> None:
    names, told = distinct_names(["a", "a", "", " b  c\x1b[2J"])
    assert names == ["a", "a (2)", "column 3", "b c [2J"]
    assert {"a (2)", "column 3"} <= set(told)


@pytest.mark.parametrize("name", ["a<b", "x [cm]", "größe", "a.b c", "{x}", "日本", "???"])
def test_names_of_features_are_such_that_xgboost_and_files_take_them(name: str) -> None:
    found = feature_name(name, {"a_b"})
    assert found
    assert not set(found) & set("[]<>{}. /\\?")
    assert found != "a_b"


def test_words_of_a_name() -> None:
    assert words("zipCode_2") == ["zip", "code", "2"]
