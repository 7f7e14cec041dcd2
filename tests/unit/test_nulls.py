"""Null windows: drawn from one pool, changed as planted, and what they say of thresholds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.adapters.configuration import read_params
from perennial.core import nulls
from perennial.core.drift.comparison import Comparison
from perennial.core.drift.examination import Examination
from perennial.core.drift.result import PREDICTION, Test
from perennial.core.drift.signals import Signal
from perennial.core.estimates import Estimate

MONITOR = read_params("monitor").monitor
RAW = pd.DataFrame({"n": np.linspace(-1, 1, 400), "c": ["a", "b"] * 200})
TARGET = np.repeat([0, 1], [280, 120])


@given(st.integers(3, 300), st.data(), st.integers(0, 99))
def test_a_window_and_the_others_share_no_row(pool: int, data: st.DataObject, seed: int) -> None:
    """Without replacement, all of the pool is used, and each keeps its order of arrival."""
    rows = data.draw(st.integers(1, pool - 1))
    inside, others = nulls.draw(pool, rows, seed)
    assert len(inside) == rows
    assert sorted([*inside, *others]) == list(range(pool))
    assert list(inside) == sorted(inside)


def planted(kind: str, size: float, share: float) -> tuple[pd.DataFrame, np.ndarray]:
    one = next(
        p for p in nulls.plants(RAW, "n", "c") if (p.kind, p.size, p.share) == (kind, size, share)
    )
    return one.change(RAW, TARGET, np.random.default_rng(0))


def test_a_number_is_moved_by_standard_deviations_in_a_share_of_rows() -> None:
    """The rows that are not affected are what they were."""
    raw, target = planted("number moved", 1.0, 0.3)
    by = (raw["n"] - RAW["n"]).to_numpy()
    moved = by != 0
    assert 0.2 < moved.mean() < 0.4
    assert np.allclose(by[moved], RAW["n"].std())
    assert target is TARGET
    assert (planted("number moved", 0.5, 1.0)[0]["n"] != RAW["n"]).all()


def test_a_shuffled_column_has_the_values_it_had() -> None:
    """Nothing but its going together with the others is changed."""
    raw, _ = planted("column shuffled", 1.0, 1.0)
    assert sorted(raw["n"]) == sorted(RAW["n"])
    assert (raw["n"] != RAW["n"]).mean() > 0.9


@pytest.mark.parametrize("kind", ["new level", "value missing"])
def test_values_are_replaced_in_a_share_of_rows(kind: str) -> None:
    """By a level that nobody saw, or by nothing."""
    raw, _ = planted(kind, 0.3, 0.3)
    changed = raw["c"].isna() | (raw["c"] == "(never seen)")
    assert 0.2 < changed.mean() < 0.4
    assert raw["c"].isna().any() == (kind == "value missing")


@pytest.mark.parametrize("size", [0.1, 0.2])
def test_the_rate_of_positives_moves_and_no_row_is_there_twice(size: float) -> None:
    """Half of what was drawn is left, at the rate that is wanted."""
    raw, target = planted("rate of positives", size, 1.0)
    assert len(raw) == len(target) == 200
    assert target.mean() == pytest.approx(0.3 + size)
    assert raw["n"].is_unique


def test_labels_are_flipped_in_a_share_of_rows() -> None:
    """The rows stay, their labels do not."""
    raw, target = planted("labels flipped", 0.2, 0.2)
    assert raw is RAW
    assert 0.12 < (target != TARGET).mean() < 0.28


def test_without_numbers_or_categories_labels_are_still_changed() -> None:
    """Data of one kind only have fewer changes planted, not none."""
    kinds = {p.kind for p in nulls.plants(RAW, None, None)}
    assert kinds == {"rate of positives", "labels flipped"}


def found(**changes: object) -> Examination:
    tests = (
        Test("ks", PREDICTION, 0.1, 0.5, 0.1),
        Test("ks", "n", 0.3, 0.001, 0.3),
        Test("wasserstein", "n", 9.0, None, 9.0),
    )
    signal = Signal("roc_auc", Estimate(-0.1, -0.15, -0.05, 9), 0.02, True, True, "lost")
    whole = Examination("harmful", "", Comparison("drift", "", tests), None, (signal,))
    return replace(whole, **changes)


def test_an_alarm_is_put_down_to_what_raised_it() -> None:
    """Each look that fired is named; no verdict, no alarm."""
    assert nulls.alarms(found()) == ["roc_auc", "features"]
    assert nulls.alarms(found(verdict="none")) == []
    assert nulls.alarms(found(verdict="insufficient")) == []


def test_what_a_window_would_need_is_the_farthest_it_went() -> None:
    """The largest effect of a test over features; the interval's bound, not the estimate."""
    needed = nulls.strengths(found(), MONITOR)
    assert needed["effects.ks"] == 0.3
    assert needed["effects.psi"] == 0.0
    assert needed["harm.roc_auc"] == pytest.approx(0.05)
    assert "effects.wasserstein" not in needed


def test_suggested_thresholds_keep_the_wanted_rate_together() -> None:
    """At most so many windows are beyond any of the suggested thresholds."""
    drawn = np.random.default_rng(0).gamma(2.0, size=(2000, 3))
    keys = ("effects.ks", "effects.psi", "harm.roc_auc")
    windows = [dict(zip(keys, row, strict=True)) for row in drawn.tolist()]
    suggested = nulls.suggest(windows, MONITOR, 0.05)
    smallest = [line["smallest"] for line in suggested]
    assert [line["parameter"] for line in suggested] == [f"monitor.{key}" for key in keys]
    assert [line["now"] for line in suggested] == [0.2, 0.25, 0.02]
    assert 0.03 < (drawn > smallest).any(axis=1).mean() <= 0.05
