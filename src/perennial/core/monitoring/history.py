"""How much history to train on, chosen by what the newest labels say."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from perennial.core.dataset import features
from perennial.core.dataset.plan import BatchRef
from perennial.core.model import boosting
from perennial.core.monitoring.finding import Read
from perennial.core.statistics import roc
from perennial.params import Params

ONE_ERROR = 0.6827  # confidence of an interval of one standard error to each side


def choose(
    shares: Mapping[str, Sequence[BatchRef]],
    newest: Sequence[BatchRef],
    recipe: Mapping[str, Any] | None,
    read: Read,
    params: Params,
) -> tuple[str, dict[str, dict[str, float | int]]]:
    """Return which share of the history to train on, and the ROC AUC that each reached.

    All of it, unless a shorter one is better by more than one standard error of the paired
    difference (as Breiman et al. 1984 choose between models): the newest labels are few, and
    much data is seldom worse. A share that can't be fitted (a feature without any value) is left
    out, and where the newest labels are of one class only, nothing is measured.

    Args:
        shares: By name, the longest first; as `plan.shares` returns them.
        newest: The calibration batches: the newest that are not held out.
        recipe: The champion's, whose first member is fitted; XGBoost's defaults for a champion by
            logistic regression, or None.
        read: Reads batches, labels included.
        params: The groups seed, features and sensitive.
    """
    raw, target = read(newest)
    assert target is not None
    chosen = next(iter(shares))
    if len(np.unique(target)) < 2:
        return chosen, {}
    members = (recipe or {}).get("members") or [boosting.DEFAULT]
    scores = {}
    for name, batches in shares.items():
        rows, labels = read(batches)
        assert labels is not None
        derived = features.derive(rows, params.features.columns)
        if name != chosen and not derived.notna().any().all():
            continue
        spec = features.fit(derived, params.features, params.sensitive)
        booster = boosting.fit(features.apply(spec, derived), labels, members[0], params.seed)
        scores[name] = boosting.margin(booster, boosting.matrix(spec.transform(raw)))
    reached = {name: roc.roc_auc(target, s, ONE_ERROR) for name, s in scores.items()}
    for name, score in scores.items():
        gain = roc.roc_auc_difference(target, score, scores[chosen], ONE_ERROR)
        if gain.low > 0:
            chosen = name
    return chosen, {name: auc.to_json() for name, auc in reached.items()}
