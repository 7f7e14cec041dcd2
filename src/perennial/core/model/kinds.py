"""Kinds of boosted trees, which err in different places: what one search tries beside each other.

All are searched over the same six numbers (`search.space`) and are XGBoost models, so that SHAP
values, ONNX and the artefacts are the same for all.
"""

from collections.abc import Mapping
from typing import Any

from perennial.params.search import Kind

SOUND = {  # a sound point to start from
    "max_depth": 5,
    "min_child_weight": 5.0,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "reg_alpha": 0.01,
}
# What was good on public sets, on splits that no figure of the README comes from
# (docs/decisions/0025): where several kinds are searched, the first trials are these.
PORTFOLIO: tuple[tuple[Kind, Mapping[str, float]], ...] = (
    ("depthwise", {"max_depth": 4, "colsample_bytree": 0.6}),
    ("leafwise", {"min_child_weight": 10.0, "colsample_bytree": 0.5, "reg_lambda": 5.0}),
    ("onehot", {"max_depth": 4, "colsample_bytree": 0.6}),
    ("depthwise", {}),
    ("onehot", {"max_depth": 3, "colsample_bytree": 0.6}),
    ("leafwise", {"max_depth": 4, "colsample_bytree": 0.4}),
    ("depthwise", {"max_depth": 6, "min_child_weight": 20.0, "colsample_bytree": 0.4}),
    (
        "leafwise",
        {
            "max_depth": 6,
            "min_child_weight": 30.0,
            "subsample": 0.6,
            "colsample_bytree": 0.3,
            "reg_lambda": 10.0,
        },
    ),
)


def starts(kinds: list[Kind]) -> list[tuple[Kind, dict[str, float]]]:
    """Return where a search of these kinds starts: each kind's own part of the portfolio, in its
    order; the sound point alone where there is nothing to choose between."""
    if len(kinds) == 1:
        return [(kinds[0], dict(SOUND))]
    return [(kind, {**SOUND, **point}) for kind, point in PORTFOLIO if kind in kinds]


def parameters(kind: Kind, searched: Mapping[str, Any]) -> dict[str, Any]:
    """Return XGBoost's parameters of a point of `search.space`.

    `depthwise` takes the point as it is. `onehot` splits one level of a category from the others,
    where XGBoost would look for the best set of levels, which overfits many small ones. `leafwise`
    splits the leaf that gains most (Shi 2007; LightGBM's way) until there are half as many leaves
    as a whole tree of the depth has; features are drawn for each node, not for the tree.
    """
    if kind == "depthwise":
        return dict(searched)
    if kind == "onehot":
        return {**searched, "max_cat_to_onehot": 1_000_000}
    rest = {name: value for name, value in searched.items() if name != "colsample_bytree"}
    depth = int(searched["max_depth"])
    return {
        **rest,
        "grow_policy": "lossguide",
        "max_leaves": max(2, 2 ** (depth - 1)),
        "max_depth": depth + 4,  # bounds what a row costs
        "colsample_bynode": searched["colsample_bytree"],
    }
