"""Leaks: what stands on both sides of the split is counted, and what knows the answer is found."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from perennial.core import leaks
from perennial.params import Split

PART = np.array(["train"] * 4 + ["calibration"] * 2 + ["holdout"] * 4, dtype=object)
PERIOD = np.array(["01"] * 4 + ["02"] * 2 + ["03"] * 4, dtype=object)


def split(kind: str = "time", key: str | None = None) -> Split:
    parts = {"calibration_rows": 2, "holdout_rows": 4, "history": {"kind": "all", "last": None}}
    return Split.model_validate({"kind": kind, "key": key, **parts})


def rows(**changes: Any) -> pd.DataFrame:
    place = pd.Series(PERIOD).groupby(PERIOD).cumcount().to_numpy()
    sound = {"period": PERIOD, "row": place, "g": ["a", "b"] * 5, "key": list("pqrstuvwxy")}
    return pd.DataFrame({**sound, **changes})


def find(given: pd.DataFrame, settings: Split, digests: dict[str, str] | None = None) -> Any:
    digests = digests or {period: f"sha-{period}" for period in PERIOD}
    derived = pd.DataFrame({"x": np.arange(10.0)})
    return leaks.find(PART, given, derived, ["g"], digests, settings)


def test_sound_rows_show_no_overlap_and_no_time_that_runs_backwards() -> None:
    found = find(rows(), split())
    assert found["rows"] == {"train": 4, "calibration": 2, "holdout": 4}
    assert found["overlap"] == {"what": "rows", "shared": 0, "rows": 10}
    assert found["time_order"] == {"backwards": 0, "rows": 10}


def test_rows_that_only_look_alike_are_not_the_same_rows() -> None:
    """Two calls to two people may have the same content: a row is its place in its batch."""
    assert find(rows(g="a"), split())["overlap"]["shared"] == 0


def test_a_row_of_training_that_is_held_out_too_is_counted() -> None:
    period, place = PERIOD.copy(), rows()["row"].to_numpy().copy()
    period[8:], place[8:] = "01", [0, 3]
    assert find(rows(period=period, row=place), split())["overlap"]["shared"] == 2


def test_a_row_of_calibration_that_is_held_out_too_is_counted() -> None:
    period, place = PERIOD.copy(), rows()["row"].to_numpy().copy()
    period[9], place[9] = "02", 1
    assert find(rows(period=period, row=place), split())["overlap"]["shared"] == 1


def test_a_row_shared_by_training_and_calibration_is_no_overlap_with_the_holdout() -> None:
    period, place = PERIOD.copy(), rows()["row"].to_numpy().copy()
    period[4], place[4] = "01", 0
    assert find(rows(period=period, row=place), split("stratified"))["overlap"]["shared"] == 0


def test_a_month_delivered_twice_under_two_names_is_the_same_rows() -> None:
    same = {"01": "sha", "02": "other", "03": "sha"}
    assert find(rows(), split(), same)["overlap"]["shared"] == 4


def test_under_a_split_by_key_it_is_keys_that_may_not_be_shared() -> None:
    by_key = split("group", "key")
    assert find(rows(), by_key)["overlap"] == {"what": "keys", "shared": 0, "rows": 10}
    shared = [*"pqrstuvwxp"]
    assert find(rows(key=shared), by_key)["overlap"]["shared"] == 1
    assert find(rows(key=shared), split())["overlap"]["shared"] == 0


@pytest.mark.parametrize(("place", "period"), [(0, "02"), (0, "03"), (5, "03"), (4, "04")])
def test_a_row_to_learn_from_that_is_not_older_than_its_judges_is_counted(
    place: int, period: str
) -> None:
    moved = PERIOD.copy()
    moved[place] = period
    assert leaks.backwards(PART, moved) == {"backwards": 1, "rows": 10}


def test_a_holdout_row_that_is_too_old_makes_what_is_not_older_than_it_wrong() -> None:
    moved = PERIOD.copy()
    moved[9] = "02"
    assert leaks.backwards(PART, moved)["backwards"] == 2  # both rows to calibrate with


@pytest.mark.parametrize("kind", ["stratified", "group"])
def test_time_has_no_order_where_the_rows_are_not_split_by_it(kind: str) -> None:
    found = find(rows(), split(kind, "key" if kind == "group" else None))
    assert found["time_order"] is None


def single(values: pd.Series, target: np.ndarray) -> dict[str, float]:
    return leaks.single_features(values.to_frame("f"), target)["f"]


def outcome(rows: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.integers(0, 2, rows), random.normal(size=rows)


def test_a_numbers_auc_is_scikit_learns_in_the_better_direction() -> None:
    target, noise = outcome()
    for sign in (1, -1):
        values = pd.Series(sign * target + noise)
        found = single(values, target)
        assert found["value"] == pytest.approx(roc_auc_score(target, sign * values))
        assert found["value"] > 0.7
        assert found["positives"] + found["negatives"] == len(target)
        assert found["positives"] == target.sum()


def test_a_leak_by_what_is_missing_is_seen() -> None:
    target, noise = outcome()
    assert single(pd.Series(noise).where(target == 1), target)["value"] == 1.0


def test_a_category_that_follows_from_the_answer_has_the_auc_of_its_accuracy() -> None:
    target, _ = outcome()
    known = np.random.default_rng(1).random(len(target)) < 0.9
    codes = pd.Series(np.where(np.where(known, target, 1 - target) == 1, "K7", "M2"))
    assert single(codes.astype("category"), target)["value"] == pytest.approx(0.9, abs=0.02)
    missing = codes.where(codes == "K7")  # and a level told by its absence is as good
    assert single(missing, target)["value"] == pytest.approx(0.9, abs=0.02)


def test_many_levels_of_a_category_without_meaning_are_no_knowledge() -> None:
    target, _ = outcome()
    levels = np.random.default_rng(1).integers(0, 1000, len(target)).astype(str)
    found = single(pd.Series(levels), target)
    assert abs(found["value"] - 0.5) < 4 * found["error"]
    each = pd.Series(np.arange(len(target)).astype(str))  # an identifier: no level is seen twice
    assert single(each, target)["value"] == pytest.approx(0.5, abs=0.02)


def test_the_error_of_a_feature_alone_is_about_that_of_equally_many_other_rows() -> None:
    drawn = []
    for seed in range(60):
        target, noise = outcome(400, seed)
        drawn.append(single(pd.Series(target + noise), target))
    spread = np.std([found["value"] for found in drawn])
    assert np.mean([found["error"] for found in drawn]) == pytest.approx(spread, rel=0.25)


def test_distinct_shares_are_of_categories_and_whole_numbers_alone() -> None:
    derived = pd.DataFrame(
        {
            "id": np.arange(10.0),
            "code": [f"c{i}" for i in range(10)],
            "level": ["a", "b"] * 5,
            "height": np.linspace(0, 1, 10) + 0.05,
            "count": [1.0, 2.0, 3.0, 4.0, np.nan] * 2,
            "nothing": [np.nan] * 10,
        }
    )
    assert leaks.distinct_shares(derived) == {"id": 1, "code": 1, "level": 0.2, "count": 0.5}


def test_distinct_shares_are_those_of_the_training_rows() -> None:
    derived = pd.DataFrame({"x": [1.0, 1.0, 1.0, 1.0, 2, 3, 4, 5, 6, 7]})
    digests = {period: period for period in PERIOD}
    found = leaks.find(PART, rows(), derived, ["g"], digests, split())
    assert found["distinct"] == {"x": 0.25}


def test_group_sizes_are_told_for_each_group_in_training_and_holdout() -> None:
    found = find(rows(g=["a"] * 4 + ["b"] * 6), split())["group_sizes"]
    assert found == {"train": {"g: a": 4}, "holdout": {"g: b": 4}}
