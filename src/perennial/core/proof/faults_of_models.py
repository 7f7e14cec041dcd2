"""Plants in the model and its exports: what training can get wrong, or someone can do to it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.case import Fitted, Parity
from perennial.core.dataset.features import groups
from perennial.core.dataset.part import Part
from perennial.core.evaluation import cost, slices
from perennial.core.model.calibration import Calibration
from perennial.core.model.candidate import Candidate
from perennial.core.model.decision import Decision
from perennial.core.proof.faults_of_data import attribute, group_of, nobody_named
from perennial.core.proof.plant import Plant
from perennial.core.training import fit_candidate, without_mitigation
from perennial.core.verdict import Evidence
from perennial.params import Change, Params

STUMP = {"params": {"learning_rate": 0.3, "max_depth": 1, "base_score": 0.5}, "rounds": 1}
WORSE_BY = 0.02  # ROC AUC below the champion's


@dataclass(frozen=True)
class Tampered(Candidate):
    """A candidate whose log odds are changed, by the matrix or by raw rows; its other parts work
    as ever."""

    by_features: Callable[[pd.DataFrame, np.ndarray], np.ndarray] | None = None
    by_raw: Callable[[pd.DataFrame], np.ndarray] | None = None

    def margin(self, features: pd.DataFrame) -> np.ndarray:
        """Return the changed log odds."""
        margin = super().margin(features)
        return margin if self.by_features is None else self.by_features(features, margin)

    def predict(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return probability and decision, with what the raw rows add."""
        found = super().predict(raw)
        if self.by_raw is None:
            return found
        margin = self.margin(self.spec.transform(raw)) + self.by_raw(raw)
        probability = self.calibration.probability(margin)
        decided = (probability >= self.decision.threshold).astype("int64")
        return found.assign(probability=probability, decision=decided)


def _tampered(case: Fitted, **changes: Any) -> Fitted:
    own = {name: getattr(case.candidate, name) for name in Candidate.__dataclass_fields__}
    return replace(case, candidate=Tampered(**own, **changes))


def miscalibrated(case: Fitted, seed: int) -> Fitted:
    """State probabilities that are too high by 1.5 in log odds."""
    calibration = case.candidate.calibration
    method, slope, intercept = "sigmoid", calibration.slope, calibration.intercept
    shifted = Calibration(method, slope=slope, intercept=intercept + 1.5)  # type: ignore[arg-type]
    return replace(case, candidate=replace(case.candidate, calibration=shifted))


def worse_than_simple(case: Fitted, seed: int) -> Fitted:
    """Learn one split and nothing more."""
    recipe = {"kind": "xgboost", "members": [STUMP]}
    parts, settings = case.parts, without_mitigation(case.params.training)
    stump = fit_candidate(
        recipe, case.candidate.spec, parts["train"], parts["calibration"], settings, seed
    )
    return replace(case, candidate=stump)


def worse_than_champion(case: Fitted, seed: int) -> Fitted:
    """Add noise to the champion's log odds until 0.02 of its AUC is lost."""
    from scipy.stats import rankdata

    holdout = case.parts["holdout"]
    margin = case.candidate.margin(holdout.features)
    noise = np.random.default_rng(seed).normal(size=len(margin)) * margin.std()

    def auc(values: np.ndarray) -> float:
        ranks, positive = rankdata(values), holdout.target == 1
        m, n = positive.sum(), (~positive).sum()
        return float((ranks[positive].sum() - m * (m + 1) / 2) / (m * n))

    low, high, best = 0.0, 4.0, auc(margin)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if best - auc(margin + middle * noise) > WORSE_BY else (middle, high)
        )
    worse = margin + high * noise

    def changed(features: pd.DataFrame, given: np.ndarray) -> np.ndarray:
        return worse if len(features) == len(worse) else given

    return replace(_tampered(case, by_features=changed), champion=case.candidate)


def ruined_on_a_slice(case: Fitted, seed: int) -> Fitted:
    """Say the opposite for one level of a category (or half of a number)."""
    features = case.parts["holdout"].features
    name = next((n for n in features if str(features[n].dtype) == "category"), features.columns[0])
    return _tampered(case, by_features=_opposite(lambda rows: _first_half(rows[name])))


