"""Small settings and data with a planted answer, for the tests beside this file."""

from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.features import FeatureSpec
from perennial.core.dataset.part import Part
from perennial.params import Feature, Features, Mitigation, Sensitive, Training, Utility

WIN_OR_ANNOY = Utility(
    true_positive=1.0, false_positive=-1.0, false_negative=0.0, true_negative=0.0
)
NO_SPEC = FeatureSpec({}, {}, {})  # for candidates that are given matrices, never raw rows


def feature(kind: str, source: str = "x", missing: Any = None) -> Feature:
    return Feature.model_validate({"from": source, "as": kind, "missing": missing, "why": "a test"})


def features(rare_below: int = 0, **columns: Feature) -> Features:
    return Features(rare_below=rare_below, columns=columns, drop={})


def sensitive(source: str = "x", bins: list[float] | None = None) -> Sensitive:
    return Sensitive.model_validate({"from": source, "bins": bins})


def training(
    method: str = "none", constraint: str = "demographic_parity", calibration: str = "sigmoid"
) -> Training:
    mitigation = Mitigation.model_validate(
        {
            "method": method,
            "attribute": "g",
            "constraint": constraint,
            "permission": "a test's author, for planted data",
        }
    )
    return Training.model_validate(
        {"calibration": calibration, "utility": WIN_OR_ANNOY, "mitigation": mitigation}
    )


def part(rows: int, seed: int, disparity: float = 1.5) -> Part:
    """Rows of groups a and b, where b says yes less often by `disparity` log odds and one feature
    is a proxy of the group."""
    random = np.random.default_rng(seed)
    group = np.where(random.random(rows) < 0.4, "b", "a").astype(object)
    x, level = random.normal(size=rows), random.choice(["u", "v", "w"], rows)
    proxy = (group == "b") + random.normal(size=rows) * 0.4
    odds = 1.2 * x - disparity * (group == "b") + 0.5 * (level == "u")
    target = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype("int64")
    matrix = pd.DataFrame(
        {"x": x, "proxy": proxy, "level": pd.Categorical(level, categories=["u", "v", "w"])}
    )
    return Part(matrix, target, pd.DataFrame({"g": group}))
