"""Roles: what is a target, a leak, an identifier; how rows are cut, held out and judged."""

import numpy as np
import pandas as pd
import pytest

from perennial.core.profiling import periods, sizes, suspects, target
from perennial.core.profiling.columns import recognise
from perennial.core.profiling.profile import Profile, profile
from perennial.core.profiling.wished import Wishes
from tests.integration import users_data

RNG = np.random.default_rng(0)


def classes(*values: object, positive: str | None = None):
    return target.classes(recognise(pd.Series(list(values)), "y"), positive)


def profiled(frame: pd.DataFrame, wishes: Wishes) -> Profile | list[str]:
    return profile([recognise(frame[name], str(name)) for name in frame], wishes)


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (("yes", "no", "no"), "yes"),
        ((True, False, False), True),
        ((0, 1, 1), 1),
        ((0.0, 1.0), 1),
        (("good", "bad", "bad"), "bad"),
        (("<=50K", ">50K", "<=50K"), ">50K"),
        (("no", "maybe", "maybe"), "maybe"),
    ],
)
def test_the_positive_class_is_found(values: tuple, positive: object) -> None:
    assert classes(*values).positive == positive


def test_the_positive_class_is_the_users() -> None:
    assert classes("yes", "no", "no", positive="NO").positive == "no"
    (fault,) = classes("yes", "no", positive="y")
    assert "yes" in fault
    assert "no" in fault


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (("a", "b", "c"), "multiclass"),
        ((1, 2, 3), "multiclass"),
        (tuple(np.linspace(0, 1, 99)), "regression"),
        (tuple(range(99)), "regression"),
        (("a", "a"), "one class only"),
        ((None, None), "no value"),
    ],
)
def test_what_is_no_two_classes_is_refused_by_name(values: tuple, word: str) -> None:
    assert any(word in fault for fault in classes(*values))


def test_rows_without_a_target_are_named() -> None:
    (fault,) = classes("a", None, "b", "a", None)
    assert "2 of 5" in fault
    assert "row 2, 5" in fault


def test_sizes_are_a_fifth_at_most_and_say_when_that_is_short() -> None:
    assert (sizes.choose(1000, 0.3).holdout, sizes.choose(1000, 0.3).short) == (200, True)
    rare = sizes.choose(40_000, 0.005)
    assert rare.short  # 20,000 rows have 100 positives; a fifth is 8,000
    assert sizes.choose(1_000_000, 0.005).holdout == 20_000
    assert not sizes.choose(1_000_000, 0.005).short
    for rows in (100, 999, 5000, 10**6):
        found = sizes.choose(rows, 0.5)
        assert rows >= 2 * (found.holdout + found.calibration)  # what a split by row asks


@pytest.mark.parametrize(
    ("days", "rows", "unit"),
    [(540, 6000, "month"), (60, 20_000, "week"), (8, 20_000, "day"), (2000, 5000, "quarter")],
)
def test_periods_leave_enough_to_train_on(days: int, rows: int, unit: str) -> None:
    when = pd.Series(pd.Timestamp("2015-01-01") + pd.to_timedelta(RNG.integers(0, days, rows), "D"))
    wanted = sizes.Sizes(rows, 1000, 1000, 1000)
    found = periods.cut(when, RNG.integers(0, 2, rows), wanted)
    assert found.split
    part = periods.part_of(found.names, wanted)
    assert (part == "train").mean() >= 0.5
    assert min((part == name).sum() for name in ("calibration", "holdout")) >= 1000
    order = np.argsort(when.to_numpy(), kind="stable")
    assert (np.diff(np.unique(found.names[order].astype(str), return_inverse=True)[1]) >= 0).all()
    assert found.unit == unit


def test_what_tells_the_target_alone_is_no_feature_and_forbidden() -> None:
    frame = users_data.small(2000)
    frame["later"] = (frame["answer"] == "yes") + RNG.normal(size=2000) * 0.01
    frame["told"] = np.where(frame["answer"] == "yes", RNG.normal(size=2000), np.nan)
    found = profiled(frame, Wishes("answer"))
    assert {"later", "told"} <= set(found.dropped)
    assert {"later", "told"} <= set(found.forbidden)
    assert "s0" in found.features
    assert any("later" in line for line in found.look)


