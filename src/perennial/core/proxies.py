"""Proxies: features that give a sensitive attribute away though they are not it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from perennial.core import leaks
from perennial.core.dataset.features import FeatureSpec
from perennial.core.dataset.part import Part, evenly
from perennial.core.model import boosting
from perennial.core.statistics import roc
from perennial.params import Feature, Params

RECIPE = {"params": {"learning_rate": 0.3, "max_depth": 4}, "rounds": 40}


def find_all(
    train: Part, holdout: Part, spec: FeatureSpec, params: Params
) -> dict[str, dict[str, Any]]:
    """Return what `find` says of each attribute of `fairness.attributes`.

    Args:
        train: At most `explanation.rows` of its rows are looked at, evenly spaced.
        holdout: All of its rows are.
        spec: Says which raw column an attribute and a feature come from.
        params: The groups explanation, fairness and evaluation, and the seed.
    """
    chosen = evenly(len(train.features), params.explanation.rows)
    return {
        attribute: find(
            (train.features.iloc[chosen], train.groups[attribute].to_numpy()[chosen]),
            (holdout.features, holdout.groups[attribute].to_numpy(), holdout.key),
            spec.columns,
            spec.sensitive[attribute].source,
            params.explanation.proxy_auc,
            params.fairness.min_group,
            params.evaluation.confidence,
            params.seed,
        )
        for attribute in params.fairness.attributes
    }


def find(
    train: tuple[pd.DataFrame, np.ndarray],
    holdout: tuple[pd.DataFrame, np.ndarray, np.ndarray | None],
    columns: Mapping[str, Feature],
    source: str,
    proxy_auc: float,
    min_group: int,
    confidence: float,
    seed: int,
) -> dict[str, Any]:
    """Return which features carry a sensitive attribute, and how well the rest predicts it.

    A feature is a proxy if it alone tells some group from the others with at least this AUC. How
    well all features together, but for the attribute's own, predict each group is measured on the
    holdout, by boosted trees fitted on the training rows.

    Args:
        train: Features and groups of training rows.
        holdout: The same of holdout rows, and their clusters if they are not independent.
        columns: The features' definitions.
        source: The raw column that the attribute comes from.
        proxy_auc: The AUC that makes a proxy.
        min_group: Groups with fewer training rows, or holdout rows, are left out.
        confidence: Of the intervals.
        seed: Of the trees.

    Returns:
        `own` (features of the same raw column), `proxies` (names), `alone` (each feature's best
        AUC) and `predicted` (AUC by group, an estimate each).
    """
    features, groups = train
    own = [name for name, feature in columns.items() if feature.source == source]
    rest = features.drop(columns=own)
    alone = dict.fromkeys(map(str, rest.columns), 0.5)
    predicted = {}
    sizes = pd.Series(groups).value_counts()
    for group in sorted(name for name in sizes.index if min_group <= sizes[name]):
        member = (groups == group).astype("int64")
        if member.all():
            continue
        for name, auc in leaks.single_features(rest, member).items():
            alone[name] = max(alone[name], auc["value"])
        held = (holdout[1] == group).astype("int64")
        if min_group <= held.sum() <= len(held) - min_group and not rest.empty:
            booster = boosting.fit(rest, member, RECIPE, seed)
            margin = boosting.margin(booster, boosting.matrix(holdout[0][rest.columns]))
            predicted[str(group)] = roc.roc_auc(held, margin, confidence, holdout[2]).to_json()
    return {
        "own": own,
        "proxies": sorted(name for name, auc in alone.items() if auc >= proxy_auc),
        "alone": alone,
        "predicted": predicted,
    }
