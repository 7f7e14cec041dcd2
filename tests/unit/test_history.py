"""History: how much of the past is worth training on, by what the newest labels say."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.dataset.plan import shares
from perennial.core.monitoring import history

from .monitored import LOGISTIC, RECIPE, Frame, Store, params, rows


def turned(count: int, seed: int) -> Frame:
    """Rows of a past in which everything meant the opposite."""
    raw, target = rows(count, seed)
    return raw, 1 - target


def chosen(*batches: Frame, newest: Frame, recipe: Any = RECIPE) -> tuple[str, dict[str, Any]]:
    store = Store(*batches, newest)
    return history.choose(shares(store.refs[:-1]), store.refs[-1:], recipe, store.read, params())


@pytest.mark.parametrize("recipe", [RECIPE, LOGISTIC, None])
def test_all_of_the_history_is_kept_where_the_past_was_like_now(recipe: Any) -> None:
    """Much data is seldom worse, and a shorter history has to be better by an error."""
    past = [rows(500, seed) for seed in range(4)]
    name, reached = chosen(*past, newest=rows(1500, 9), recipe=recipe)
    assert name == "all"
    assert list(reached) == ["all", "half", "quarter"]
    assert all(0.5 < auc["low"] < auc["value"] < auc["high"] for auc in reached.values())


@pytest.mark.parametrize(("old", "name"), [(2, "half"), (3, "quarter")])
def test_a_past_that_meant_the_opposite_is_left_out(old: int, name: str) -> None:
    """The share that begins where the turned rows end ranks the newest rows best."""
    past = [turned(500, seed) for seed in range(old)]
    past += [rows(500, seed) for seed in range(old, 4)]
    picked, reached = chosen(*past, newest=rows(1500, 9))
    assert picked == name
    assert max(reached, key=lambda share: reached[share]["value"]) == name


def test_newest_labels_of_one_class_choose_all_and_measure_nothing() -> None:
    """There is no AUC of one class, and no NaN in the report."""
    raw, target = rows(300, 9)
    assert chosen(rows(500, 1), rows(500, 2), newest=(raw, np.zeros_like(target))) == ("all", {})


def test_a_share_in_which_a_feature_has_no_value_is_left_out() -> None:
    """A column that stopped being delivered stops no run that all of the history can feed."""
    raw, target = rows(500, 2)
    without = raw.assign(a=np.nan), target
    name, reached = chosen(rows(500, 1), without, newest=rows(500, 9))
    assert (name, list(reached)) == ("all", ["all"])


def test_a_share_of_one_class_is_fitted_and_not_chosen() -> None:
    """A quarter without a positive ranks nothing."""
    raw, target = rows(500, 2)
    name, reached = chosen(rows(500, 1), (raw, np.zeros_like(target)), newest=rows(500, 9))
    assert name == "all"
    assert reached["half"]["value"] == pytest.approx(0.5)


def test_the_newest_rows_are_never_among_those_fitted() -> None:
    """What chooses is not what was trained on."""
    store = Store(rows(400, 1), rows(400, 2), rows(400, 3))
    history.choose(shares(store.refs[:2]), store.refs[2:], RECIPE, store.read, params())
    assert store.asked == [["2020-03"], ["2020-01", "2020-02"], ["2020-02"]]
    assert isinstance(store.read(store.refs)[0], pd.DataFrame)
