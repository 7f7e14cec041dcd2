"""Gates of explanations: each passes the sound and fails the planted."""

import numpy as np
import pandas as pd
import pytest

from perennial.core.gates import explanations
from perennial.core.gates.result import Gate
from perennial.params.gates import (
    AdditivityGate,
)

from .gated import INF, NAN, ROWS, SURE, limit, noise, scores, shap


def test_a_feature_that_carries_nearly_everything_looks_like_a_leak() -> None:
    assert explanations.leakage(shap(), limit(0.5), SURE).verdict == "pass"
    leaked = explanations.leakage(shap(c=20.0), limit(0.5), SURE)
    assert leaked.verdict == "fail"
    assert "share of c" in leaked.why


def test_a_model_without_any_attribution_leaks_nothing() -> None:
    assert explanations.leakage(shap() * 0, limit(0.5), SURE).verdict == "pass"


def test_a_candidate_that_is_lost_without_one_feature_depends_on_it() -> None:
    table = scores()

    def said(without: np.ndarray) -> str:
        return explanations.dependence(table, without, "a", limit(0.1), SURE).verdict

    assert said(table["logistic"].to_numpy()) == "pass"
    assert said(noise()) == "fail"
    assert said(np.zeros(ROWS)) == "fail"  # it was the only feature


def test_a_feature_from_a_forbidden_column_fails_whatever_it_is_called() -> None:
    sources = {"a": "age", "b": "duration", "c": "c", "d": "d", "e": "duration"}
    sound = explanations.forbidden_features(shap(), sources, ["day"])
    found = explanations.forbidden_features(shap(), sources, ["duration", "day"])
    assert (sound.verdict, found.verdict) == ("pass", "fail")
    assert found.estimate is not None
    assert found.estimate.value == 2
    assert found.why.endswith(": b, e")
    assert explanations.forbidden_features(shap(), sources, []).verdict == "pass"


def proxied(own: list[str], named: list[str]) -> Gate:
    found = {"own": own, "proxies": named}
    return explanations.proxies("sex", shap(), found, limit(0.5, "tolerate"), SURE)


def test_what_rests_on_an_attribute_or_its_proxies_fails() -> None:
    assert proxied([], ["d"]).verdict == "pass"
    assert proxied(["d"], ["e"]).verdict == "pass"
    assert proxied(["a"], ["b", "c"]).verdict == "fail"
    assert proxied(["a", "b", "c"], []).verdict == "fail"


def test_an_attribute_that_nothing_gives_away_has_no_share() -> None:
    found = proxied([], [])
    assert found.verdict == "pass"
    assert found.estimate is not None
    assert (found.estimate.low, found.estimate.high) == (0, 0)


def stable(first: pd.DataFrame, second: pd.DataFrame | None, same: bool = False) -> Gate:
    return explanations.stability(first, second, same, limit(0.5, "block"), SURE)


def test_a_candidate_that_explains_as_the_champion_does_is_stable() -> None:
    assert stable(shap(), shap(seed=1)).verdict == "pass"
    turned = shap(seed=1, a=0.1, b=0.3, c=0.6, d=0.9, e=1.0)
    assert stable(shap(), turned).verdict == "fail"


def test_stability_is_that_of_the_features_both_have_in_whatever_order() -> None:
    champion = shap(seed=1, z=50.0)[["z", "e", "d", "b", "a"]]
    assert stable(shap(), champion).verdict == "pass"


@pytest.mark.parametrize("shared", [0, 1, 2])
def test_too_few_shared_features_are_no_proof_of_stability(shared: int) -> None:
    found = stable(shap(), shap(seed=1)[["a", "b"][:shared]].assign(z=1.0))
    assert (found.verdict, found.estimate, found.side) == ("insufficient", None, "above")
    assert found.blocks


def test_stability_with_no_champion_or_with_itself_passes() -> None:
    assert stable(shap(), None).verdict == "pass"
    assert stable(shap(), shap(), same=True).verdict == "pass"


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [([1e-6, 1e-5], "pass"), ([1e-6, 0.01], "fail"), ([NAN, 0.0], "fail"), ([0.0, INF], "fail")],
)
def test_the_larger_additivity_error_decides_and_no_number_is_no_pass(
    errors: list[float], verdict: str
) -> None:
    settings = AdditivityGate(threshold=0.001)
    assert explanations.additivity(errors, 100, settings).verdict == verdict
