"""A challenge: a plan carried out in memory, and judged by every gate, as the DAG would."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from perennial.core import case
from perennial.core.case import Parity, Rows
from perennial.core.dataset import features, labels
from perennial.core.dataset.part import Part
from perennial.core.dataset.plan import PARTS, batches_of
from perennial.core.gates.result import Gate, Verdict, decide, reason
from perennial.core.model.candidate import Candidate
from perennial.core.monitoring.finding import Read
from perennial.core.verdict import results
from perennial.params import Params


@dataclass(frozen=True)
class Challenge:
    """How a plan ended."""

    candidate: Candidate
    gates: list[Gate]
    verdict: Verdict

    @property
    def why(self) -> str:
        """The verdict's reason."""
        return reason(self.verdict, self.gates)


def rows_of(plan: Mapping[str, Any], read: Read) -> Rows:
    """Return a plan's rows, in order of their periods.

    Raises:
        InputError: a part has one class only.
    """
    part_of = {ref["period"]: part for part in PARTS for ref in plan["parts"][part]}
    refs = batches_of(plan)
    frames = [read([ref]) for ref in refs]
    sizes = [len(frame) for frame, _ in frames]
    period = np.repeat(np.array([ref["period"] for ref in refs], dtype=object), sizes)
    rows = Rows(
        raw=pd.concat([frame for frame, _ in frames], ignore_index=True),
        target=np.concatenate([target for _, target in frames if target is not None]),
        part=np.repeat(np.array([part_of[ref["period"]] for ref in refs], dtype=object), sizes),
        period=period,
        place=np.concatenate([np.arange(size) for size in sizes]),
        by_time=True,
    )
    for name in PARTS:
        labels.require_both(rows.target[rows.of(name)], name)
    return rows


def training_part(rows: Rows, params: Params) -> Part:
    """Return the training rows' matrix, as the stage `features` hands it to `tune`."""
    own = rows.take(rows.of("train"))
    derived = features.derive(own.raw, params.features.columns)
    spec = features.fit(derived, params.features, params.sensitive)
    groups = features.groups(own.raw, params.sensitive)
    return Part(features.apply(spec, derived), own.target, groups)


def judge(
    fitted: case.Fitted,
    champion: Candidate,
    same: Callable[[Candidate], bool],
    drifted: bool,
    parity: Parity,
) -> Challenge:
    """Put what was fitted through every gate.

    Args:
        fitted: Candidate and simple models.
        champion: Whom it challenges.
        same: Tells whether the candidate is the champion, byte for byte.
        drifted: Whether drift or harm is why there is a candidate.
        parity: Compares the candidate with its exports.
    """
    is_champion, params = same(fitted.candidate), fitted.params
    challenging = replace(fitted, champion=champion, is_champion=is_champion)
    evidence = case.collect(challenging, parity, drifted)
    gates = results(evidence, params.gates, params.fairness, params.evaluation, params.seed)
    return Challenge(fitted.candidate, gates, decide(gates, is_champion))
