"""Proxies: a feature that gives a group away is found, and one that does not is left alone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core import proxies

from .planted import feature

COLUMNS = {
    "marital": feature("category", "status"),
    "name": feature("category", "name"),
    "height": feature("number", "height"),
    "noise": feature("number", "noise"),
}


def drawn(rows: int, seed: int, shares: tuple[float, ...] = (0.6, 0.3, 0.1)) -> Any:
    """Rows where the name tells the group nine times in ten, and the height a little."""
    random = np.random.default_rng(seed)
    group = random.choice(["a", "b", "c"], rows, p=shares).astype(object)
    known = np.where(random.random(rows) < 0.9, group, random.choice(["a", "b", "c"], rows))
    features = pd.DataFrame(
        {
            "marital": pd.Categorical(group, categories=["a", "b", "c"]),
            "name": pd.Categorical(known, categories=["a", "b", "c"]),
            "height": random.normal(size=rows) + 0.4 * (group == "b"),
            "noise": random.normal(size=rows),
        }
    )
    return features, group


def find(train: Any, holdout: Any, proxy_auc: float = 0.75, min_group: int = 50) -> Any:
    return proxies.find(
        train, (*holdout, None), COLUMNS, "status", proxy_auc, min_group, confidence=0.95, seed=0
    )


@pytest.fixture(scope="module")
def found() -> Any:
    return find(drawn(1500, 0), drawn(1000, 1))


def test_the_attributes_own_feature_and_its_proxy_are_told_apart(found: Any) -> None:
    assert found["own"] == ["marital"]
    assert found["proxies"] == ["name"]


def test_how_well_each_other_feature_alone_tells_a_group_is_reported(found: Any) -> None:
    assert set(found["alone"]) == {"name", "height", "noise"}
    assert found["alone"]["name"] > 0.9
    assert 0.55 < found["alone"]["height"] < 0.7
    assert found["alone"]["noise"] < 0.57


def test_a_feature_is_a_proxy_from_the_auc_that_is_asked_for() -> None:
    rows = drawn(1500, 0), drawn(1000, 1)
    assert find(*rows, proxy_auc=0.55)["proxies"] == ["height", "name"]
    assert find(*rows, proxy_auc=0.99)["proxies"] == []


def test_the_rest_predicts_each_group_of_the_holdout_without_the_attribute_itself(
    found: Any,
) -> None:
    assert set(found["predicted"]) == {"a", "b", "c"}
    for estimate in found["predicted"].values():
        assert estimate["n"] == 1000
        assert 0.85 < estimate["low"] < estimate["value"] < estimate["high"] < 1


def test_features_that_know_nothing_of_the_group_predict_it_by_chance() -> None:
    (train, group), (holdout, held) = drawn(1500, 0), drawn(1000, 1)
    found = find((train[["marital", "noise"]], group), (holdout[["marital", "noise"]], held))
    assert found["proxies"] == []
    assert all(e["low"] < 0.5 < e["high"] for e in found["predicted"].values())


def test_a_group_with_few_training_rows_makes_no_proxy_and_is_not_predicted() -> None:
    found = find(drawn(300, 0), drawn(1000, 1), min_group=60)  # c has some thirty of them
    assert set(found["predicted"]) == {"a", "b"}


def test_a_group_with_few_holdout_rows_is_looked_at_and_not_predicted() -> None:
    found = find(drawn(1500, 0), drawn(300, 1), min_group=60)
    assert set(found["predicted"]) == {"a", "b"}
    assert found["proxies"] == ["name"]


def test_an_attribute_with_one_group_alone_has_no_proxies() -> None:
    only = (1.0, 0.0, 0.0)
    found = find(drawn(300, 0, only), drawn(300, 1, only))
    assert (found["proxies"], found["predicted"]) == ([], {})
    assert set(found["alone"].values()) == {0.5}


def test_a_model_of_the_attributes_own_feature_alone_has_nothing_else_to_be_a_proxy() -> None:
    (train, group), (holdout, held) = drawn(300, 0), drawn(300, 1)
    found = find((train[["marital"]], group), (holdout[["marital"]], held), min_group=10)
    assert (found["own"], found["proxies"], found["predicted"]) == (["marital"], [], {})