def _first_half(values: pd.Series) -> np.ndarray:
    if str(values.dtype) == "category":
        return (values == values.cat.categories[0]).to_numpy()
    return (values < values.median()).to_numpy()


def _opposite(
    where: Callable[[pd.DataFrame], np.ndarray],
) -> Callable[[pd.DataFrame, np.ndarray], np.ndarray]:
    def changed(features: pd.DataFrame, margin: np.ndarray) -> np.ndarray:
        return np.where(where(features), -3.0 * margin, margin)

    return changed


def ruined_on_a_declared_slice(case: Fitted, seed: int) -> Fitted:
    """Say the opposite in the first slice that the user named."""
    wanted = next(iter(case.params.evaluation.slices.declared.values()))
    sensitive = case.params.sensitive

    def changed(raw: pd.DataFrame) -> np.ndarray:
        features = case.candidate.spec.transform(raw)
        inside = np.ones(len(raw), dtype=bool)
        for column, levels in wanted.items():
            if column in features:
                values = features[column]
            else:
                values = groups(raw, {column: sensitive[column]})[column]
            inside &= slices.belongs(values, levels)
        margin = case.candidate.margin(features)
        return np.where(inside, -4.0 * margin, 0.0)

    return _tampered(case, by_raw=changed)


def unfair_decisions(case: Fitted, seed: int) -> Fitted:
    """Decide for one group by a threshold that hardly anyone reaches."""
    name = attribute(case.params)
    values = groups(case.rows.raw, {name: case.params.sensitive[name]})[name]
    group = str(values[group_of(case.rows, case.params)].iloc[0])
    probability = case.candidate.probability(case.parts["holdout"].features)
    unfair = Decision(float(np.quantile(probability, 0.4)), name, {group: 0.99})
    return replace(case, candidate=replace(case.candidate, decision=unfair))


def decides_by_group(case: Fitted, seed: int) -> Fitted:
    """Let the group alone decide most rows."""
    name = attribute(case.params)
    settings, sensitive = {name: case.params.sensitive[name]}, case.params.sensitive
    group = groups(case.rows.raw, settings)[name][group_of(case.rows, case.params)].iloc[0]

    def changed(raw: pd.DataFrame) -> np.ndarray:
        member = (groups(raw, {name: sensitive[name]})[name] == group).to_numpy()
        return np.where(member, 6.0, -6.0)

    return _tampered(case, by_raw=changed)


def goes_against_a_declared_change(case: Fitted, seed: int) -> Fitted:
    """Let the probability move with the first declared change as it must not."""
    change: Change = next(iter(case.params.behaviour.changes.values()))
    original = case.raw[change.column]
    sign = 1.0 if change.expect != "not_lower" else -1.0

    def changed(raw: pd.DataFrame) -> np.ndarray:
        values = raw[change.column]
        if "to" in change.model_fields_set:
            return np.where(values == change.to, 2.0 * sign, 0.0)
        up = (change.add or 0) > 0 or abs(change.multiply or 0) > 1
        rises = 1.0 if up else -1.0
        return 2.0 * sign * rises * (values > original.median()).to_numpy(dtype="float64")

    return _tampered(case, by_raw=changed)


def hangs_on_the_batch(case: Fitted, seed: int) -> Fitted:
    """Centre the log odds on the batch's own mean."""
    return _tampered(case, by_features=lambda _, margin: margin - margin.mean())


def nan_on_rare_input(case: Fitted, seed: int) -> Fitted:
    """Say nothing where a number is missing."""
    numbers = case.parts["holdout"].features.select_dtypes("number").columns
    rare = case.parts["holdout"].features[numbers].isna().mean().idxmin()
    return _tampered(
        case, by_features=lambda rows, margin: np.where(rows[rare].isna(), np.nan, margin)
    )


