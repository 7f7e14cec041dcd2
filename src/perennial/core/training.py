"""Training: from a recipe and matrices to a candidate that can decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perennial.core import fairness
from perennial.core.dataset.features import FeatureSpec
from perennial.core.dataset.part import Part
from perennial.core.model import boosting, calibration, decision, linear
from perennial.core.model.candidate import Candidate, mean_margin
from perennial.errors import InputError
from perennial.params import Mitigation, Training

if TYPE_CHECKING:
    import xgboost

CONSTRAINTS = {
    "true_positive_rate_parity": "TruePositiveRateParity",
    "false_positive_rate_parity": "FalsePositiveRateParity",
    "demographic_parity": "DemographicParity",
}


BASELINES: dict[str, Any] = {  # the simple models that a candidate has to be worth more than
    "logistic": {"kind": "logistic", "members": []},
    "default": {"kind": "xgboost", "members": [boosting.DEFAULT]},
}


Fit = Callable[
    [Part, np.ndarray | None, Sequence[Mapping[str, Any]], int, str], tuple["xgboost.Booster", ...]
]


def fit_members(
    train: Part,
    weight: np.ndarray | None,
    members: Sequence[Mapping[str, Any]],
    seed: int,
    device: str,
) -> tuple["xgboost.Booster", ...]:
    """Fit each member of a recipe on all rows, by `seed` and its number."""
    rows = boosting.matrix(train.features, train.target, weight)
    return tuple(
        boosting.fit_on(rows, member, seed + i, device) for i, member in enumerate(members)
    )


def fit_candidate(
    recipe: Mapping[str, Any],
    spec: FeatureSpec,
    train: Part,
    calibrate: Part,
    settings: Training,
    seed: int,
    device: str = boosting.CPU,
    fit: Fit = fit_members,
) -> Candidate:
    """Fit the recipe on the training rows, then calibration and thresholds on the calibration rows.

    The mitigation is done where its method belongs: `reweighing` and `exponentiated_gradient` in
    the fit, `thresholds` in the decision. `fit` fits boosted members, here or elsewhere.
    """
    boosters, weights, logistic = _fit_recipe(recipe, train, settings.mitigation, seed, device, fit)
    margin = (
        logistic.margin(calibrate.features)
        if logistic
        else mean_margin(boosters, weights, calibrate.features)
    )
    calibrated = calibration.fit(settings.calibration, margin, calibrate.target)
    return Candidate(
        kind="logistic" if logistic else "xgboost",
        spec=spec,
        calibration=calibrated,
        decision=_decide(settings, calibrate, calibrated.probability(margin)),
        recipe=recipe,
        boosters=boosters,
        weights=weights,
        logistic=logistic,
    )


def mitigated(
    plain: Candidate,
    recipe: Mapping[str, Any],
    train: Part,
    calibrate: Part,
    settings: Training,
    seed: int,
    device: str = boosting.CPU,
    fit: Fit = fit_members,
) -> Candidate:
    """Return what `fit_candidate` returns, given the candidate of the same recipe and seed without
    mitigation: one that leaves the fit as it is needs no second fit."""
    if settings.mitigation.method in ("none", "thresholds"):
        decided = _decide(settings, calibrate, plain.probability(calibrate.features))
        return replace(plain, decision=decided)
    return fit_candidate(recipe, plain.spec, train, calibrate, settings, seed, device, fit)


def without_mitigation(settings: Training) -> Training:
    """Return the same settings with no mitigation: what a mitigation's cost is measured against."""
    none = settings.mitigation.model_copy(update={"method": "none"})
    return settings.model_copy(update={"mitigation": none})


def margin_without(
    recipe: Mapping[str, Any], train: Part, features: pd.DataFrame, left_out: str, seed: int
) -> np.ndarray:
    """Return the log odds of rows by the same recipe fitted without one feature; shape (rows,).

    Without mitigation too: what is asked is what the other features know.
    """
    rest = [name for name in features if name != left_out]
    if not rest:
        return np.zeros(len(features))
    plain = Mitigation.model_construct(method="none")
    without = Part(train.features[rest], train.target, train.groups)
    boosters, weights, logistic = _fit_recipe(recipe, without, plain, seed)
    if logistic is not None:
        return logistic.margin(features[rest])
    return mean_margin(boosters, weights, features[rest])


def _fit_recipe(
    recipe: Mapping[str, Any],
    train: Part,
    mitigation: Mitigation,
    seed: int,
    device: str = boosting.CPU,
    fit: Fit = fit_members,
) -> tuple[tuple["xgboost.Booster", ...], tuple[float, ...], linear.Logistic | None]:
    weight = None
    if mitigation.method == "reweighing":
        weight = fairness.reweighing(train.target, train.groups[mitigation.attribute].to_numpy())
    if recipe["kind"] == "logistic":
        if mitigation.method == "exponentiated_gradient":
            raise InputError(
                "the search chose logistic regression, and training.mitigation.method is "
                "exponentiated_gradient, which fits boosted trees",
                "Choose reweighing or thresholds, or set search.simpler_within_errors to 0.",
            )
        return (), (), linear.fit(train.features, train.target, weight)
    if mitigation.method == "exponentiated_gradient":
        return *_exponentiated_gradient(recipe, train, mitigation, seed, device), None
    boosters = fit(train, weight, recipe["members"], seed, device)
    return boosters, tuple(1 / len(boosters) for _ in boosters), None


def _exponentiated_gradient(
    recipe: Mapping[str, Any], train: Part, mitigation: Mitigation, seed: int, device: str
) -> tuple[tuple["xgboost.Booster", ...], tuple[float, ...]]:
    """Fit by fairlearn's ExponentiatedGradient (Agarwal et al. 2018).

    Its classifier draws one of its predictors at random for each row. Here their log odds are
    averaged with the same weights, so that the same row always gets the same decision.
    """
    import xgboost
    from fairlearn import reductions

    member = recipe["members"][0]
    estimator = xgboost.XGBClassifier(
        **{**boosting.FIXED, **member["params"]},
        n_estimators=member["rounds"],
        random_state=seed,
        device=None if device == boosting.CPU else device,
        enable_categorical=True,
    )
    constraint = getattr(reductions, CONSTRAINTS[mitigation.constraint])()
    fitted = reductions.ExponentiatedGradient(estimator, constraint, max_iter=20)
    fitted.fit(
        train.features,
        train.target,
        sensitive_features=train.groups[mitigation.attribute].to_numpy(),
    )
    used = [
        (p, float(w)) for p, w in zip(fitted.predictors_, fitted.weights_, strict=True) if w > 0
    ]
    total = sum(w for _, w in used)
    return tuple(p.get_booster() for p, _ in used), tuple(w / total for _, w in used)


def _decide(settings: Training, calibrate: Part, probability: np.ndarray) -> decision.Decision:
    mitigation = settings.mitigation
    if mitigation.method != "thresholds":
        return decision.Decision(
            decision.choose_threshold(settings.utility, calibrate.target, probability)
        )
    assert mitigation.attribute is not None  # a method has one
    return decision.choose_by_group(
        settings.utility,
        calibrate.target,
        probability,
        calibrate.groups[mitigation.attribute].to_numpy(),
        mitigation.attribute,
        mitigation.constraint,
    )
