"""The candidate: everything from raw rows to a decision, as artefacts that need no pickle.

Its score is the weighted mean of its members' log odds. Means of log odds (not of probabilities)
keep SHAP values additive over the ensemble and through the sigmoid's slope.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from perennial.core.dataset.features import FeatureSpec, groups
from perennial.core.model import boosting
from perennial.core.model.calibration import Calibration
from perennial.core.model.decision import Decision
from perennial.core.model.linear import Logistic

if TYPE_CHECKING:
    import xgboost

Kind = Literal["xgboost", "logistic"]
MODEL = "model.json"
SPEC = "features.json"


@dataclass(frozen=True)
class Candidate:
    """A model with its feature spec, calibration and decision.

    Exactly one of `boosters` (with their `weights`, which sum to 1) and `logistic` is there.
    `recipe` is what a later `retrain` fits again without a search.
    """

    kind: Kind
    spec: FeatureSpec
    calibration: Calibration
    decision: Decision
    recipe: Mapping[str, Any]
    boosters: tuple["xgboost.Booster", ...] = ()
    weights: tuple[float, ...] = ()
    logistic: Logistic | None = None

    def margin(self, features: pd.DataFrame) -> np.ndarray:
        """Return the uncalibrated log odds of rows of the feature matrix, shape (rows,)."""
        if self.logistic is not None:
            return self.logistic.margin(features)
        return mean_margin(self.boosters, self.weights, features)

    def contributions(self, features: pd.DataFrame) -> tuple[np.ndarray, float]:
        """Return SHAP values in log odds, shape (rows, features), and their base value."""
        if self.logistic is not None:
            return self.logistic.contributions(features), self.logistic.intercept
        values, base = np.zeros(features.shape), 0.0
        for booster, weight in zip(self.boosters, self.weights, strict=True):
            parts, start = boosting.contributions(booster, features)
            values += weight * parts
            base += weight * start
        return values, base

    def probability(self, features: pd.DataFrame) -> np.ndarray:
        """Return calibrated probabilities of rows of the feature matrix, shape (rows,)."""
        return self.calibration.probability(self.margin(features))

    def predict(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return `probability` and `decision` of raw rows.

        Raises:
            InputError: a raw column that a feature comes from is missing.
        """
        probability = self.probability(self.spec.transform(raw))
        decided = self.decide(probability, raw)
        return pd.DataFrame({"probability": probability, "decision": decided}, index=raw.index)

    def decide(self, probability: np.ndarray, raw: pd.DataFrame) -> np.ndarray:
        """Return the decisions, 0 or 1, on raw rows of these probabilities, shape (rows,).

        Raises:
            InputError: the raw column that thresholds per group need is missing.
        """
        attribute = self.decision.attribute
        if attribute is None:
            return self.decision.decide(probability, None)
        group = groups(raw, {attribute: self.spec.sensitive[attribute]})[attribute]
        return self.decision.decide(probability, group.to_numpy())


def mean_margin(
    boosters: tuple["xgboost.Booster", ...], weights: tuple[float, ...], features: pd.DataFrame
) -> np.ndarray:
    """Return the weighted mean of boosters' log odds, shape (rows,), float64."""
    rows = boosting.matrix(features)
    total = np.zeros(len(features))
    for booster, weight in zip(boosters, weights, strict=True):
        total += weight * boosting.margin(booster, rows)
    return total


def to_artefacts(candidate: Candidate) -> dict[str, bytes]:
    """Return the candidate as named bytes: JSON and XGBoost's UBJSON."""
    members = {
        f"member-{i:02}.ubj": boosting.to_bytes(booster)
        for i, booster in enumerate(candidate.boosters)
    }
    model = {
        "schema_version": 1,
        "kind": candidate.kind,
        "members": [
            {"file": name, "weight": weight}
            for name, weight in zip(members, candidate.weights, strict=True)
        ],
        "logistic": candidate.logistic.to_json() if candidate.logistic else None,
        "calibration": candidate.calibration.to_json(),
        "decision": candidate.decision.to_json(),
        "recipe": candidate.recipe,
    }
    return {MODEL: _json(model), SPEC: _json(candidate.spec.to_json()), **members}


def from_artefacts(artefacts: Mapping[str, bytes]) -> Candidate:
    """Return the candidate that `to_artefacts` wrote."""
    model = json.loads(artefacts[MODEL])
    return Candidate(
        kind=model["kind"],
        spec=FeatureSpec.from_json(json.loads(artefacts[SPEC])),
        calibration=Calibration.from_json(model["calibration"]),
        decision=Decision(**model["decision"]),
        recipe=model["recipe"],
        boosters=tuple(boosting.from_bytes(artefacts[m["file"]]) for m in model["members"]),
        weights=tuple(m["weight"] for m in model["members"]),
        logistic=Logistic.from_json(model["logistic"]) if model["logistic"] else None,
    )


def _json(content: Mapping[str, Any]) -> bytes:
    """Return JSON with every float exact: a model must come back as it was."""
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
