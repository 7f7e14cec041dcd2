"""Slices: a planted bad one is found and named, and none is made up where there is none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.evaluation import slices
from perennial.core.statistics.estimates import Estimate
from perennial.core.statistics.metrics import row_log_loss

ROWS = 2000


def table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "colour": pd.Categorical(random.choice(["blue", "green", "red"], rows)),
            "size": random.choice(["l", "m", "s"], rows).astype(object),
            "x": random.normal(size=rows),
            "y": random.uniform(size=rows),
        }
    )


def losses(excess: Any, rows: int = ROWS, seed: int = 1) -> pd.DataFrame:
    """An excess with noise around it, against two references."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(rows, 2)) * 0.5
    return pd.DataFrame(noise + np.asarray(excess)[..., np.newaxis], columns=["one", "two"])


def search(features: pd.DataFrame, excess: Any = 0.0, min_rows: int = 50, bins: int = 4) -> Any:
    given = losses(np.broadcast_to(excess, len(features)), len(features))
    return slices.search(features, given, min_rows, bins)


def names(found: pd.DataFrame) -> set[str]:
    return set(found["slice"])


def declared(wanted: dict[str, Any], features: pd.DataFrame, min_rows: int = 1) -> dict[str, int]:
    """How many rows each declared slice has."""
    found = slices.declared(wanted, features, losses(np.zeros(len(features)), len(features)), 1)
    found = found[found["rows"] >= min_rows]
    return dict(zip(found["slice"], found["rows"], strict=True))


def test_a_bad_slice_of_two_features_is_found_as_the_worst_of_many() -> None:
    rows = table()
    bad = (rows["colour"] == "red") & (rows["size"] == "s")
    found = search(rows, np.where(bad, 1.0, -0.1))
    assert len(names(found)) > 50
    assert found.iloc[0]["slice"] == "colour red and size s"
    assert found.iloc[0]["rows"] == bad.sum()
    estimate, worst = slices.largest_excess(found, 0.95)
    assert worst["slice"] == "colour red and size s"
    assert estimate.low > 0.5
    assert estimate.low < 1 < estimate.high


def test_a_bad_slice_of_one_feature_is_named_by_that_feature_alone() -> None:
    rows = table()
    found = search(rows, np.where(rows["x"] < rows["x"].quantile(0.25), 1.0, -0.1))
    _, worst = slices.largest_excess(found, 0.95)
    assert worst["slice"].startswith("x under")
    assert " and " not in worst["slice"]


def test_a_slice_that_one_reference_alone_does_better_in_is_named_with_it() -> None:
    rows = table()
    given = losses(np.zeros(ROWS))
    given.loc[rows["colour"] == "blue", "two"] += 1.0
    _, worst = slices.largest_excess(slices.search(rows, given, 50, 4), 0.95)
    assert (worst["slice"], worst["reference"]) == ("colour blue", "two")


def test_a_candidate_as_good_as_its_references_raises_no_alarm_more_often_than_stated() -> None:
    """Both bounds hold for all slices together: at most one dataset in twenty, up to its error."""
    alarms, misses, repeats = 0, 0, 60
    for seed in range(repeats):
        rows = table(600, seed)
        given = losses(np.zeros(600), 600, seed + 1000)
        estimate, _ = slices.largest_excess(slices.search(rows, given, 50, 4), 0.95)
        alarms += estimate.low > 0
        misses += estimate.high < 0
    assert alarms / repeats <= 0.05
    assert misses == 0


def test_the_interval_is_wider_the_more_slices_are_looked_at() -> None:
    one = pd.DataFrame([("a", "r", 100, 100, 0.1, 1.0)], columns=list(slices.COLUMNS))
    alone, _ = slices.largest_excess(one, 0.95)
    among, _ = slices.largest_excess(pd.concat([one] * 500, ignore_index=True), 0.95)
    assert (alone.low, alone.high) == pytest.approx((0.1 - 0.1984, 0.1 + 0.1984), abs=1e-4)
    assert among.low < alone.low
    assert alone.high < among.high


def test_the_slice_proven_worst_is_named_though_a_small_one_looks_worse() -> None:
    found = pd.DataFrame(
        [("small", "r", 10, 10, 0.5, 1.0), ("large", "r", 10_000, 10_000, 0.4, 1.0)],
        columns=list(slices.COLUMNS),
    )
    estimate, worst = slices.largest_excess(found, 0.95)
    assert worst["slice"] == "large"
    assert estimate.value == 0.4
    assert estimate.high > 1  # the small one may be as bad as that


