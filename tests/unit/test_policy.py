"""The policy: what is done about drift, given what was tried before."""

from dataclasses import replace
from typing import Any

import pytest

from perennial.adapters.configuration import read_params
from perennial.core.drift.comparison import Comparison
from perennial.core.drift.examination import Examination, Verdict
from perennial.core.drift.signals import Signal
from perennial.core.estimates import Estimate
from perennial.core.policy import Choice, Situation, choose
from perennial.params.drift import Budget, Policy

PERIODS = tuple(f"2020-{month:02}" for month in range(1, 13))
MONITOR = read_params("monitor").monitor
POLICY = Policy(
    request="none",
    confirm=1,
    cooldown=2,
    budget=Budget(attempts=2, periods=6),
    min_labelled=300,
    severe=0.1,
)
FREE = Situation(PERIODS, (), 1000, 0)


def examined(verdict: Verdict, *signals: Signal, gain: float | None = None) -> Examination:
    moved = Comparison("none", "57 tests", ())
    gains = {} if gain is None else {"recalibration": Estimate(gain, gain - 0.01, gain + 0.01, 500)}
    return Examination(verdict, "it moved by 0.3", moved, None, signals, gains)


def lost(auc: float) -> Signal:
    change = Estimate(-auc, -auc - 0.02, -auc + 0.02, 900)
    return Signal("roc_auc", change, 0.02, True, True, f"lost {auc}")


def attempt(period: str, action: str = "retrain", verdict: str = "promote") -> dict[str, Any]:
    return {"period": period, "action": action, "verdict": verdict, "digest": "d"}


def chosen(found: Examination, situation: Situation = FREE, policy: Policy = POLICY) -> Choice:
    return choose(found, situation, policy, MONITOR)


@pytest.mark.parametrize("verdict", ["none", "insufficient"])
def test_without_drift_the_champion_stays(verdict: Verdict) -> None:
    """Neither no drift nor too few rows is a reason to train."""
    assert chosen(examined(verdict)) == Choice("keep", verdict, "it moved by 0.3")


@pytest.mark.parametrize("verdict", ["drift", "harmful"])
def test_drift_asks_for_a_retraining(verdict: Verdict) -> None:
    """What is proven, drift or harm, is what the plan says it follows from."""
    assert chosen(examined(verdict)) == Choice("retrain", verdict, "it moved by 0.3")


@pytest.mark.parametrize(
    ("situation", "policy", "named"),
    [
        (replace(FREE, attempts=(attempt("2020-12", verdict="keep"),)), POLICY, "0 periods ago"),
        (replace(FREE, attempts=(attempt("2020-10"),)), POLICY, "policy.cooldown is 2"),
        (
            replace(FREE, attempts=(attempt("2020-07"), attempt("2020-09"))),
            POLICY,
            "2 attempts in 6 periods",
        ),
        (replace(FREE, labelled_rows=299), POLICY, "policy.min_labelled is 300"),
        (FREE, POLICY.model_copy(update={"confirm": 2}), "policy.confirm is 2"),
    ],
    ids=[
        "just tried on this very period",
        "tried two periods ago, and it cools down for two",
        "the budget is used up",
        "too few labelled rows to learn from",
        "not yet confirmed by a second window",
    ],
)
def test_what_stands_against_a_retraining(situation: Situation, policy: Policy, named: str) -> None:
    """The champion stays, the drift is still told, and why says what hindered."""
    choice = chosen(examined("drift"), situation, policy)
    assert (choice.action, choice.because) == ("keep", "drift")
    assert named in choice.why
    assert "it moved by 0.3" in choice.why


@pytest.mark.parametrize(
    ("situation", "policy"),
    [
        (replace(FREE, attempts=(attempt("2020-09"),)), POLICY),
        (replace(FREE, attempts=(attempt("2020-06"), attempt("2020-09"))), POLICY),
        (replace(FREE, labelled_rows=300), POLICY),
        (replace(FREE, drifted_before=1), POLICY.model_copy(update={"confirm": 2})),
    ],
    ids=[
        "tried three periods ago",
        "one of two attempts is older than the budget looks back",
        "just enough labelled rows",
        "a second window in a row",
    ],
)
def test_what_no_longer_stands_against_it(situation: Situation, policy: Policy) -> None:
    """One step past each border, the hindrance is gone."""
    assert chosen(examined("drift"), situation, policy).action == "retrain"


def test_harm_is_not_waited_for_to_be_confirmed() -> None:
    """Harm proven on labels acts in the first window that shows it."""
    policy = POLICY.model_copy(update={"confirm": 3})
    assert chosen(examined("harmful"), policy=policy).action == "retrain"


@pytest.mark.parametrize("verdict", ["keep", "block"])
def test_a_retraining_that_did_not_win_is_followed_by_a_search(verdict: str) -> None:
    """The same recipe on a little more data would lose again."""
    tried = replace(FREE, attempts=(attempt("2020-08", verdict=verdict),))
    choice = chosen(examined("drift"), tried)
    assert choice.action == "retune"
    assert "2020-08" in choice.why


def test_after_a_search_that_lost_it_is_plain_again() -> None:
    """A search is dear: one that lost is not followed by another."""
    tried = (attempt("2020-02", verdict="keep"), attempt("2020-06", "retune", "keep"))
    assert chosen(examined("drift"), replace(FREE, attempts=tried)).action == "retrain"


def test_a_severe_loss_asks_for_a_search_at_once() -> None:
    """Severe means that the whole interval is beyond policy.severe."""
    assert chosen(examined("harmful", lost(0.13))).action == "retune"
    assert chosen(examined("harmful", lost(0.11))).action == "retrain"


def test_calibration_alone_is_mended_by_calibration_alone() -> None:
    """All that is proven is what a new calibration is proven to mend."""
    wrong = Signal("calibration", None, 0.02, True, True, "wrong")
    assert chosen(examined("harmful", wrong, gain=0.05)).action == "recalibrate"
    assert chosen(examined("harmful", wrong, gain=0.02)).action == "retrain"
    assert chosen(examined("harmful", wrong, lost(0.05), gain=0.05)).action == "retrain"


def test_an_attempt_on_a_period_that_is_no_longer_accepted_still_counts() -> None:
    """Its place among the periods is by its name, also where its batch was set aside since."""
    tried = replace(FREE, periods=PERIODS[:-1], attempts=(attempt("2020-12"),))
    assert chosen(examined("drift"), tried).action == "keep"
