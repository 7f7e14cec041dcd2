"""The plan: which batches or rows train, calibrate and are held out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from perennial.core.dataset.plan import (
    PARTS,
    BatchRef,
    assign,
    batches_of,
    make_plan,
    newest,
    newest_period,
    shares,
)
from perennial.errors import InputError
from perennial.params import Split


def split(
    kind: str = "time",
    calibration: int = 10,
    holdout: int = 10,
    key: str | None = None,
    history: str = "all",
    last: int | None = None,
) -> Split:
    return Split.model_validate(
        {
            "kind": kind,
            "key": key,
            "calibration_rows": calibration,
            "holdout_rows": holdout,
            "history": {"kind": history, "last": last},
        }
    )


def batches(*rows: int) -> list[BatchRef]:
    return [
        {"period": f"2020-{i:02}", "sha256": f"{i:064x}", "rows": n}
        for i, n in enumerate(rows, start=1)
    ]


def sizes(rows: list[int], calibration: int, holdout: int) -> list[list[int]]:
    """Return the sizes of the batches of each part, in the order of PARTS."""
    plan = make_plan(batches(*rows), split("time", calibration, holdout), "bootstrap", "bootstrap")
    return [[ref["rows"] for ref in plan["parts"][part]] for part in PARTS]


# by time


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([50, 6, 4, 3, 7], [[50], [6, 4], [3, 7]]),  # exactly as many calibrate
        ([50, 6, 5, 3, 6], [[50], [6, 5], [3, 6]]),  # exactly as many are held out
        ([50, 99, 3, 99], [[50], [99, 3], [99]]),  # a period is never cut
        ([1, 2, 10, 9], [[1, 2], [10], [9]]),
    ],
)
def test_the_last_periods_with_enough_rows_are_held_out(
    rows: list[int], expected: list[list[int]]
) -> None:
    assert sizes(rows, calibration=10, holdout=9) == expected


def cuts(rows: list[int], calibration: int, holdout: int) -> list[list[int]] | None:
    """The same by trying every pair of cuts: the latest ones with enough rows, or None."""
    enough = [
        (i, j)
        for j in range(1, len(rows))
        for i in range(1, j)
        if sum(rows[j:]) >= holdout > sum(rows[j + 1 :]) and sum(rows[i:j]) >= calibration
    ]
    if not enough:
        return None
    i, j = max(enough)
    return [rows[:i], rows[i:j], rows[j:]]


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(1, 60), st.integers(1, 60)
)
def test_the_cuts_are_the_latest_of_all_cuts_with_enough_rows(
    rows: list[int], calibration: int, holdout: int
) -> None:
    expected = cuts(rows, calibration, holdout)
    if expected is None:
        with pytest.raises(InputError):
            sizes(rows, calibration, holdout)
    else:
        assert sizes(rows, calibration, holdout) == expected


@pytest.mark.parametrize("rows", [[5], [10, 12], [100]])
def test_nothing_left_to_train_on_is_said_with_the_numbers(rows: list[int]) -> None:
    with pytest.raises(InputError, match="nothing is left to train on") as caught:
        sizes(rows, 10, 12)
    for number in (len(rows), sum(rows), 10, 12):
        assert str(number) in caught.value.faults[0]


def test_a_plan_says_what_is_to_be_done_and_why() -> None:
    recipe = {"kind": "logistic", "members": []}
    plan = make_plan(batches(50, 10, 10), split(), "retrain", "drift", recipe)
    assert (plan["action"], plan["because"]) == ("retrain", "drift")
    assert plan["hyperparameters"] == recipe
    assert Split.model_validate(plan["split"]) == split()


@pytest.mark.parametrize("kind", ["time", "stratified"])
def test_a_plan_names_every_batch_once_and_knows_the_newest(kind: str) -> None:
    refs = batches(50, 10, 10)
    plan = make_plan(refs, split(kind), "bootstrap", "bootstrap")
    assert batches_of(plan) == refs
    assert newest_period(plan) == "2020-03"


# how much history


def trained(history: str, last: int | None = None) -> list[int]:
    """Return the sizes of the training batches under a history."""
    asked = split(history=history, last=last)
    plan = make_plan(batches(40, 30, 20, 10, 10, 10), asked, "retrain", "drift", {})
    assert [len(plan["parts"][part]) for part in PARTS[1:]] == [1, 1]
    assert [ref["rows"] for part in PARTS[1:] for ref in plan["parts"][part]] == [10, 10]
    return [ref["rows"] for ref in plan["parts"]["train"]]


@pytest.mark.parametrize(
    ("history", "last", "expected"),
    [
        ("all", None, [40, 30, 20, 10]),
        ("chosen", None, [40, 30, 20, 10]),  # until something has chosen
        ("periods", 1, [10]),
        ("periods", 3, [30, 20, 10]),
        ("periods", 9, [40, 30, 20, 10]),
        ("rows", 10, [10]),
        ("rows", 11, [20, 10]),
        ("rows", 60, [30, 20, 10]),
        ("rows", 101, [40, 30, 20, 10]),  # all there is, where that is fewer
    ],
)
def test_the_history_is_the_newest_batches_before_the_calibration(
    history: str, last: int | None, expected: list[int]
) -> None:
    assert trained(history, last) == expected


def test_what_is_given_to_train_on_is_taken_as_it_is() -> None:
    refs = batches(40, 30, 20, 10, 10)
    asked = split(history="periods", last=1)
    plan = make_plan(refs, asked, "recalibrate", "harmful", {}, refs[:2])
    assert plan["parts"] == {"train": refs[:2], "calibration": refs[3:4], "holdout": refs[4:]}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([10, 10, 10, 10], {"all": 4, "half": 2, "quarter": 1}),
        ([10, 10, 10], {"all": 3, "half": 2, "quarter": 1}),
        ([10, 90], {"all": 2, "half": 1}),  # a quarter of the rows is the same batch
        ([90, 10], {"all": 2}),  # a half is all: it is never cut
        ([10], {"all": 1}),
    ],
)
def test_shares_are_the_newest_whole_batches_and_none_is_offered_twice(
    rows: list[int], expected: dict[str, int]
) -> None:
    refs = batches(*rows)
    found = shares(refs)
    assert {name: len(part) for name, part in found.items()} == expected
    assert next(iter(found)) == "all"
    assert all(part == refs[-len(part) :] for part in found.values())


@pytest.mark.parametrize(
    ("rows", "wanted", "count"),
    [
        ([50, 5, 5], 5, 1),
        ([50, 5, 5], 6, 2),
        ([50, 5, 5], 11, 3),
        ([5, 5], 99, 2),
        ([5, 300], 9, 1),
    ],
)
def test_the_newest_batch_is_joined_by_those_before_it_until_there_are_enough_rows(
    rows: list[int], wanted: int, count: int
) -> None:
    refs = batches(*rows)
    assert newest(refs, wanted) == refs[-count:]


# by row


def test_too_few_rows_for_a_split_by_row_is_said_with_the_numbers() -> None:
    make_plan(batches(20, 20), split("stratified"), "bootstrap", "bootstrap")
    with pytest.raises(InputError, match=r"39 rows.* 10 .*held"):
        make_plan(batches(20, 19), split("stratified"), "bootstrap", "bootstrap")


def counted(part: np.ndarray) -> list[int]:
    return [int((part == name).sum()) for name in PARTS]


def test_stratified_parts_have_the_rows_asked_for_and_the_same_base_rate() -> None:
    target = np.repeat([1, 0], [200, 800])
    part = assign(split("stratified", 100, 300), target, None, seed=1)
    assert counted(part) == [600, 100, 300]
    assert [target[part == name].mean() for name in PARTS] == pytest.approx([0.2] * 3, abs=0.005)


@pytest.mark.parametrize("kind", ["stratified", "group"])
def test_the_same_seed_gives_the_same_parts_and_another_gives_others(kind: str) -> None:
    key = np.repeat(np.arange(100), 4).astype(str).astype(object) if kind == "group" else None
    asked = split(kind, 80, 80, "id" if kind == "group" else None)
    target = np.tile([1, 0], 200)
    first, again, other = (assign(asked, target, key, seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


@given(st.lists(st.integers(0, 40), min_size=60, max_size=120), st.integers(0, 100))
def test_rows_of_a_group_are_never_on_two_sides(keys: list[int], seed: int) -> None:
    key = np.array([f"k{k}" for k in [*keys, *range(12)]], dtype=object)
    try:
        part = assign(split("group", 15, 15, "id"), np.arange(len(key)) % 2, key, seed)
    except InputError:  # a few large groups may leave nothing to train on, which is said
        assume(False)
    assert pd.DataFrame({"key": key, "part": part}).groupby("key")["part"].nunique().eq(1).all()
    assert set(part) == set(PARTS)


def test_parts_by_group_have_about_the_rows_asked_for() -> None:
    key = np.repeat(np.arange(500), 4).astype(str).astype(object)
    part = assign(split("group", 200, 400, "id"), np.tile([1, 0], 1000), key, seed=1)
    assert counted(part) == pytest.approx([1400, 200, 400], rel=0.05)


def test_parts_by_uneven_groups_have_at_least_the_rows_asked_for() -> None:
    key = np.array(["big"] * 1000 + [f"k{i}" for i in range(1000)], dtype=object)
    for seed in range(5):
        part = assign(split("group", 300, 300, "id"), np.tile([1, 0], 1000), key, seed)
        assert min(counted(part)[1:]) >= 300


@pytest.mark.parametrize(
    ("kind", "target", "key"),
    [
        ("group", [0, 1] * 50, ["a"] * 100),
        ("group", [0, 1] * 50, ["a", "b"] * 50),
        ("group", [0, 1] * 50, ["a", "b", "c", None] * 25),
        ("stratified", [1] + [0] * 99, None),
    ],
    ids=["one group", "two groups", "a row without a key", "one positive"],
)
def test_rows_that_cannot_be_split_are_the_users_to_correct(
    kind: str, target: list[int], key: list[str | None] | None
) -> None:
    keys = None if key is None else np.array(key, dtype=object)
    with pytest.raises(InputError):
        assign(split(kind, 10, 10, "id" if key else None), np.array(target), keys, seed=1)