def test_each_slices_mean_and_deviation_are_those_of_its_rows() -> None:
    rows, given = table(300), losses(np.linspace(-1, 1, 300), 300)
    found = slices.search(rows, given, 10, 4).set_index(["slice", "reference"])
    own = given.loc[(rows["colour"] == "red") & (rows["size"] == "m"), "two"]
    line = found.loc[("colour red and size m", "two")]
    assert line["rows"] == len(own)
    assert line["mean"] == pytest.approx(own.mean())
    assert line["deviation"] == pytest.approx(own.std())


def test_slices_with_too_few_rows_are_not_looked_at() -> None:
    rows = table(200)
    assert search(rows, min_rows=30)["rows"].min() >= 30
    assert search(rows, min_rows=10)["rows"].min() < 30


def test_no_slice_with_enough_rows_is_an_empty_table_with_the_same_columns() -> None:
    found = search(table(40), min_rows=41)
    assert found.empty
    assert list(found) == list(slices.COLUMNS)
    none = slices.declared({"a": {"size": ["xl"]}}, table(40), losses(np.zeros(40), 40), 1)
    assert none.empty
    assert list(none) == list(slices.COLUMNS)
    assert slices.declared({}, table(40), losses(np.zeros(40), 40), 1).empty


def test_missing_values_are_a_slice_of_their_own_and_of_no_other() -> None:
    rows = table()
    rows.loc[:299, "x"] = np.nan
    rows.loc[300:599, "size"] = None
    found = search(rows)
    sizes = found.set_index("slice")["rows"].groupby(level=0).first()
    assert sizes["x missing"] == sizes["size missing"] == 300
    assert sum(sizes[name] for name in sizes.index if name.startswith("x") and " and " not in name)
    alone = [name for name in sizes.index if " and " not in name]
    assert sizes[[name for name in alone if name.startswith("x ")]].sum() == ROWS
    assert sizes[[name for name in alone if name.startswith("size ")]].sum() == ROWS


@pytest.mark.parametrize("empty", [np.nan, None])
def test_a_feature_with_no_value_at_all_is_one_slice_of_missing_values(empty: Any) -> None:
    rows = table().assign(x=pd.Series([empty] * ROWS, dtype="float64"))
    alone = {name for name in names(search(rows)) if " and " not in name}
    assert {name for name in alone if name.startswith("x ")} == {"x missing"}
    assert {name for name in names(search(rows)) if "y from" in name}  # the others are cut as ever


@pytest.mark.parametrize("values", [[0.0], [0.0, 1.0], [0.0, 0.0, 0.0, 0.0, 5.0]])
def test_a_number_with_few_values_is_cut_between_them_and_never_within(values: list[float]) -> None:
    rows = pd.DataFrame({"n": np.resize(values, 400)})
    found = search(rows, min_rows=1)
    counted = rows["n"].value_counts()
    sums = {counted[list(part)].sum() for part in (counted.index, *[[v] for v in counted.index])}
    assert set(found["rows"]) <= sums
    parts = found[found["reference"] == "one"]["rows"]
    assert parts.sum() == len(rows)


def test_no_pair_repeats_one_of_its_halves_or_takes_two_parts_of_one_feature() -> None:
    rows = table().assign(same=lambda frame: frame["colour"].astype(str) + "!")
    for name in names(search(rows)):
        parts = name.split(" and ")
        columns = [part.split(" ")[0] for part in parts]
        assert len(set(columns)) == len(columns)
        assert set(columns) != {"colour", "same"}


def test_the_order_of_columns_does_not_change_which_slice_is_first() -> None:
    rows = table()
    bad = np.where((rows["x"] > 0) & (rows["y"] > 0.5), 0.5, -0.1)
    first, again = search(rows, bad), search(rows[rows.columns[::-1]], bad)
    assert set(first.iloc[0]["slice"].split(" and ")) == set(again.iloc[0]["slice"].split(" and "))


