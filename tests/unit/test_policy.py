"""The policy: what is done about an examination, given what was tried before and what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from perennial.core.drift.comparison import Comparison
from perennial.core.drift.domain import DomainShift
from perennial.core.drift.examination import Examination, Verdict
from perennial.core.drift.signals import Signal
from perennial.core.monitoring.policy import Choice, Situation, choose, periods_after
from perennial.core.statistics.estimates import Estimate
from perennial.params.drift import Monitor, Policy

from .monitored import SHIPPED

PERIODS = [f"2020-{month:02}" for month in range(1, 13)]
NOW = PERIODS[-1]
STRICT = {
    "request": "none",
    "confirm": 2,
    "cooldown": 2,
    "budget": {"attempts": 2, "periods": 6},
    "min_labelled": 200,
    "severe": 0.1,
}
GAIN = {"recalibration": Estimate(0.08, 0.05, 0.11, 1000)}
NO_GAIN = {"recalibration": Estimate(0.03, 0.01, 0.05, 1000)}


def policy(**changed: Any) -> Policy:
    return Policy.model_validate(STRICT | changed)


def monitor() -> Monitor:
    return SHIPPED.monitor


def signal(name: str, value: float = -0.05) -> Signal:
    estimate = Estimate(value, value - 0.02, value + 0.02, 1000)
    return Signal(
        name, estimate, 0.02, fired=True, harm=name in {"roc_auc", "calibration"}, says=""
    )


def examination(
    verdict: Verdict,
    *signals: Signal,
    gains: Mapping[str, Estimate] | None = None,
    tests: bool = False,
    domain: bool = False,
) -> Examination:
    compared = Comparison("drift" if tests else "none", "the tests", [])
    told = DomainShift(Estimate(0.7, 0.65, 0.75, 1000), {}, 0.6, drifted=domain)
    return Examination(verdict, "what was found", compared, told, signals, gains or {})


def attempt(period: str, action: str = "retrain", verdict: str = "promote") -> dict[str, Any]:
    return {"period": period, "action": action, "verdict": verdict, "digest": "d" * 64}


def situation(*attempts: Mapping[str, Any], labelled: int = 1000, before: int = 5) -> Situation:
    return Situation(PERIODS, attempts, labelled, before)


def chosen(found: Examination, known: Situation, **changed: Any) -> Choice:
    return choose(found, known, policy(**changed), monitor())


DRIFT = examination("drift", tests=True)
LOST = examination("harmful", signal("roc_auc"))
SEVERE = examination("harmful", signal("roc_auc", -0.13))
BORDER = examination("harmful", signal("roc_auc", -0.12))
UNCALIBRATED = examination("harmful", signal("calibration"), signal("prior"), gains=GAIN)
LONG_AGO = attempt("2020-02")

TABLE = [
    ("nothing proven keeps the champion", examination("none"), situation(), "keep"),
    ("too few rows keep the champion", examination("insufficient"), situation(), "keep"),
    ("drift retrains", DRIFT, situation(), "retrain"),
    ("a lost ranking retrains", LOST, situation(), "retrain"),
    ("a severe loss is searched anew", SEVERE, situation(), "retune"),
    ("a loss whose bound is at the border is not severe", BORDER, situation(), "retrain"),
    ("wrong calibration alone is mended alone", UNCALIBRATED, situation(), "recalibrate"),
    (
        "wrong calibration under a lost ranking is not enough to mend",
        examination("harmful", signal("calibration"), signal("roc_auc"), gains=GAIN),
        situation(),
        "retrain",
    ),
    (
        "an estimated loss of ranking stands against mending calibration alone",
        examination("harmful", signal("calibration"), signal("estimated_roc_auc"), gains=GAIN),
        situation(),
        "retrain",
    ),
    (
        "features that moved stand against mending calibration alone",
        examination("harmful", signal("calibration"), gains=GAIN, tests=True),
        situation(),
        "retrain",
    ),
    (
        "rows that a classifier tells apart stand against mending calibration alone",
        examination("harmful", signal("calibration"), gains=GAIN, domain=True),
        situation(),
        "retrain",
    ),
    (
        "a gain that is not proven mends nothing",
        examination("drift", signal("prior"), gains=NO_GAIN),
        situation(),
        "retrain",
    ),
    (
        "a shifted rate that a new calibration is proven to mend is mended so",
        examination("drift", signal("prior"), gains=GAIN),
        situation(),
        "recalibrate",
    ),
    (
        "a recalibration that lost is not tried again",
        UNCALIBRATED,
        situation(attempt("2020-08", "recalibrate", "block")),
        "retune",
    ),
    (
        "a recalibration that won may be followed by another",
        UNCALIBRATED,
        situation(attempt("2020-08", "recalibrate", "promote")),
        "recalibrate",
    ),
    (
        "a retraining that lost is followed by a search",
        DRIFT,
        situation(attempt("2020-08", "retrain", "keep")),
        "retune",
    ),
    (
        "a retraining that was blocked is followed by a search",
        DRIFT,
        situation(attempt("2020-08", "retrain", "block")),
        "retune",
    ),
    (
        "a search that lost is followed by a retraining",
        DRIFT,
        situation(attempt("2020-02", "retrain", "keep"), attempt("2020-08", "retune", "keep")),
        "retrain",
    ),
    (
        "a retraining that won since is followed by another",
        DRIFT,
        situation(attempt("2020-02", "retrain", "keep"), attempt("2020-08", "retrain")),
        "retrain",
    ),
    ("in the cooldown nothing is done", LOST, situation(attempt("2020-10")), "keep"),
    ("just after the cooldown something is done", LOST, situation(attempt("2020-09")), "retrain"),
    ("in the month of an attempt nothing is done", LOST, situation(attempt(NOW)), "keep"),
    (
        "an attempt on a period that is no longer accepted counts by its place in time",
        LOST,
        situation(attempt("2020-10-quarantined")),
        "keep",
    ),
    (
        "an attempt after all that is accepted counts as of now",
        LOST,
        situation(attempt("2021-05")),
        "keep",
    ),
    (
        "a spent budget does nothing",
        LOST,
        situation(attempt("2020-07"), attempt("2020-08")),
        "keep",
    ),
    (
        "an attempt that has left the budget's periods is not counted",
        LOST,
        situation(attempt("2020-06"), attempt("2020-08")),
        "retrain",
    ),
    ("too few labels do nothing", LOST, situation(labelled=199), "keep"),
    ("just as many labels as asked for are enough", LOST, situation(labelled=200), "retrain"),
    ("drift that is not confirmed does nothing", DRIFT, situation(before=0), "keep"),
    ("drift in as many windows as asked for is confirmed", DRIFT, situation(before=1), "retrain"),
    ("harm does not wait to be confirmed", LOST, situation(before=0), "retrain"),
]


@pytest.mark.parametrize(
    ("found", "known", "action"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_is_done(found: Examination, known: Situation, action: str) -> None:
    """Each row of the policy's table leads to its action, and to nothing else."""
    choice = chosen(found, known)
    assert choice.action == action
    assert choice.because == found.verdict
    assert choice.why.startswith("what was found")


