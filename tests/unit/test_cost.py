"""Cost: node visits are those of a walk through the trees, split by split."""

import numpy as np
import pandas as pd
import pytest
import xgboost

from perennial.core.evaluation import cost
from perennial.core.model import boosting, kinds, linear
from perennial.core.model.calibration import Calibration
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.core.model.decision import Decision
from perennial.params.search import Kind

from .planted import NO_SPEC, part

ROWS = part(400, seed=1).features


def candidate(*members: xgboost.Booster, **changes: object) -> Candidate:
    weights = tuple(1 / len(members) for _ in members)
    content = {
        "kind": "xgboost",
        "spec": NO_SPEC,
        "calibration": Calibration("sigmoid"),
        "decision": Decision(0.5),
        "recipe": {},
        "boosters": members,
        "weights": weights,
    }
    return Candidate(**{**content, **changes})


def booster(max_depth: int = 4, rounds: int = 12, seed: int = 0) -> xgboost.Booster:
    rows = part(600, seed=0)
    recipe = {"params": {"learning_rate": 0.3, "max_depth": max_depth}, "rounds": rounds}
    return boosting.fit(rows.features, rows.target, recipe, seed)


def walked(fitted: xgboost.Booster, rows: pd.DataFrame) -> float:
    """The mean number of splits that a row passes, by going through them one by one."""
    table = fitted.trees_to_dataframe().set_index("ID").to_dict("index")
    roots = [name for name in table if name.endswith("-0")]
    visits = 0
    for _, row in rows.iterrows():
        for root in roots:
            node = root
            while table[node]["Feature"] != "Leaf":
                visits += 1
                split = table[node]
                value = row[split["Feature"]]
                if pd.isna(value):
                    node = split["Missing"]
                elif isinstance(value, str):
                    code = str(rows[split["Feature"]].cat.categories.get_loc(value))
                    node = split["Yes"] if code in split["Category"] else split["No"]
                else:
                    node = split["Yes"] if np.float32(value) < split["Split"] else split["No"]
    return visits / len(rows)


@pytest.mark.parametrize("max_depth", [1, 4])
def test_node_visits_are_those_of_a_walk_through_the_trees(max_depth: int) -> None:
    fitted = booster(max_depth)
    rows = ROWS.iloc[:60].copy()
    rows.loc[rows.index[:5], "x"] = np.nan
    rows.loc[rows.index[5:9], "level"] = None
    splits = fitted.trees_to_dataframe()["Feature"]
    assert max_depth == 1 or "level" in set(splits)  # one on a category too
    assert cost.node_visits(candidate(fitted), rows) == pytest.approx(walked(fitted, rows))


@pytest.mark.parametrize("kind", ["leafwise", "onehot"])
def test_node_visits_of_other_kinds_of_trees_are_those_of_a_walk_too(kind: Kind) -> None:
    rows = part(600, seed=0)
    recipe = {"params": kinds.parameters(kind, kinds.SOUND), "rounds": 12}
    fitted = boosting.fit(rows.features, rows.target, recipe, 0)
    few = ROWS.iloc[:60]
    assert cost.node_visits(candidate(fitted), few) == pytest.approx(walked(fitted, few))


def test_stumps_are_visited_once_each() -> None:
    assert cost.node_visits(candidate(booster(max_depth=1, rounds=7)), ROWS) == pytest.approx(7)


def test_a_forest_that_never_splits_visits_nothing() -> None:
    rows = part(50, seed=0)
    recipe = {"params": {"learning_rate": 0.3, "gamma": 1e9}, "rounds": 3}
    fitted = boosting.fit(rows.features, rows.target, recipe, seed=0)
    assert cost.node_visits(candidate(fitted), ROWS) == 0


def test_every_member_is_counted_as_often_as_it_is_there() -> None:
    first, second = booster(seed=0), booster(max_depth=2)
    one, other = (cost.node_visits(candidate(member), ROWS) for member in (first, second))
    assert one != other
    assert cost.node_visits(candidate(first, second), ROWS) == pytest.approx(one + other)
    assert cost.node_visits(candidate(first, first, first), ROWS) == pytest.approx(3 * one)


def test_a_logistic_regression_visits_each_of_its_terms_once() -> None:
    rows = part(400, seed=0)
    fitted = linear.fit(rows.features, rows.target)
    model = candidate(kind="logistic", logistic=fitted)
    assert cost.node_visits(model, ROWS) == len(fitted.terms) == 5  # x, proxy and three levels


def test_the_model_size_is_that_of_its_files_and_grows_with_its_trees() -> None:
    small, large = candidate(booster(rounds=5)), candidate(booster(rounds=50))
    found = cost.measure(small, ROWS)
    assert found["model_size"] == sum(map(len, to_artefacts(small).values()))
    assert cost.measure(large, ROWS)["model_size"] > 3 * found["model_size"]
    assert cost.measure(large, ROWS)["node_visits"] > 3 * found["node_visits"]


def test_the_cost_is_the_same_every_time() -> None:
    model = candidate(booster())
    assert cost.measure(model, ROWS) == cost.measure(model, ROWS)