def test_declared_levels_of_several_columns_are_all_needed_and_any_level_of_one_will_do() -> None:
    rows = table()
    wanted = {"warm": {"colour": ["red"]}, "cold": {"colour": ["blue", "green"], "size": ["s"]}}
    found = declared(wanted, rows)
    assert found["warm"] == (rows["colour"] == "red").sum()
    assert found["cold"] == ((rows["colour"] != "red") & (rows["size"] == "s")).sum()


def test_declared_bounds_of_a_number_hold_the_lower_and_not_the_upper() -> None:
    rows = pd.DataFrame({"n": [1.0, 2.0, 3.0, 4.0, np.nan] * 10})
    wanted = {"some": {"n": [2, 4]}, "low": {"n": [None, 2]}, "high": {"n": [4.0, None]}}
    assert declared(wanted, rows) == {"some": 20, "low": 10, "high": 10}


def test_a_level_that_params_yaml_writes_as_a_whole_number_is_found() -> None:
    """YAML reads [1] as a number, and the parameters as 1.0; the level's name is "1"."""
    rows = pd.DataFrame({"code": ["1", "2", "2.5"] * 10})
    wanted = {"one": {"code": [1.0]}, "two": {"code": ["2"]}, "other": {"code": [2.5, 1.0]}}
    assert declared(wanted, rows) == {"one": 10, "two": 10, "other": 20}


@pytest.mark.parametrize("dtype", ["object", "category"])
def test_a_null_level_is_the_rows_without_a_value(dtype: str) -> None:
    rows = pd.DataFrame({"code": pd.Series(["a", None, "b"] * 10, dtype=dtype)})
    assert declared({"none": {"code": [None]}, "a": {"code": ["a"]}}, rows) == {"none": 10, "a": 10}


def test_declared_slices_with_too_few_rows_are_left_out() -> None:
    rows = pd.DataFrame({"code": ["a"] * 9 + ["b"] * 30})
    given, wanted = losses(np.zeros(39), 39), {"few": {"code": ["a"]}, "many": {"code": ["b"]}}
    assert names(slices.declared(wanted, rows, given, 10)) == {"many"}


def test_excess_is_the_rows_log_loss_less_each_references() -> None:
    scores = pd.DataFrame(
        {
            "target": [1, 0, 1],
            "probability": [0.9, 0.9, 0.5],
            "prior": [0.5, 0.5, 0.5],
            "logistic": [0.8, 0.1, 0.4],
            "default": [0.6, 0.3, 0.6],
        }
    )
    found, target = slices.excess(scores), scores["target"].to_numpy()
    own = row_log_loss(target, scores["probability"].to_numpy())
    assert found["the prior"].to_numpy() == pytest.approx(own - np.log(2))
    assert found["the simple models"].to_numpy() == pytest.approx(own + np.log([0.7, 0.8, 0.5]))
    assert (found.iloc[0] < 0).all()  # better than both
    assert (found.iloc[1] > 0).all()


def test_the_estimate_rests_on_the_rows_of_the_worst_slice() -> None:
    estimate, worst = slices.largest_excess(search(table()), 0.95)
    assert isinstance(estimate, Estimate)
    assert estimate.n == worst["rows"]
    assert estimate.low <= estimate.value <= estimate.high


def test_the_order_that_sums_are_made_in_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLAS's own hangs on where arrays lie: runs that were killed had another last bit."""
    features, given = table(), losses(np.zeros(ROWS))
    order = np.random.default_rng(5).permutation(ROWS)
    first = slices.search(features, given, 50, 4)
    second = slices.search(features.iloc[order], given.iloc[order], 50, 4)
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    monkeypatch.setattr(slices, "DECIMALS", 17)
    first = slices.search(features, given, 50, 4)
    second = slices.search(features.iloc[order], given.iloc[order], 50, 4)
    assert not first["mean"].equals(second["mean"]), "the order made no difference: no test"


def test_of_thousands_of_slices_the_pairs_of_the_largest_are_looked_at() -> None:
    random = np.random.default_rng(3)
    wide = pd.DataFrame(random.normal(size=(400, 500)), columns=[f"f{i}" for i in range(500)])
    found = search(wide, bins=2)
    pairs = {name for name in names(found) if " and " in name}
    assert len(names(found) - pairs) == 1000  # each of them alone
    assert 0 < len(pairs) <= slices.PAIRED * (slices.PAIRED - 1) / 2
