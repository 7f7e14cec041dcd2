"""Gates: how an interval becomes a verdict, and verdicts one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.gates import data, explanations, quality, result
from perennial.core.gates.result import CHAMPION, Gate
from perennial.core.statistics.estimates import Estimate
from perennial.params.gates import (
    ChampionGate,
)

from .gated import INF, NAN, SURE, alone, estimate, gate, limit, noise, scores, shap


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


def test_names_with_braces_are_shown_as_they_are() -> None:
    sentence = "log loss in city {x} is {estimate} of {threshold}"
    found = result.on_interval("any", estimate(0.1, 0.2), 0.5, "below", "block", sentence)
    assert "city {x} is 0.15 [0.1, 0.2] of 0.5" in found.why
    assert "{y" in result.on_fact("any", 1.0, 10, 2.0, "{y has {value}").why