def test_identifiers_constants_copies_and_free_text_are_no_features() -> None:
    frame = users_data.small(2000)
    frame["row_id"] = RNG.permutation(9000)[:2000]
    frame["sequence"] = np.arange(2000) + 17
    frame["same"] = "x"
    frame["copy"] = frame["s0"] * 3 + 1
    frame["level"] = RNG.choice(["a", "b", "c"], 2000)
    frame["level2"] = frame["level"].map({"a": "1st", "b": "2nd", "c": "3rd"})
    frame["text"] = [" ".join(RNG.choice(["so", "then", "well"], 12)) for _ in range(2000)]
    found = profiled(frame, Wishes("answer"))
    assert set(found.dropped) == {"row_id", "sequence", "same", "copy", "level2", "text"}
    assert found.features["amount"].kind == "signed_log"  # whole, distinct, and no identifier


def test_whole_numbers_that_hardly_come_again_do_not_look_like_an_identifier_to_the_gate() -> None:
    from perennial.core import leaks
    from perennial.core.dataset.features import derive
    from perennial.params import Feature

    frame = users_data.small()
    chosen = profiled(frame, Wishes("answer")).features["amount"]
    feature = Feature(**{"from": chosen.source, "as": chosen.kind, "missing": None, "why": "t"})
    assert "amount" not in leaks.distinct_shares(derive(frame, {"amount": feature}))


def test_a_column_that_starts_after_the_rows_to_train_on_is_no_feature() -> None:
    frame = users_data.timed()
    frame["new"] = np.where(frame["when"] > "2024-04-15", RNG.normal(size=len(frame)), np.nan)
    found = profiled(frame, Wishes("churned"))
    assert found.kind == "time"
    assert "to train on" in found.dropped["new"]


def test_time_is_taken_where_one_column_can_be_it_and_said() -> None:
    frame = users_data.timed()
    assert profiled(frame, Wishes("churned")).kind == "time"
    assert profiled(frame, Wishes("churned", no_time=True)).kind == "stratified"
    frame["birth_date"] = frame["when"] - pd.Timedelta(9000, "D")
    assert profiled(frame, Wishes("churned")).kind == "time"
    frame["paid"] = frame["when"] + pd.to_timedelta(RNG.integers(1, 90, len(frame)), "D")
    found = profiled(frame, Wishes("churned"))
    assert found.kind == "stratified"
    assert any("--time" in line for line in found.look)


def test_a_key_splits_by_group_whatever_the_time() -> None:
    frame = users_data.persons()
    assert profiled(frame, Wishes("y", key="person_id")).kind == "group"
    assert any("--key" in line for line in profiled(frame, Wishes("y")).look)


def test_all_that_is_wrong_is_said_at_once() -> None:
    frame = users_data.small(60)
    frame["day"] = ["2024-01-01"] * 58 + ["soon", None]
    frame["who"] = ["a"] * 59 + [None]
    faults = profiled(frame, Wishes("answer", positive="maybe", time="day", key="who"))
    assert len(faults) == 3
    assert [fault.split()[0] for fault in faults] == ["--positive", "--time", "--key"]


def test_sensitive_numbers_are_cut_and_names_are_not_those_of_other_columns() -> None:
    frame = users_data.small()
    frame["age"] = RNG.integers(18, 90, 1000)
    frame["row"] = RNG.choice(["x", "y"], 1000)
    found = profiled(frame, Wishes("answer", sensitive=("age", "row", "amount")))
    assert found.groups["age_group"].bins == [30.0, 60.0]
    assert found.groups["row_group"].bins is None
    assert len(found.groups["amount_group"].bins) == 2


def test_ranks_that_nearly_agree_are_one_column() -> None:
    one = recognise(pd.Series(RNG.normal(size=800)), "one")
    near = recognise(one.cells + RNG.normal(size=800) * 1e-3, "near")
    other = recognise(one.cells + RNG.normal(size=800), "other")
    assert suspects.same([one, near, other], 800) == {"near": "one"}


def test_a_year_of_five_digits_is_taken_as_missing_and_said() -> None:
    frame, target = users_data.signal(900, 1)
    days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(900), "D"))
    frame = frame.assign(when=days.astype("datetime64[us]"), y=target)
    assert profiled(frame, Wishes("y")).time == "when"
    frame.loc[5, "when"] = np.datetime64("12921-08-01", "us")
    found = profiled(frame, Wishes("y"))
    assert found.time is None
    (when,) = (column for column in found.columns if column.name == "when")
    assert (when.cells.isna().sum(), "after 9999" in when.said[0]) == (1, True)
    (fault,) = profiled(frame, Wishes("y", time="when"))
    assert "row 6" in fault
