"""Training: each mitigation lowers the difference it is asked to, and none is there unasked."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from perennial.core import fairness
from perennial.core.dataset.part import Part
from perennial.core.model import kinds
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.core.training import (
    CONSTRAINTS,
    fit_candidate,
    margin_without,
    mitigated,
    without_mitigation,
)
from perennial.errors import InputError

from .planted import NO_SPEC, part
from .planted import training as settings

RATE = {
    "demographic_parity": "selection_rate",
    "true_positive_rate_parity": "true_positive_rate",
    "false_positive_rate_parity": "false_positive_rate",
}
ONE_THREAD: dict[str, Any] = {"max_depth": 3, "n_jobs": 1}
RECIPES: dict[str, Any] = {
    "xgboost": {"kind": "xgboost", "members": [{"params": ONE_THREAD, "rounds": 15}]},
    "logistic": {"kind": "logistic", "members": []},
    "kinds": {
        "kind": "xgboost",
        "members": [
            {
                "params": {**kinds.parameters(kind, {**kinds.SOUND, "max_depth": 3}), "n_jobs": 1},
                "rounds": 30,
            }
            for kind in ("leafwise", "onehot", "depthwise")
        ],
    },
}
TRAIN, CALIBRATE, HOLDOUT = part(1500, 1), part(1500, 2), part(4000, 3)


def fit_anew(method: str, constraint: str, recipe: str) -> Candidate:
    asked = settings(method, constraint)
    return fit_candidate(RECIPES[recipe], NO_SPEC, TRAIN, CALIBRATE, asked, seed=7)


@cache
def fit(method: str, constraint: str = "demographic_parity", recipe: str = "xgboost") -> Candidate:
    return fit_anew(method, constraint, recipe)


def difference(candidate: Candidate, constraint: str, rows: Part = HOLDOUT) -> float:
    group = rows.groups["g"].to_numpy()
    decision = candidate.decision.decide(candidate.probability(rows.features), group)
    counted = fairness.counts(rows.target, decision, group)
    found = fairness.largest_difference(counted, RATE[constraint], 1, 0.95)
    assert found is not None
    return found[0].value


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("method", ["reweighing", "exponentiated_gradient", "thresholds"])
def test_a_mitigation_lowers_the_difference_it_is_asked_to(method: str, constraint: str) -> None:
    unmitigated = difference(fit("none"), constraint)
    assert unmitigated > 0.15  # as planted
    assert difference(fit(method, constraint), constraint) < 0.6 * unmitigated


@pytest.mark.parametrize("method", ["reweighing", "thresholds"])
def test_a_mitigation_works_for_logistic_regression_too(method: str) -> None:
    unmitigated = difference(fit("none", recipe="logistic"), "demographic_parity")
    mitigated = difference(fit(method, recipe="logistic"), "demographic_parity")
    assert mitigated < 0.6 * unmitigated


@pytest.mark.parametrize("method", ["reweighing", "exponentiated_gradient", "thresholds"])
def test_a_mitigation_works_for_an_ensemble_of_kinds_too(method: str) -> None:
    unmitigated = difference(fit("none", recipe="kinds"), "demographic_parity")
    assert difference(fit(method, recipe="kinds"), "demographic_parity") < 0.6 * unmitigated


def test_a_feature_that_is_left_out_of_an_ensemble_of_kinds_says_nothing() -> None:
    rows = HOLDOUT.features[:200]
    found = margin_without(RECIPES["kinds"], TRAIN, rows, "proxy", 7)
    shuffled = rows.assign(proxy=rows["proxy"].to_numpy()[::-1])
    again = margin_without(RECIPES["kinds"], TRAIN, shuffled, "proxy", 7)
    assert np.array_equal(found, again)
    assert np.corrcoef(found, rows["x"])[0, 1] > 0.5


def test_exponentiated_gradient_is_refused_where_logistic_regression_was_chosen() -> None:
    with pytest.raises(InputError, match="exponentiated_gradient"):
        fit("exponentiated_gradient", recipe="logistic")


def test_thresholds_equalise_the_rate_on_the_rows_they_were_chosen_on() -> None:
    """With scores that tell rows apart; isotonic calibration's steps can't be parted."""
    asked = settings("thresholds", "true_positive_rate_parity", "sigmoid")
    found = fit_candidate(RECIPES["xgboost"], NO_SPEC, TRAIN, CALIBRATE, asked, seed=7)
    assert difference(found, "true_positive_rate_parity", CALIBRATE) < 0.01


@pytest.mark.parametrize("method", ["none", "reweighing", "exponentiated_gradient", "thresholds"])
def test_the_same_rows_and_seed_give_the_same_bytes(method: str) -> None:
    again = fit_anew(method, "demographic_parity", "xgboost")
    assert to_artefacts(again) == to_artefacts(fit(method))


def test_only_thresholds_look_at_a_persons_group() -> None:
    for method in ("none", "reweighing", "exponentiated_gradient"):
        assert fit(method).decision.attribute is None
    assert fit("thresholds").decision.attribute == "g"


def test_without_mitigation_only_the_method_is_another() -> None:
    asked = settings("thresholds", "true_positive_rate_parity")
    found = without_mitigation(asked)
    assert found.mitigation == asked.mitigation.model_copy(update={"method": "none"})
    assert found.model_copy(update={"mitigation": asked.mitigation}) == asked
    assert asked.mitigation.method == "thresholds"


def test_an_ensemble_has_equal_weights_and_members_of_different_seeds() -> None:
    sampled = {"params": {**ONE_THREAD, "subsample": 0.5}, "rounds": 5}
    recipe = {"kind": "xgboost", "members": [sampled, sampled]}
    candidate = fit_candidate(recipe, NO_SPEC, TRAIN, CALIBRATE, settings(), seed=7)
    assert candidate.weights == (0.5, 0.5)
    artefacts = to_artefacts(candidate)
    assert artefacts["member-00.ubj"] != artefacts["member-01.ubj"]
    assert candidate.recipe == recipe


def test_weights_of_an_exponentiated_gradient_sum_to_one() -> None:
    candidate = fit("exponentiated_gradient")
    assert sum(candidate.weights) == pytest.approx(1)
    assert len(candidate.weights) == len(candidate.boosters)


def test_calibration_and_threshold_come_from_the_calibration_rows_alone() -> None:
    """Other training answers change the model; other calibration answers only what follows it."""
    turned = Part(CALIBRATE.features, 1 - CALIBRATE.target, CALIBRATE.groups)
    first = fit("none")
    second = fit_candidate(RECIPES["xgboost"], NO_SPEC, TRAIN, turned, settings(), seed=7)
    rows = HOLDOUT.features[:100]
    assert np.array_equal(first.margin(rows), second.margin(rows))
    assert first.calibration.slope == pytest.approx(-second.calibration.slope, rel=1e-6)


def test_holdout_probabilities_are_near_the_rate_they_state() -> None:
    stated = fit("none").probability(HOLDOUT.features)
    assert stated.mean() == pytest.approx(HOLDOUT.target.mean(), abs=0.04)
    sure = stated > 0.7
    assert HOLDOUT.target[sure].mean() == pytest.approx(stated[sure].mean(), abs=0.06)


@pytest.mark.parametrize("method", ["none", "thresholds", "reweighing"])
def test_mitigation_from_the_plain_candidate_is_mitigation_from_the_start(method: str) -> None:
    """Byte for byte, though one that leaves the fit as it is fits nothing."""
    anew = fit(method)
    recipe, asked = RECIPES["xgboost"], settings(method, "demographic_parity")
    found = mitigated(fit("none"), recipe, TRAIN, CALIBRATE, asked, seed=7)
    assert to_artefacts(found) == to_artefacts(anew)
    again = found.boosters[0] is fit("none").boosters[0]
    assert again == (method != "reweighing")
