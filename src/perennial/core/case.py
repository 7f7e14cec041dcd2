"""A case: rows, what is fitted on them, and the evidence that the gates see; all in memory.

The same functions of the core as the stages call, on a population of one's choice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.core import attribution, fairness, leaks, proxies
from perennial.core.dataset import features
from perennial.core.dataset.part import Part, evenly
from perennial.core.dataset.plan import PARTS
from perennial.core.evaluation import probing, slices
from perennial.core.model.candidate import Candidate
from perennial.core.training import BASELINES, fit_candidate, margin_without, without_mitigation
from perennial.core.verdict import Evidence, Rival
from perennial.params import Params

# from the candidate, the model whose exports are judged, raw rows and their features to gaps
Parity = Callable[[Candidate, Candidate, pd.DataFrame, pd.DataFrame], Mapping[str, Any]]
RECIPE: Mapping[str, Any] = {
    "kind": "xgboost",
    "members": [
        {"params": {"learning_rate": 0.1, "max_depth": 4, "min_child_weight": 10.0}, "rounds": 80}
    ],
}


@dataclass(frozen=True)
class Rows:
    """Raw rows with their target, part, and where each comes from.

    `raw` has shape (rows, columns); `target` 0 or 1, `part`, `period` and `place` (the row's number
    in its period) have shape (rows,). `by_time` says whether the parts follow the periods.
    """

    raw: pd.DataFrame
    target: np.ndarray
    part: np.ndarray
    period: np.ndarray
    place: np.ndarray
    by_time: bool = False

    def of(self, *parts: str) -> np.ndarray:
        """Return which rows are of one of these parts, shape (rows,)."""
        return np.isin(self.part, parts)

    def take(self, chosen: np.ndarray) -> "Rows":
        """Return the rows chosen by number or mask."""
        return Rows(
            self.raw.iloc[np.arange(len(self.raw))[chosen]].reset_index(drop=True),
            self.target[chosen],
            self.part[chosen],
            self.period[chosen],
            self.place[chosen],
            self.by_time,
        )


@dataclass(frozen=True)
class Fitted:
    """A case after training: the models, and the rows they are judged on.

    `champion` is whom the candidate challenges, if there is one; `is_champion` says that both are
    the same bundle.
    """

    rows: Rows
    params: Params
    derived: pd.DataFrame
    parts: Mapping[str, Part]
    candidate: Candidate
    logistic: Candidate
    default: Candidate
    champion: Candidate | None = None
    is_champion: bool = False

    @property
    def raw(self) -> pd.DataFrame:
        """The raw rows of the holdout."""
        return self.rows.raw[self.rows.of("holdout")].reset_index(drop=True)


def fit(rows: Rows, params: Params, recipe: Mapping[str, Any] = RECIPE) -> Fitted:
    """Fit candidate and simple models as the stages features and train do."""
    derived = features.derive(rows.raw, params.features.columns)
    spec = features.fit(derived[rows.of("train")], params.features, params.sensitive)
    matrix = features.apply(spec, derived)
    groups = features.groups(rows.raw, params.sensitive)
    parts = {}
    for name in PARTS:
        own = rows.of(name)
        parts[name] = Part(
            matrix[own].reset_index(drop=True),
            rows.target[own],
            groups[own].reset_index(drop=True),
        )
    plain = without_mitigation(params.training)
    candidate, logistic, default = (
        fit_candidate(wanted, spec, parts["train"], parts["calibration"], settings, params.seed)
        for wanted, settings in [
            (recipe, params.training),
            (BASELINES["logistic"], plain),
            (BASELINES["default"], plain),
        ]
    )
    return Fitted(rows, params, derived, parts, candidate, logistic, default)


def collect(case: Fitted, parity: Parity, drifted: bool = False) -> Evidence:
    """Return the evidence as the stages evaluate to fairness would leave it.

    Args:
        case: What was fitted.
        parity: Compares the candidate with its exports.
        drifted: Whether drift or harm is why there is a candidate.
    """
    scores = score(case)
    explained, attributions = _explain(case)
    holdout = case.parts["holdout"]
    found = slices.look(holdout.features, holdout.groups, scores, case.params.evaluation.slices)
    without = margin_without(
        case.candidate.recipe,
        case.parts["train"],
        holdout.features,
        explained["largest"],
        case.params.seed,
    )
    return Evidence(
        scores=scores.assign(without_largest=without.round(6)),  # as explain writes it: see 0005
        slices=found["searched"],
        declared_slices=found["declared"],
        counts=_counts(case, scores),
        train_attributions=attributions["train"],
        holdout_attributions=attributions["holdout"],
        explained=explained,
        leaks=_leaks(case),
        behaviour=_behave(case),
        parity=parity(case.candidate, case.candidate, case.raw, holdout.features),
        champion=_rival(case, len(attributions["holdout"])),
        drifted=drifted,
    )


def score(case: Fitted) -> pd.DataFrame:
    """Return the scores of the holdout as the stage evaluate writes them."""
    raw, holdout = case.raw, case.parts["holdout"]
    found = case.candidate.predict(raw)
    scores = pd.DataFrame(
        {
            "target": holdout.target,
            "probability": found["probability"].to_numpy(),
            "decision": found["decision"].to_numpy(),
            "logistic": case.logistic.probability(holdout.features),
            "default": case.default.probability(holdout.features),
            "prior": float(case.parts["calibration"].target.mean()),
        }
    )
    return scores.round(9)  # as the stage rounds them


def _counts(case: Fitted, scores: pd.DataFrame) -> dict[str, Any]:
    groups = case.parts["holdout"].groups
    return {
        " × ".join(attributes): fairness.counts(
            scores["target"].to_numpy(),
            scores["decision"].to_numpy(),
            fairness.group_names(groups, attributes),
        )
        for attributes in fairness.combinations_of(case.params.fairness)
    }


def _explain(case: Fitted) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    explained: dict[str, Any] = {}
    attributions = {}
    settings, train, holdout = case.params.explanation, case.parts["train"], case.parts["holdout"]
    for name, part in (("train", train), ("holdout", holdout)):
        chosen = part.features.iloc[evenly(len(part.features), settings.rows)]
        values, base = case.candidate.contributions(chosen)
        attributions[name] = pd.DataFrame(values, columns=chosen.columns)
        error = attribution.additivity_error(values, base, case.candidate.margin(chosen))
        explained[name] = {"rows": len(chosen), "additivity_error": error}
    explained["largest"] = attribution.importance(attributions["train"])[0]["feature"]
    columns = case.candidate.spec.columns
    explained["sources"] = {name: feature.source for name, feature in columns.items()}
    explained["proxies"] = proxies.find_all(train, holdout, case.candidate.spec, case.params)
    return explained, attributions


def _leaks(case: Fitted) -> dict[str, Any]:
    rows, train = case.rows, case.parts["train"]
    table = features.groups(rows.raw, case.params.sensitive)
    table = table.assign(period=rows.period, row=rows.place)
    digests = {period: period for period in set(rows.period)}
    kind = "time" if rows.by_time else "stratified"
    split = case.params.split.model_copy(update={"kind": kind, "key": None})
    found = leaks.find(rows.part, table, case.derived, list(case.params.sensitive), digests, split)
    return {**found, "single_features": leaks.single_features(train.features, train.target)}


def _behave(case: Fitted) -> dict[str, Any]:
    settings, holdout = case.params.behaviour, case.parts["holdout"].features
    chosen = evenly(len(holdout), settings.rows)
    raw, rows = case.raw.iloc[chosen].reset_index(drop=True), holdout.iloc[chosen]
    return probing.probe(case.candidate, case.default, raw, rows, settings, case.params.seed)


def _rival(case: Fitted, explained: int) -> Rival | None:
    if case.champion is None:
        return None
    rows = case.champion.spec.transform(case.raw)
    if case.is_champion:
        return Rival(True, case.champion.probability(rows), pd.DataFrame())
    values, _ = case.champion.contributions(rows.iloc[evenly(len(rows), explained)])
    return Rival(
        False,
        case.champion.probability(rows),
        pd.DataFrame(values, columns=rows.columns),
    )
