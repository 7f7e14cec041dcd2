"""Cost of a prediction, counted and not timed, so that every machine finds the same."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perennial.core.model import boosting
from perennial.core.model.candidate import Candidate, to_artefacts

if TYPE_CHECKING:
    import xgboost


def measure(candidate: Candidate, features: pd.DataFrame) -> dict[str, float]:
    """Return the model's bytes and the mean number of nodes visited for a row.

    Args:
        candidate: The model.
        features: Rows of the feature matrix, shape (rows, features).
    """
    size = sum(len(content) for content in to_artefacts(candidate).values())
    return {"model_size": float(size), "node_visits": node_visits(candidate, features)}


def node_visits(candidate: Candidate, features: pd.DataFrame) -> float:
    """Return the mean number of splits that a row passes in all trees of all members.

    A logistic regression visits each of its terms once.
    """
    if candidate.logistic is not None:
        return float(len(candidate.logistic.terms))
    known: dict[int, float] = {}  # a member that is there twice is counted twice, walked once
    for booster in candidate.boosters:
        if id(booster) not in known:
            known[id(booster)] = _visits(booster, features)
    return sum(known[id(booster)] for booster in candidate.boosters)


def _visits(booster: "xgboost.Booster", features: pd.DataFrame) -> float:
    model: Mapping[str, Any] = json.loads(booster.save_raw("json"))
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    leaves = booster.predict(boosting.matrix(features), pred_leaf=True).astype("int64")
    leaves = leaves.reshape(len(features), -1)
    return float(sum(_depths(t)[leaves[:, i]].mean() for i, t in enumerate(trees)))


def _depths(tree: Mapping[str, Any]) -> np.ndarray:
    """Return each node's depth, the root's 0."""
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    depth, level, nodes = np.zeros(len(left)), 0, np.array([0])
    while len(nodes):
        depth[nodes] = level
        nodes = np.concatenate([left[nodes], right[nodes]])
        nodes, level = nodes[nodes >= 0], level + 1
    return depth
