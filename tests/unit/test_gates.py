"""Gates: an interval becomes a verdict, and each gate passes the sound and fails the planted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.estimates import Estimate
from perennial.core.gates import behaviour, data, explanations, groups, quality, result
from perennial.core.gates.result import CHAMPION, Gate, Precision
from perennial.params.gates import (
    AdditivityGate,
    ChampionGate,
    CostGate,
    FairnessGate,
    Margin,
    ParityGate,
    QualityFloor,
    Threshold,
    Tolerance,
)

NAN, INF = float("nan"), float("inf")
SURE = Precision(confidence=0.99, replicates=300, seed=0)
ROWS = 3000


def limit(threshold: float, insufficient: Any = "block") -> Threshold:
    return Threshold(threshold=threshold, insufficient=insufficient)


def estimate(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 100)


def gate(name: str = "any", verdict: Any = "pass", insufficient: Any = "block") -> Gate:
    return Gate(name, verdict, None, 0.5, "because", insufficient)


def scores(rows: int = ROWS, seed: int = 0, **columns: Any) -> pd.DataFrame:
    """What the stage evaluate writes, of a candidate that states the truth."""
    random = np.random.default_rng(seed)
    odds = 1.5 * random.normal(size=rows)
    truth = 1 / (1 + np.exp(-odds))
    sound = {
        "target": (random.random(rows) < truth).astype("int64"),
        "probability": truth,
        "decision": (truth > 0.5).astype("int64"),
        "logistic": 1 / (1 + np.exp(-odds - 0.3 * random.normal(size=rows))),
        "prior": 0.5,
    }
    return pd.DataFrame({**sound, **columns})


def noise(rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(9).random(rows)


def shap(seed: int = 0, rows: int = 500, **factors: float) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = {"a": 1.0, "b": 0.9, "c": 0.6, "d": 0.3, "e": 0.1, **factors}
    return pd.DataFrame({name: f * random.normal(size=rows) for name, f in size.items()})


# how an interval becomes a verdict


@pytest.mark.parametrize(
    ("low", "high", "above", "below"),
    [
        (0.6, 0.7, "pass", "fail"),
        (0.3, 0.4, "fail", "pass"),
        (0.4, 0.6, "insufficient", "insufficient"),
        (0.5, 0.6, "insufficient", "insufficient"),  # a bound at the threshold proves nothing
        (0.4, 0.5, "insufficient", "insufficient"),
        (0.5, 0.5, "insufficient", "insufficient"),
    ],
)
def test_an_interval_wholly_on_one_side_decides_and_one_astride_does_not(
    low: float, high: float, above: str, below: str
) -> None:
    found = estimate(low, high)
    assert result.judge(found, 0.5, "above") == above
    assert result.judge(found, 0.5, "below") == below


@pytest.mark.parametrize("strange", [NAN, INF, -INF])
@pytest.mark.parametrize("side", ["above", "below"])
def test_an_interval_with_a_bound_that_is_no_finite_number_never_decides(
    strange: float, side: Any
) -> None:
    for low, high in ((strange, 0.9), (0.9, strange), (strange, 0.1), (strange, strange)):
        assert result.judge(Estimate(0.5, low, high, 10), 0.5, side) == "insufficient"


@given(st.floats(-2, 2), st.floats(0, 2), st.floats(-2, 2))
def test_above_and_below_are_each_others_mirror(low: float, width: float, at: float) -> None:
    found, mirrored = estimate(low, low + width), estimate(-low - width, -low)
    assert result.judge(found, at, "above") == result.judge(mirrored, -at, "below")


@pytest.mark.parametrize("insufficient", ["block", "tolerate"])
def test_too_few_rows_block_only_where_said_and_a_failure_always_does(insufficient: Any) -> None:
    assert not gate(verdict="pass", insufficient=insufficient).blocks
    assert gate(verdict="fail", insufficient=insufficient).blocks
    few = gate(verdict="insufficient", insufficient=insufficient)
    assert few.blocks == (insufficient == "block")


@pytest.mark.parametrize("verdict", ["pass", "fail", "insufficient"])
def test_the_comparison_with_the_champion_never_blocks(verdict: Any) -> None:
    assert not gate(CHAMPION, verdict, "block").blocks


@pytest.mark.parametrize("value", [NAN, INF, 0.51, 1e300])
def test_a_fact_that_is_too_large_or_no_number_fails(value: float) -> None:
    found = result.on_fact("a", value, 10, 0.5, "{value} of at most {threshold}")
    assert (found.verdict, found.blocks) == ("fail", True)


@pytest.mark.parametrize("value", [0.0, 0.3, 0.5])
def test_a_fact_up_to_its_limit_passes_and_has_no_width(value: float) -> None:
    found = result.on_fact("a", value, 10, 0.5, "{value} of at most {threshold}")
    assert found.verdict == "pass"
    assert found.estimate == Estimate(value, value, value, 10)
    assert found.why == f"{value:g} of at most 0.5"


def test_an_intervals_sentence_has_its_numbers_and_says_what_too_few_rows_do() -> None:
    def made(insufficient: Any, name: str = "a") -> str:
        sentence = "x {estimate} must be above {threshold}"
        return result.on_interval(
            name, estimate(0.4, 0.6), 0.5, "above", insufficient, sentence
        ).why

    assert made("block") == "x 0.5 [0.4, 0.6] must be above 0.5; 100 rows can't tell, which blocks"
    assert made("tolerate").endswith("which is tolerated")
    assert made("tolerate", CHAMPION).endswith("rows can't tell")


def test_what_is_not_measured_is_insufficient_and_no_pass() -> None:
    blocked = result.not_measured("a", 0.5, "block", "nothing there")
    tolerated = result.not_measured("a", 0.5, "tolerate", "nothing there")
    assert blocked.verdict == tolerated.verdict == "insufficient"
    assert (blocked.blocks, tolerated.blocks) == (True, False)
    assert blocked.estimate is None


def test_a_result_as_json_says_whether_it_blocks() -> None:
    found = result.on_fact("a", 1, 10, 0, "{value}").to_json()
    assert found["estimate"] == {"value": 1, "low": 1, "high": 1, "n": 10}
    assert (found["name"], found["verdict"], found["blocks"]) == ("a", "fail", True)
    assert result.not_measured("a", 0.5, "tolerate", "why").to_json()["estimate"] is None


def test_all_gates_that_pass_promote_and_a_champion_keeps_its_place() -> None:
    sound = [gate("a"), gate(CHAMPION)]
    assert result.decide(sound, candidate_is_champion=False) == "promote"
    assert result.decide(sound, candidate_is_champion=True) == "keep"


@pytest.mark.parametrize("verdict", ["fail", "insufficient"])
def test_a_candidate_that_is_sound_and_not_proven_better_leaves_the_champion(verdict: Any) -> None:
    found = [gate("a"), gate(CHAMPION, verdict)]
    assert result.decide(found, candidate_is_champion=False) == "keep"


@pytest.mark.parametrize("is_champion", [True, False])
def test_one_gate_that_blocks_is_enough(is_champion: bool) -> None:
    found = [gate("a"), gate("b", "insufficient", "block"), gate(CHAMPION)]
    assert result.decide(found, is_champion) == "block"
    tolerated = [gate("a"), gate("b", "insufficient", "tolerate"), gate(CHAMPION)]
    assert result.decide(tolerated, is_champion) != "block"


def test_gates_are_shown_with_what_blocks_first_and_else_in_their_order() -> None:
    given = [
        gate("1"),
        gate("2", "insufficient", "tolerate"),
        gate(CHAMPION, "fail"),
        gate("3", "insufficient", "block"),
        gate("4"),
        gate("5", "fail"),
    ]
    found = [one.name for one in result.by_severity(given)]
    assert found == ["5", "3", CHAMPION, "2", "1", "4"]


# quality


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "accuracy", "f1"])
def test_the_floor_is_reached_by_a_candidate_and_not_by_noise(metric: Any) -> None:
    settings = QualityFloor(metric=metric, threshold=0.62, insufficient="block")
    sound, guess = scores(), noise()
    bad = scores(probability=guess, decision=(guess > 0.5).astype("int64"))
    assert quality.quality_floor(sound, settings, SURE).verdict == "pass"
    assert quality.quality_floor(bad, settings, SURE).verdict == "fail"


@pytest.mark.parametrize(("metric", "ceiling"), [("brier", 0.25), ("log_loss", 0.69)])
def test_a_loss_has_a_ceiling_for_its_floor(metric: Any, ceiling: float) -> None:
    settings = QualityFloor(metric=metric, threshold=ceiling, insufficient="block")
    found = quality.quality_floor(scores(), settings, SURE)
    assert (found.verdict, found.side) == ("pass", "below")
    assert quality.quality_floor(scores(probability=noise()), settings, SURE).verdict == "fail"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_holdout_of_one_class_reaches_no_floor() -> None:
    settings = QualityFloor(metric="roc_auc", threshold=0.6, insufficient="block")
    found = quality.quality_floor(scores(50, target=1), settings, SURE)
    assert (found.verdict, found.blocks) == ("insufficient", True)


def test_probabilities_that_mean_what_they_say_are_calibrated_and_shifted_ones_not() -> None:
    sound = scores()
    shifted = sound.assign(probability=sound["probability"] ** 0.25)
    assert quality.calibration(sound, limit(0.1), 10, SURE).verdict == "pass"
    assert quality.calibration(shifted, limit(0.1), 10, SURE).verdict == "fail"


def test_few_rows_prove_neither_calibration_nor_its_lack() -> None:
    found = quality.calibration(scores(60), limit(0.1, "tolerate"), 10, SURE)
    assert (found.verdict, found.blocks) == ("insufficient", False)


def test_a_candidate_that_is_worse_than_always_stating_the_prior_fails() -> None:
    sound = scores()
    reversed_ = sound.assign(probability=1 - sound["probability"])
    assert quality.better_than_prior(sound, limit(0.0), SURE).verdict == "pass"
    assert quality.better_than_prior(reversed_, limit(0.0), SURE).verdict == "fail"


def test_a_candidate_that_is_the_prior_is_not_better_than_it() -> None:
    same = quality.better_than_prior(scores(probability=0.5), limit(0.0), SURE)
    assert same.verdict == "insufficient"
    assert same.estimate is not None
    assert same.estimate.value == 0


def test_a_candidate_may_be_worse_than_a_simple_model_by_the_margin_and_not_more() -> None:
    settings = Margin(margin=0.04, insufficient="block")
    sound = scores()
    found = quality.better_than_simple(sound, "logistic", settings, SURE)
    assert (found.name, found.verdict) == ("better_than_logistic", "pass")
    assert found.threshold == -0.04
    bad = sound.assign(probability=noise())
    assert quality.better_than_simple(bad, "logistic", settings, SURE).verdict == "fail"


def compared(table: pd.DataFrame, rival: Any, drifted: bool = False, same: bool = False) -> Gate:
    return quality.champion(table, rival, same, drifted, ChampionGate(margin=0.04), SURE)


def test_with_nobody_to_beat_the_comparison_passes_without_an_estimate() -> None:
    found = compared(scores(), None)
    assert (found.verdict, found.estimate) == ("pass", None)


def test_the_champion_itself_passes_its_own_comparison_without_an_estimate() -> None:
    table = scores()
    found = compared(table, table["probability"].to_numpy(), same=True)
    assert (found.verdict, found.estimate) == ("pass", None)


def test_a_candidate_replaces_a_worse_champion_and_not_a_better_one() -> None:
    table = scores()
    truth = table["probability"].to_numpy()
    assert compared(table, noise()).verdict == "pass"
    worse = compared(table.assign(probability=noise()), truth)
    assert (worse.verdict, worse.blocks) == ("fail", False)


def test_an_equal_candidate_replaces_the_champion_after_drift_only() -> None:
    table = scores()
    equal = np.clip(table["probability"].to_numpy() + 0.001 * (noise() - 0.5), 0, 1)
    assert compared(table, equal, drifted=False).verdict == "insufficient"
    assert compared(table, equal, drifted=True).verdict == "pass"
    bad = table.assign(probability=noise())
    assert compared(bad, equal, drifted=True).verdict == "fail"


# groups


def counted(**rates: tuple[int, int]) -> dict[str, dict[str, tuple[int, int]]]:
    return {name: {"true_positive_rate": found} for name, found in rates.items()}


def fair(
    found: Any, measure: Any = "difference", threshold: float = 0.1, insufficient: Any = "tolerate"
) -> Gate:
    settings = FairnessGate(
        criterion="true_positive_rate",
        measure=measure,
        threshold=threshold,
        insufficient=insufficient,
    )
    return groups.fair("sex × age", found, settings, 50, SURE)


def test_groups_with_equal_rates_pass_and_far_apart_ones_fail() -> None:
    sound = fair(counted(a=(3000, 5000), b=(3010, 5000)))
    assert (sound.name, sound.verdict) == ("fairness_sex_by_age", "pass")
    unfair = fair(counted(a=(300, 500), b=(150, 500), c=(295, 500)))
    assert (unfair.verdict, unfair.blocks) == ("fail", True)
    assert "of a " in unfair.why or "of b " in unfair.why


def test_a_ratio_of_rates_is_judged_from_the_other_side() -> None:
    sound = fair(counted(a=(3000, 5000), b=(3010, 5000)), "ratio", 0.8)
    assert (sound.verdict, sound.side) == ("pass", "above")
    assert fair(counted(a=(300, 500), b=(150, 500)), "ratio", 0.8).verdict == "fail"


def test_few_rows_of_a_group_can_not_prove_it_treated_fairly() -> None:
    found = counted(a=(33, 55), b=(33, 55))
    assert fair(found).verdict == "insufficient"
    assert not fair(found).blocks
    assert fair(found, insufficient="block").blocks


@pytest.mark.parametrize("found", [counted(a=(300, 500)), counted(a=(300, 500), b=(0, 49)), {}])
def test_one_group_alone_is_not_measured_and_no_pass(found: Any) -> None:
    assert fair(found).verdict == "insufficient"
    assert fair(found).estimate is None
    assert fair(found, insufficient="block").blocks


def sliced(*lines: tuple[str, int, float, float]) -> pd.DataFrame:
    named = [(name, "the prior", *numbers) for name, *numbers in lines]
    return pd.DataFrame(named, columns=["slice", "reference", "rows", "mean", "deviation"])


def test_a_slice_that_is_lost_fails_and_is_named() -> None:
    sound = sliced(("young", 2000, -0.1, 0.4), ("old", 2000, -0.2, 0.4))
    bad = sliced(("young", 2000, -0.1, 0.4), ("old", 2000, 0.5, 0.4))
    assert groups.worst_slice("slices", sound, limit(0.1), SURE).verdict == "pass"
    found = groups.worst_slice("slices", bad, limit(0.1), SURE)
    assert found.verdict == "fail"
    assert "old (2,000 rows)" in found.why


def test_no_slice_at_all_is_not_measured() -> None:
    found = groups.worst_slice("declared_slices", sliced(), limit(0.1, "tolerate"), SURE)
    assert (found.name, found.verdict, found.blocks) == ("declared_slices", "insufficient", False)
    assert groups.worst_slice("slices", sliced(), limit(0.1, "block"), SURE).blocks


def test_a_group_that_is_judged_and_was_not_learned_from_is_counted_and_named() -> None:
    held = {"g: a": 500, "g: b": 60, "g: rare": 3}
    assert groups.group_coverage({"g: a": 900, "g: b": 50}, held, 50).verdict == "pass"
    for train in ({"g: a": 900}, {"g: a": 900, "g: b": 49}):
        found = groups.group_coverage(train, held, 50)
        assert found.verdict == "fail"
        assert found.why.endswith(": g: b")


# explanations


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


# behaviour


def test_a_probability_that_hangs_on_its_batch_fails_and_the_worst_change_is_named() -> None:
    sound = {"order_of_rows": 1e-9, "size_of_batch": 1e-8}
    tolerance = Tolerance(tolerance=1e-6)
    assert behaviour.invariance(sound, 100, tolerance).verdict == "pass"
    for gap in (0.1, INF):
        found = behaviour.invariance({**sound, "size_of_batch": gap}, 100, tolerance)
        assert found.verdict == "fail"
        assert "size of batch" in found.why


def test_one_answer_that_is_no_probability_is_too_many() -> None:
    assert behaviour.robustness({"missing": 0, "huge": 0}, 100).verdict == "pass"
    found = behaviour.robustness({"missing": 0, "never_seen": 1}, 100)
    assert found.verdict == "fail"
    assert found.why.endswith(": never seen")


def test_a_declared_change_that_moves_rows_the_wrong_way_fails() -> None:
    def said(violations: int, rows: int, insufficient: Any = "block") -> Gate:
        found = {"violations": violations, "rows": rows, "says": "'x'"}
        return behaviour.direction("twice", found, limit(0.05, insufficient), SURE)

    assert (said(0, 1000).name, said(0, 1000).verdict) == ("direction_twice", "pass")
    assert said(300, 1000).verdict == "fail"
    assert said(0, 10).verdict == "insufficient"
    assert (said(0, 0).verdict, said(0, 0).estimate) == ("insufficient", None)
    assert said(0, 0).blocks
    assert not said(0, 0, "tolerate").blocks


def test_decisions_that_hang_on_the_attribute_alone_fail() -> None:
    def said(changed: int) -> str:
        found = {"changed": changed, "rows": 1000}
        return behaviour.flipped("sex", found, limit(0.3), SURE).verdict

    assert [said(0), said(300), said(900)] == ["pass", "insufficient", "fail"]


@pytest.mark.parametrize("name", ["model_size", "node_visits"])
def test_a_candidate_may_cost_its_own_ratio_of_the_default_and_not_more(name: str) -> None:
    sizes = {"model_size": 3.0, "node_visits": 5.0}
    settings, allowed = CostGate(**sizes), sizes[name]
    assert behaviour.cost(name, 100 * allowed, 100, 50, settings).verdict == "pass"
    assert behaviour.cost(name, 101 * allowed, 100, 50, settings).verdict == "fail"


PARITY = ParityGate(tolerance=1e-5, insufficient="tolerate")


def exported(**gaps: Any) -> dict[str, Any]:
    sound = {
        form: {"holdout": {"rows": 90, "gap": 1e-7}, "edge": {"rows": 10, "gap": 0.0}}
        for form in ("onnx", "pyfunc")
    }
    return {"missing": [], "gaps": {**sound, **gaps}}


def said_of_parity(found: Any, settings: ParityGate = PARITY) -> dict[str, Gate]:
    return {one.name: one for one in behaviour.parity(found, settings)}


def test_exports_that_say_the_same_pass_on_all_their_rows() -> None:
    found = said_of_parity(exported())
    assert list(found) == ["parity_onnx", "parity_pyfunc"]
    for one in found.values():
        assert one.verdict == "pass"
        assert one.estimate is not None
        assert one.estimate.n == 100


@pytest.mark.parametrize("gap", [0.1, None])
@pytest.mark.parametrize("rows", ["holdout", "edge"])
def test_an_export_that_differs_or_has_no_finite_gap_fails_on_whichever_rows(
    gap: float | None, rows: str
) -> None:
    both = {"holdout": {"rows": 90, "gap": 0.0}, "edge": {"rows": 10, "gap": 0.0}}
    both[rows] = {"rows": 10, "gap": gap}
    found = said_of_parity(exported(onnx=both))
    assert (found["parity_onnx"].verdict, found["parity_pyfunc"].verdict) == ("fail", "pass")
    assert f"({rows} rows)" in found["parity_onnx"].why


def test_an_extra_that_is_not_installed_is_not_measured_and_named() -> None:
    found = {**exported(), "missing": ["onnxruntime"]}
    del found["gaps"]["onnx"]
    tolerated = said_of_parity(found)
    assert tolerated["parity_onnx"].verdict == "insufficient"
    assert "onnxruntime" in tolerated["parity_onnx"].why
    assert not tolerated["parity_onnx"].blocks
    assert tolerated["parity_pyfunc"].verdict == "pass"
    strict = ParityGate(tolerance=1e-5, insufficient="block")
    assert said_of_parity(found, strict)["parity_onnx"].blocks


# data


def test_one_row_on_both_sides_is_too_many() -> None:
    sound = {"what": "rows", "shared": 0, "rows": 100}
    assert data.overlap(sound).verdict == "pass"
    assert data.overlap({**sound, "shared": 1}).verdict == "fail"


def test_one_row_that_is_not_older_is_too_many_where_rows_are_split_by_time() -> None:
    assert data.time_order(None).verdict == "pass"
    assert data.time_order({"backwards": 0, "rows": 100}).verdict == "pass"
    assert data.time_order({"backwards": 1, "rows": 100}).verdict == "fail"


def alone(value: float, error: float = 0.01) -> dict[str, float]:
    return {"value": value, "error": error, "positives": 500, "negatives": 500}


def test_a_feature_that_knows_the_answer_alone_fails_and_is_named() -> None:
    sound = {"a": alone(0.55), "b": alone(0.6)}
    assert data.single_feature(sound, limit(0.75), SURE).verdict == "pass"
    for leak in (0.9, 1.0):
        found = data.single_feature({**sound, "c": alone(leak)}, limit(0.75), SURE)
        assert found.verdict == "fail"
        assert "of c alone" in found.why


def test_a_feature_alone_is_judged_more_carefully_the_more_there_are() -> None:
    near = alone(0.72, 0.008)
    assert data.single_feature({"a": near}, limit(0.75), SURE).verdict == "pass"
    many = {f"f{i}": near for i in range(200)}
    assert data.single_feature(many, limit(0.75), SURE).verdict == "insufficient"


def test_a_feature_whose_values_hardly_repeat_names_the_row() -> None:
    assert data.identifier({"a": 0.1, "b": 0.9}, 100, 0.9).verdict == "pass"
    found = data.identifier({"a": 0.1, "b": 0.91}, 100, 0.9)
    assert found.verdict == "fail"
    assert " b " in found.why


def test_no_feature_that_could_name_a_row_is_no_fault() -> None:
    assert data.identifier({}, 100, 0.9).verdict == "pass"


# all gates with an interval


@pytest.mark.parametrize(
    "make",
    [
        lambda p: quality.calibration(scores(200), limit(0.1), 10, p),
        lambda p: quality.better_than_prior(scores(200), limit(0.1), p),
        lambda p: explanations.leakage(shap(rows=50), limit(0.1), p),
        lambda p: explanations.stability(shap(rows=50), shap(1, 50), False, limit(0.1), p),
        lambda p: quality.champion(
            scores(200), noise(200), False, False, ChampionGate(margin=0.04), p
        ),
        lambda p: data.single_feature({"a": alone(0.6)}, limit(0.75), p),
    ],
)
def test_the_surer_a_gate_must_be_the_wider_its_interval(make: Callable[[Any], Gate]) -> None:
    wide, narrow = make(SURE).estimate, make(replace(SURE, confidence=0.5)).estimate
    assert wide is not None
    assert narrow is not None
    assert wide.value == narrow.value
    assert wide.high - wide.low > narrow.high - narrow.low
