"""The policy: what is to be done about an examination, given what was tried before.

A pure function of what it is given, so that replay and the DAG decide the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial.core.dataset.plan import Action
from perennial.core.drift.examination import Examination
from perennial.params.drift import Monitor, Policy


@dataclass(frozen=True)
class Situation:
    """What the policy looks back on.

    Attributes:
        periods: Of all accepted batches, oldest first.
        attempts: What challenged champions so far: `period`, `action`, `verdict`, oldest first.
        labelled_rows: Labelled rows that are newer than the champion's.
        drifted_before: How many windows in a row, before the newest, showed drift too.
    """

    periods: Sequence[str]
    attempts: Sequence[Mapping[str, Any]]
    labelled_rows: int
    drifted_before: int


@dataclass(frozen=True)
class Choice:
    """What is to be done, from what it follows, and a sentence with the numbers."""

    action: Action
    because: str
    why: str


def choose(found: Examination, situation: Situation, policy: Policy, monitor: Monitor) -> Choice:
    """Return what to do about newer rows.

    Nothing is done without drift; nor where it was just tried, is tried too often, is not yet
    confirmed, or nothing newer could be learnt from. If the ranking holds and a new calibration is
    proven to mend what is wrong, that is all that is done, unless just that did not win the last
    time. If the last plain retraining did not win, or the loss is severe, there is a new search.
    """
    if found.verdict in ("none", "insufficient"):
        return Choice("keep", found.verdict, found.why)
    hindered = _hindrance(found, situation, policy)
    if hindered:
        return Choice("keep", found.verdict, f"{found.why}; but {hindered}")
    if _calibration_suffices(found, monitor) and _lost_last(situation) != "recalibrate":
        gain = found.gains["recalibration"]
        why = (
            f"the ranking is not shown to be worse, and a new calibration alone saves "
            f"{gain.value:.3f} [{gain.low:.3f}, {gain.high:.3f}] nats a row"
        )
        return Choice("recalibrate", found.verdict, f"{found.why}; {why}")
    if reason := _search_is_due(found, situation, policy):
        return Choice("retune", found.verdict, f"{found.why}; {reason}")
    return Choice("retrain", found.verdict, found.why)


def _hindrance(found: Examination, situation: Situation, policy: Policy) -> str:
    """Return why nothing is done yet; empty if nothing stands against it."""
    # a bootstrap challenged nobody; if it was rolled back from, that counts
    challenges = [
        a for a in situation.attempts if a["action"] != "bootstrap" or a["verdict"] == "rollback"
    ]
    since = [periods_after(a["period"], situation.periods) for a in challenges]
    if since and since[-1] <= policy.cooldown:
        last = challenges[-1]
        return (
            f"the last attempt, on {last['period']}, ended in `{last['verdict']}` "
            f"{_counted(since[-1], 'period')} ago; policy.cooldown is {policy.cooldown}"
        )
    recent = sum(n < policy.budget.periods for n in since)
    if recent >= policy.budget.attempts:
        return (
            f"the last {_counted(policy.budget.periods, 'period')} had "
            f"{_counted(recent, 'attempt')}; policy.budget allows {policy.budget.attempts}"
        )
    if situation.labelled_rows < policy.min_labelled:
        return (
            f"only {situation.labelled_rows:,} newer rows have labels; policy.min_labelled is "
            f"{policy.min_labelled:,}"
        )
    if found.verdict == "drift" and situation.drifted_before + 1 < policy.confirm:
        return (
            f"drift is shown by {_counted(situation.drifted_before + 1, 'window')} in a row; "
            f"policy.confirm is {policy.confirm}"
        )
    return ""


def _calibration_suffices(found: Examination, monitor: Monitor) -> bool:
    """Tell whether all that is proven is what a new calibration is proven to mend."""
    gain = found.gains.get("recalibration")
    moved = {signal.name for signal in found.signals if signal.fired}
    mended = moved <= {"calibration", "prior", "estimated_prior", "concept"}
    elsewhere = found.comparison.verdict == "drift" or (found.domain and found.domain.drifted)
    return gain is not None and gain.low > monitor.harm.log_loss and mended and not elsewhere


def _search_is_due(found: Examination, situation: Situation, policy: Policy) -> str:
    lost = next((s.estimate for s in found.signals if s.name == "roc_auc" and s.fired), None)
    if lost is not None and lost.high < -policy.severe:
        return f"a loss of over {policy.severe:g} asks for a new search"
    if (lost_last := _lost_last(situation)) in ("retrain", "recalibrate"):
        last = situation.attempts[-1]
        ended = "was rolled back from" if last["verdict"] == "rollback" else "did not win"
        return f"the last {lost_last}, on {last['period']}, {ended}, so there is a new search"
    return ""


def _lost_last(situation: Situation) -> str:
    """Return what was tried last, if it did not win; else nothing."""
    last = situation.attempts[-1] if situation.attempts else {"verdict": "promote"}
    return "" if last["verdict"] == "promote" else str(last["action"])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def periods_after(period: str, periods: Sequence[str]) -> int:
    """Return how many of the periods are later than this one."""
    return sum(other > period for other in periods)
