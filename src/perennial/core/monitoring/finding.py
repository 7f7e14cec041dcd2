"""What is found of the batches that came, and what is to be done about it.

The stage `monitor` calls it with rows from files, `perennial replay` with rows in memory; so both
decide the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.dataset.features import text_of
from perennial.core.dataset.plan import (
    BatchRef,
    assign,
    batches_of,
    make_plan,
    newest,
    newest_period,
)
from perennial.core.drift.examination import Examination, examine
from perennial.core.drift.rows import Rows, view
from perennial.core.model.candidate import Candidate
from perennial.core.monitoring import policy
from perennial.core.monitoring.policy import Choice, Situation
from perennial.params import Params, Split

# batches to their raw rows, in order, and the target; None where a batch has no labels yet
Read = Callable[[Sequence[BatchRef]], tuple[pd.DataFrame, np.ndarray | None]]


@dataclass(frozen=True)
class Known:
    """What is known when a period has arrived.

    Attributes:
        plan: The champion's.
        attempts: What challenged champions so far, oldest first.
        accepted: All accepted batches, oldest first.
        labelled: Those whose labels have arrived.
        forgotten: Periods of the plan from which somebody's rows were taken out since.
    """

    plan: Mapping[str, Any]
    attempts: Sequence[Mapping[str, Any]]
    accepted: Sequence[BatchRef]
    labelled: Sequence[BatchRef]
    forgotten: Sequence[str] = ()

    def newer(self, batches: Sequence[BatchRef]) -> list[BatchRef]:
        """Return those later than all that the champion knows."""
        last = newest_period(self.plan)
        return [ref for ref in batches if ref["period"] > last]

    @property
    def late(self) -> list[str]:
        """Periods that came after the champion's plan was made, and are older than its last.

        What the plan left out on purpose is not late: a history cut short, or what lies between
        the old trees' rows and those of a new calibration.
        """
        parts, periods = self.plan["parts"], [ref["period"] for ref in batches_of(self.plan)]
        first = min(periods) if self.plan["split"]["history"]["kind"] != "all" else ""
        gap = ("", "")
        if self.plan["action"] == "recalibrate":
            gap = parts["train"][-1]["period"], parts["calibration"][0]["period"]
        return [
            name
            for name in (ref["period"] for ref in self.labelled)
            if first < name < max(periods) and name not in periods and not gap[0] < name < gap[1]
        ]

    @property
    def replaced(self) -> list[str]:
        """Periods of the champion's plan that were accepted with other content than it names."""
        now = {ref["period"]: ref["sha256"] for ref in self.accepted}
        return [
            ref["period"]
            for ref in batches_of(self.plan)
            if now.get(ref["period"], ref["sha256"]) != ref["sha256"]
            and ref["period"] not in self.forgotten
        ]


@dataclass(frozen=True)
class Finding:
    """What is to be done and what it rests on.

    Attributes:
        choice: What is to be done.
        examination: None if no batch is newer than the champion.
        reference: The rows compared with; None if there was no comparison.
        current: The newest rows; None if there was no comparison.
        window: The batches that these came from.
    """

    choice: Choice
    examination: Examination | None = None
    reference: Rows | None = None
    current: Rows | None = None
    window: Sequence[BatchRef] = ()


def consider(known: Known, model: Callable[[], Candidate], read: Read, params: Params) -> Finding:
    """Return what is to be done about the newest batches.

    Args:
        known: Plan, attempts and batches.
        model: Loads the champion; not called where nothing is newer.
        read: Reads batches.
        params: The groups seed, split, monitor, policy and training.
    """
    newer, request = known.newer(known.accepted), params.policy.request
    if known.forgotten:  # nothing may be compared with rows that are no more
        periods = ", ".join(known.forgotten)
        why = f"rows of {periods} that the champion was made with are to be forgotten"
        return Finding(_requested(Choice("retrain", "forgotten", why), request))
    if not newer:
        last = newest_period(known.plan)
        why = f"no batch is newer than {last}, the last that the champion knows"
        return Finding(_requested(Choice("keep", "none", why), request))
    champion = model()
    reference = view(champion, *rows_checked_on(known.plan, read, params.seed), params.split.key)

    def looked(until: int) -> tuple[Examination, Rows]:
        return _look(champion, reference, newer[:until], known, read, params)

    found, current = looked(len(newer))
    before = 0
    if found.verdict == "drift":  # harm does not wait to be confirmed
        while before + 1 < min(params.policy.confirm, len(newer)):
            if looked(len(newer) - 1 - before)[0].verdict not in ("drift", "harmful"):
                break
            before += 1
    situation = Situation(
        [ref["period"] for ref in known.accepted],
        known.attempts,
        sum(ref["rows"] for ref in known.newer(known.labelled)),
        before,
    )
    choice = policy.choose(found, situation, params.policy, params.monitor)
    choice = _requested(_possible(choice, known, params.split), request)
    return Finding(choice, found, reference, current, newest(newer, params.monitor.min_rows))


def checked_on(plan: Mapping[str, Any]) -> list[BatchRef]:
    """Return the batches with rows that a champion was calibrated and judged on, each once."""
    refs = [*plan["parts"]["calibration"], *plan["parts"]["holdout"]]
    return list({ref["period"]: ref for ref in refs}.values())


def rows_checked_on(
    plan: Mapping[str, Any], read: Read, seed: int
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Return the rows that a champion was calibrated and judged on, none of them trained on."""
    split = Split.model_validate(plan["split"])
    raw, target = read(checked_on(plan))
    if split.kind == "time" or target is None:
        return raw, target
    key = text_of(raw[split.key]).to_numpy() if split.key is not None else None
    held = assign(split, target, key, seed) != "train"
    return raw[held].reset_index(drop=True), target[held]


def _look(
    champion: Candidate,
    reference: Rows,
    newer: Sequence[BatchRef],
    known: Known,
    read: Read,
    params: Params,
) -> tuple[Examination, Rows]:
    """Examine the newest of the newer batches; return the rows too."""
    rows, periods = params.monitor.min_rows, {ref["period"] for ref in newer}
    current = view(champion, *read(newest(newer, rows)), params.split.key)
    arrived = [ref for ref in known.labelled if ref["period"] in periods]
    labelled = view(champion, *read(newest(arrived, rows))) if arrived else None
    settings, utility = params.monitor, params.training.utility
    found = examine(champion, reference, current, labelled, settings, utility, params.seed)
    return found, current


def _possible(choice: Choice, known: Known, split: Split) -> Choice:
    """Return a retraining in place of a recalibration that could not keep the trees."""
    if choice.action != "recalibrate":
        return choice
    if split.kind != "time" or known.plan["split"]["kind"] != "time":
        hindrance = "a split by row draws other rows to train on"
    else:
        parts = make_plan(known.labelled, split, choice.action, choice.because)["parts"]
        if known.plan["parts"]["train"][-1]["period"] < parts["calibration"][0]["period"]:
            return choice
        hindrance = "some of the rows to calibrate on were trained on"
    return Choice("retrain", choice.because, f"{choice.why}; but {hindrance}, so the trees are new")


def _requested(choice: Choice, request: str) -> Choice:
    if request == "none":
        return choice
    why = f"policy.request asks for {request}; by itself: {choice.action}: {choice.why}"
    return Choice("retune" if request == "retune" else "retrain", "request", why)
