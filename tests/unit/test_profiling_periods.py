"""Periods by name: each row's is what its own time says, and text order is the order of time."""

import numpy as np
import pandas as pd
import pytest

from perennial.core.profiling import periods

SPANS = {  # from one time to another, for years that nanoseconds do not reach too
    "ours": ("1990-01-01", "2030-12-31"),
    "new years": ("2019-12-25", "2022-01-08"),
    "long ago": ("1500-01-01", "1501-06-01"),
}


def times(span: str) -> pd.Series:
    low, high = (np.datetime64(day, "us").astype("int64") for day in SPANS[span])
    drawn = np.random.default_rng(0).integers(low, high, 3000)
    return pd.Series(drawn.astype("datetime64[us]"), index=range(3000, 0, -1))


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("unit", periods.ALIASES)
def test_rows_of_a_period_have_one_name_and_names_sort_as_time_does(span: str, unit: str) -> None:
    own = times(span)
    names = periods.named(own, unit)
    alone = [periods.named(own.iloc[[row]], unit)[0] for row in range(0, 3000, 100)]
    assert names[::100].tolist() == alone
    in_time = names[np.argsort(own.to_numpy(), kind="stable")]
    assert in_time.tolist() == sorted(names)


def test_a_week_over_new_year_is_one_of_the_iso_year() -> None:
    days = pd.Series(pd.to_datetime(["2022-01-02", "2021-12-27", "2024-12-30", "2025-01-05"]))
    assert periods.named(days, "week").tolist() == ["2021-W52", "2021-W52", "2025-W01", "2025-W01"]


def test_places_are_those_of_numpys_unique() -> None:
    names = periods.named(times("ours"), "month")
    found, place = periods.places(names)
    expected, inverse = np.unique(names.astype(str), return_inverse=True)
    assert found.tolist() == expected.tolist()
    assert place.tolist() == inverse.tolist()


def test_numbers_as_names_sort_as_they_do() -> None:
    numbers = pd.Series([3, -2, 12, 3, 0])
    names = periods.of_numbers(numbers)
    assert names.tolist() == ["05", "00", "14", "05", "02"]
