"""Monitoring: from the champion and the batches that came to what is to be done.

The stage `monitor` calls it with rows from files, `perennial replay` with rows in memory; so both
decide the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from perennial.core import features, policy
from perennial.core.drift.examination import Examination, examine
from perennial.core.drift.rows import Rows, view
from perennial.core.model.candidate import Candidate
from perennial.core.plan import BatchRef, assign, batches_of, newest, newest_period
from perennial.core.policy import Choice, Situation
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
    """

    plan: Mapping[str, Any]
    attempts: Sequence[Mapping[str, Any]]
    accepted: Sequence[BatchRef]
    labelled: Sequence[BatchRef]

    def newer(self, batches: Sequence[BatchRef]) -> list[BatchRef]:
        """Return those later than all that the champion knows."""
        last = newest_period(self.plan)
        return [ref for ref in batches if ref["period"] > last]

    @property
    def late(self) -> list[str]:
        """Periods that came after the champion's plan was made, and are older than its last."""
        planned = {ref["period"] for refs in self.plan["parts"].values() for ref in refs}
        last = newest_period(self.plan)
        names = (ref["period"] for ref in self.labelled)
        return [name for name in names if name not in planned and name < last]


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
        params: The groups seed, monitor, policy and training.
    """
    newer, request = known.newer(known.accepted), params.policy.request
    if not newer:
        last = newest_period(known.plan)
        why = f"no batch is newer than {last}, the last that the champion knows"
        return Finding(_requested(Choice("keep", "none", why), request))
    champion = model()
    reference = view(champion, *checked_on(known.plan, read, params.seed))
    window = newest(newer, params.monitor.min_rows)

    def looked(until: int) -> tuple[Examination, Rows]:
        """Examine the newest of the newer batches before `until`."""
        current = view(champion, *read(newest(newer[:until], params.monitor.min_rows)))
        arrived = {ref["period"] for ref in newer[:until]}
        with_labels = [r for r in known.newer(known.labelled) if r["period"] in arrived]
        labelled = _labelled(with_labels, champion, read, params.monitor.min_rows)
        settings, utility = params.monitor, params.training.utility
        found = examine(champion, reference, current, labelled, settings, utility, params.seed)
        return found, current

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
    if choice.action == "recalibrate" and params.split.kind != "time":
        choice = replace(choice, action="retrain")  # rows are drawn anew, so the trees are new too
    return Finding(_requested(choice, request), found, reference, current, window)


def checked_on(
    plan: Mapping[str, Any], read: Read, seed: int
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Return the rows that a champion was calibrated and judged on, and their target.

    Args:
        plan: The champion's.
        read: Reads batches.
        seed: With which rows were drawn, under a split that is not by time.
    """
    split = Split.model_construct(**plan["split"])
    if split.kind == "time":
        return read([*plan["parts"]["calibration"], *plan["parts"]["holdout"]])
    raw, target = read(batches_of(plan))
    assert target is not None
    key = None if split.key is None else features.text_of(raw[split.key]).to_numpy()
    chosen = assign(split, target, key, seed) != "train"
    return raw[chosen].reset_index(drop=True), target[chosen]


def _labelled(
    batches: Sequence[BatchRef], champion: Candidate, read: Read, rows: int
) -> Rows | None:
    return view(champion, *read(newest(batches, rows))) if batches else None


def _requested(choice: Choice, request: str) -> Choice:
    if request == "none":
        return choice
    why = f"policy.request asks for {request}; by itself: {choice.action}: {choice.why}"
    return Choice("retune" if request == "retune" else "retrain", "request", why)