def unstable_explanation(case: Fitted, seed: int) -> Fitted:
    """Learn from other features than the champion: its largest ones are shuffled in training."""
    train, random = case.parts["train"], np.random.default_rng(seed)
    values, _ = case.candidate.contributions(train.features.iloc[:2000])
    size = pd.Series(np.abs(values).mean(axis=0), index=train.features.columns)
    half = size.nlargest(max(1, len(size) // 2)).index
    shuffled = train.features.assign(
        **{n: train.features[n].to_numpy()[random.permutation(len(train.target))] for n in half}
    )
    other = fit_candidate(
        case.candidate.recipe,
        case.candidate.spec,
        Part(shuffled.astype(train.features.dtypes.to_dict()), train.target, train.groups),
        case.parts["calibration"],
        case.params.training,
        seed,
    )
    return replace(case, candidate=other, champion=case.candidate)


def false_explanation(case: Fitted, seed: int) -> Fitted:
    """Explain a model that is not the one that decides."""
    return _tampered(case, by_features=lambda _, margin: margin + 0.01)


def too_slow(case: Fitted, evidence: Evidence, parity: Parity) -> Evidence:
    """Cost ten times what is allowed: the same members over and over, so nothing else changes."""
    found = evidence.behaviour["cost"]
    members = case.candidate.boosters
    allowed = case.params.gates.cost.node_visits * found["default"]["node_visits"]
    times = int(np.ceil(10 * allowed / found["candidate"]["node_visits"]))
    slow = replace(
        case.candidate,
        boosters=members * times,
        weights=tuple([1 / len(members) / times] * len(members) * times),
    )
    costs = {
        "candidate": cost.measure(slow, case.parts["holdout"].features),
        "default": found["default"],
    }
    return replace(evidence, behaviour={**evidence.behaviour, "cost": costs})


def wrong_export(case: Fitted, evidence: Evidence, parity: Parity) -> Evidence:
    """Export another model."""
    rows = case.parts["holdout"].features
    return replace(evidence, parity=parity(case.candidate, case.default, case.raw, rows))


def _no_declared_slice(params: Params) -> str | None:
    return None if params.evaluation.slices.declared else "evaluation.slices.declared is empty"


def _no_declared_change(params: Params) -> str | None:
    return None if params.behaviour.changes else "behaviour.changes is empty"


def _first_change(params: Params) -> str:
    return f"direction_{next(iter(params.behaviour.changes))}"


PLANTS = (
    Plant("miscalibrated_scores", lambda _: "calibration", model=miscalibrated),
    Plant("worse_than_logistic", lambda _: "better_than_logistic", model=worse_than_simple),
    Plant("worse_than_default", lambda _: "better_than_default", model=worse_than_simple),
    Plant("worse_than_champion", lambda _: "champion", model=worse_than_champion),
    Plant("ruined_on_a_slice", lambda _: "slices", model=ruined_on_a_slice),
    Plant(
        "ruined_on_a_declared_slice",
        lambda _: "declared_slices",
        model=ruined_on_a_declared_slice,
        needs=_no_declared_slice,
    ),
    Plant(
        "unfair_decisions",
        lambda params: f"fairness_{attribute(params)}",
        model=unfair_decisions,
        needs=nobody_named,
    ),
    Plant(
        "decides_by_group",
        lambda params: f"flipped_{attribute(params)}",
        model=decides_by_group,
        needs=nobody_named,
    ),
    Plant(
        "goes_against_a_declared_change",
        _first_change,
        model=goes_against_a_declared_change,
        needs=_no_declared_change,
    ),
    Plant("hangs_on_the_batch", lambda _: "invariance", model=hangs_on_the_batch),
    Plant("nan_on_rare_input", lambda _: "robustness", model=nan_on_rare_input),
    Plant("unstable_explanation", lambda _: "stability", model=unstable_explanation),
    Plant("false_explanation", lambda _: "additivity", model=false_explanation),
    Plant("ten_times_too_slow", lambda _: "node_visits", evidence=too_slow),
    Plant("ten_times_too_big", lambda _: "model_size", evidence=too_slow),
    Plant("wrong_onnx", lambda _: "parity_onnx", evidence=wrong_export),
    Plant("wrong_pyfunc", lambda _: "parity_pyfunc", evidence=wrong_export),
)