HINDRANCES: Sequence[tuple[Situation, dict[str, Any], str]] = [
    (situation(attempt("2020-11")), {"cooldown": 0}, "1 period ago; policy.cooldown is 2"),
    (
        situation(attempt("2020-08"), attempt("2020-09")),
        {"budget": {"attempts": 3, "periods": 6}},
        "the last 6 periods had 2 attempts; policy.budget allows 2",
    ),
    (
        situation(attempt("2020-08"), attempt("2020-09")),
        {"budget": {"attempts": 2, "periods": 4}},
        "the last 6 periods had 2 attempts; policy.budget allows 2",
    ),
    (situation(labelled=150), {"min_labelled": 150}, "only 150 newer rows have labels"),
    (situation(before=0), {"confirm": 1}, "1 window in a row; policy.confirm is 2"),
]


@pytest.mark.parametrize(
    ("known", "without", "says"),
    HINDRANCES,
    ids=["cooldown", "attempts of the budget", "periods of the budget", "labels", "confirm"],
)
def test_each_hindrance_alone_hinders_and_says_its_numbers(
    known: Situation, without: dict[str, Any], says: str
) -> None:
    """What hinders is the only thing that does: without it, the same situation retrains."""
    hindered = chosen(DRIFT, known)
    assert (hindered.action, hindered.because) == ("keep", "drift")
    assert "; but " in hindered.why
    assert says in hindered.why
    assert chosen(DRIFT, known, **without).action == "retrain"


def test_the_reasons_of_an_action_have_its_numbers() -> None:
    """A recalibration names its gain, a search its cause."""
    assert "0.080 [0.050, 0.110] nats a row" in chosen(UNCALIBRATED, situation()).why
    assert "a loss of over 0.1" in chosen(SEVERE, situation()).why
    lost = situation(attempt("2020-08", "retrain", "keep"))
    assert "the last retrain, on 2020-08, did not win" in chosen(DRIFT, lost).why


def test_a_signal_that_did_not_fire_neither_searches_nor_stands_against_a_calibration() -> None:
    """Only what is proven counts."""
    quiet = replace(signal("roc_auc", -0.3), fired=False)
    found = examination("harmful", quiet, signal("calibration"), gains=GAIN)
    assert chosen(found, situation()).action == "recalibrate"
    assert chosen(examination("drift", quiet, tests=True), situation()).action == "retrain"


def test_periods_after_are_counted_whether_or_not_the_period_is_among_them() -> None:
    """Periods count by their order, so one that is gone has a place still."""
    assert periods_after("2020-10", PERIODS) == 2
    assert periods_after("2020-10", [p for p in PERIODS if p != "2020-10"]) == 2
    assert periods_after("2021-01", PERIODS) == 0


def test_a_bootstrap_is_no_challenge_and_nothing_cools_down_after_it() -> None:
    """The first month after the first champion may be acted on, and costs nothing of the budget."""
    first = attempt(NOW, "bootstrap")
    once = {"attempts": 1, "periods": 12}
    assert chosen(DRIFT, situation(first), budget=once).action == "retrain"
    assert chosen(DRIFT, situation(attempt(NOW)), budget=once).action == "keep"


@pytest.mark.parametrize("action", ["retrain", "retune", "recalibrate", "bootstrap"])
@pytest.mark.parametrize("found", [DRIFT, LOST, SEVERE], ids=["drift", "lost", "severe"])
def test_the_data_that_made_a_champion_rolled_back_from_ask_for_nothing(
    found: Examination, action: str
) -> None:
    """Not even without a cooldown: what it drifted from is still there, and so is the drift."""
    known = situation(attempt("2020-11"), attempt(NOW, action, "rollback"))
    for cooldown in (0, 2):
        choice = chosen(found, known, cooldown=cooldown, budget={"attempts": 9, "periods": 6})
        assert choice.action == "keep"
        assert f"the last attempt, on {NOW}, ended in `rollback`" in choice.why


def test_after_the_cooldown_a_rollback_asks_for_a_new_search() -> None:
    """The same hyperparameters on a little more data would be the same again."""
    known = situation(attempt("2020-08"), attempt("2020-09", "retrain", "rollback"))
    choice = chosen(DRIFT, known, budget={"attempts": 9, "periods": 6})
    assert choice.action == "retune"
    assert "the last retrain, on 2020-09, was rolled back from" in choice.why
