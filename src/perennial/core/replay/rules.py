"""The policies that are compared: when each asks for a challenge of the champion."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from perennial.core.model.candidate import Candidate
from perennial.core.monitoring import finding
from perennial.core.monitoring.finding import Finding, Known, Read
from perennial.core.monitoring.policy import Choice
from perennial.errors import InputError
from perennial.params import Params

Kind = Literal["never", "scheduled", "drift", "always"]
SCHEDULED = re.compile(r"scheduled\(([1-9][0-9]*)\)")


@dataclass(frozen=True)
class Rule:
    """A policy: `every` is the number of periods of `scheduled`, 1 for the others."""

    kind: Kind
    every: int = 1

    @property
    def name(self) -> str:
        """The policy's name in the report."""
        return f"scheduled({self.every})" if self.kind == "scheduled" else self.kind


def parse(name: str) -> Rule:
    """Return the policy of that name.

    Raises:
        InputError: there is none.
    """
    for kind in ("never", "drift", "always"):
        if name == kind:
            return Rule(kind)
    if found := SCHEDULED.fullmatch(name):
        return Rule("scheduled", int(found[1]))
    raise InputError(
        f"{name}: no such policy", "Policies: never, scheduled(K) for any K, drift, always."
    )


def compared(scheduled: Sequence[int]) -> list[Rule]:
    """Return all policies in the order of the report; `scheduled` are the K of `scheduled(K)`."""
    by_time = [Rule("scheduled", k) for k in scheduled]
    return [Rule("never"), *by_time, Rule("drift"), Rule("always")]


def decide(
    rule: Rule,
    number: int,
    known: Known,
    model: Callable[[], Candidate],
    read: Read,
    params: Params,
) -> Finding:
    """Return what a policy does when a period has arrived, its labels with it.

    `scheduled` and `always` request a retraining as `policy.request` does; `drift` is what the
    stage `monitor` does.

    Args:
        rule: The policy.
        number: Of the period, from 1 for the first after the start.
        known: Plan, attempts and batches.
        model: Loads the champion.
        read: Reads batches.
        params: The groups seed, monitor, policy and training.
    """
    if rule.kind == "drift":
        policy = params.policy.model_copy(update={"request": "none"})  # a person's, not a policy's
        return finding.consider(known, model, read, params.model_copy(update={"policy": policy}))
    if rule.kind == "never":
        return Finding(Choice("keep", "none", "this policy never retrains"))
    if number % rule.every:
        left = rule.every - number % rule.every
        return Finding(Choice("keep", "none", f"{rule.name}: due in {left} periods"))
    return Finding(Choice("retrain", "request", f"{rule.name}: due"))
