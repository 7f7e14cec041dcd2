"""Kinds of trees: each grows as it says, within the same space, and starts where it should."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.model import boosting, kinds
from perennial.params.search import Kind

RANDOM = np.random.default_rng(0)
LEVELS = [f"{i:02}" for i in range(12)]
ROWS = pd.DataFrame(
    {
        "x": RANDOM.normal(size=2000),
        "level": pd.Categorical(RANDOM.choice(LEVELS, 2000), categories=LEVELS),
    }
)
ODD = ROWS["level"].cat.codes % 2
TARGET = (RANDOM.random(2000) < 1 / (1 + np.exp(-np.sin(3 * ROWS["x"]) - 2 * ODD))).to_numpy(int)


def grown(kind: Kind, **point: float) -> list[dict[str, Any]]:
    """Return the trees of a booster of this kind, as XGBoost writes them."""
    recipe = {
        "params": {**kinds.parameters(kind, {**kinds.SOUND, **point}), "nthread": 1},
        "rounds": 12,
    }
    fitted = boosting.fit(ROWS, TARGET, recipe, 1)
    return json.loads(fitted.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]


def leaves(tree: dict[str, Any]) -> int:
    return sum(child < 0 for child in tree["left_children"])


def test_depthwise_is_the_point_as_it_was_searched() -> None:
    assert kinds.parameters("depthwise", kinds.SOUND) == kinds.SOUND


@pytest.mark.parametrize("depth", [2, 4, 6])
def test_leafwise_trees_have_at_most_half_the_leaves_of_a_whole_tree(depth: int) -> None:
    found = [leaves(tree) for tree in grown("leafwise", max_depth=depth, min_child_weight=1.0)]
    assert max(found) == 2 ** (depth - 1)


def test_leafwise_trees_of_the_lowest_depth_still_split() -> None:
    assert max(leaves(tree) for tree in grown("leafwise", max_depth=1)) == 2


def test_leafwise_trees_go_deeper_than_as_many_leaves_need_but_not_without_bound() -> None:
    found = kinds.parameters("leafwise", {**kinds.SOUND, "max_depth": 6})
    assert found["max_depth"] == 10
    assert found["max_leaves"] == 32


def test_leafwise_draws_features_for_each_node() -> None:
    found = kinds.parameters("leafwise", kinds.SOUND)
    assert found["colsample_bynode"] == kinds.SOUND["colsample_bytree"]
    assert "colsample_bytree" not in found


def test_onehot_parts_one_level_from_the_others_and_depthwise_parts_sets() -> None:
    sizes = {
        kind: {size for tree in grown(kind) for size in tree["categories_sizes"]}
        for kind in ("onehot", "depthwise")
    }
    assert sizes["onehot"] == {1}
    assert max(sizes["depthwise"]) > 1


@pytest.mark.parametrize("kind", ["depthwise", "leafwise", "onehot"])
def test_a_search_of_one_kind_starts_at_the_sound_point_alone(kind: Kind) -> None:
    assert kinds.starts([kind]) == [(kind, kinds.SOUND)]


def test_a_search_of_several_starts_with_their_own_part_of_the_portfolio() -> None:
    found = kinds.starts(["onehot", "leafwise"])
    assert [kind for kind, _ in found] == [k for k, _ in kinds.PORTFOLIO if k != "depthwise"]
    for _, point in found:
        assert point.keys() == kinds.SOUND.keys()


def test_the_first_round_has_every_kind() -> None:
    assert {kind for kind, _ in kinds.PORTFOLIO[:4]} == {"depthwise", "leafwise", "onehot"}
