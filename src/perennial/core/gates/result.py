"""What a gate says, and how an interval becomes a verdict.

Each gate decides on an interval: wholly on the right side of its threshold is `pass`, wholly on
the wrong side `fail`, astride `insufficient`. docs/how-a-gate-decides.md has each one's formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from perennial.core.statistics import estimates
from perennial.core.statistics.estimates import Estimate
from perennial.core.statistics.metrics import Statistic
from perennial.params.base import OnInsufficient

Outcome = Literal["pass", "fail", "insufficient"]
Verdict = Literal["promote", "keep", "block"]
Side = Literal["above", "below"]
CHAMPION = "champion"


@dataclass(frozen=True)
class Precision:
    """How sure a gate must be: its share of the error rate, and how the bootstrap is drawn."""

    confidence: float
    replicates: int
    seed: int

    def resampled(self, statistic: Statistic, rows: int, key: np.ndarray | None = None) -> Estimate:
        """Return a statistic of row weights with its bootstrap interval; `key`: rows' clusters."""
        drawn = (self.confidence, self.replicates, self.seed)
        return estimates.bootstrap(statistic, rows, *drawn, key=key)


@dataclass(frozen=True)
class Gate:
    """The result of one gate.

    `side` is where of the threshold the truth must be; `insufficient` says whether too few rows
    to tell block here.
    """

    name: str
    verdict: Outcome
    estimate: Estimate | None
    threshold: float
    why: str
    insufficient: OnInsufficient = "block"
    side: Side = "below"

    @property
    def blocks(self) -> bool:
        """Whether this result stops the candidate. The champion comparison never does."""
        if self.name == CHAMPION:
            return False
        too_few = self.verdict == "insufficient" and self.insufficient == "block"
        return self.verdict == "fail" or too_few

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "estimate": self.estimate.to_json() if self.estimate else None,
            "threshold": self.threshold,
            "side": self.side,
            "why": self.why,
            "insufficient": self.insufficient,
            "blocks": self.blocks,
        }


def judge(estimate: Estimate, threshold: float, side: Side) -> Outcome:
    """Return whether the interval lies wholly on the wanted side of the threshold."""
    low, high = estimate.low, estimate.high
    if not (np.isfinite(low) and np.isfinite(high)):
        return "insufficient"
    if side == "above":
        return "pass" if low > threshold else "fail" if high < threshold else "insufficient"
    return "pass" if high < threshold else "fail" if low > threshold else "insufficient"


def decide(gates: Sequence[Gate], candidate_is_champion: bool) -> Verdict:
    """Return the verdict of all gates together.

    `block` if any blocks; `promote` if the champion comparison passes too; else `keep`.
    """
    if any(gate.blocks for gate in gates):
        return "block"
    comparison = next(gate for gate in gates if gate.name == CHAMPION)
    return "promote" if comparison.verdict == "pass" and not candidate_is_champion else "keep"


def reason(decided: Verdict, gates: Sequence[Gate]) -> str:
    """Return the verdict's reason in one sentence: what blocks, or how the champion compares."""
    if decided == "block":
        return "; ".join(f"{gate.name}: {gate.why}" for gate in gates if gate.blocks)
    comparison = next(gate for gate in gates if gate.name == CHAMPION)
    tolerated = [g.name for g in gates if g.verdict == "insufficient" and g is not comparison]
    short = f"; tolerated as too few rows to tell: {', '.join(tolerated)}" if tolerated else ""
    return f"no gate blocks; {comparison.why}{short}"


def by_severity(gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates with those first that block, then fail, are insufficient, pass."""
    order = {"fail": 0, "insufficient": 1, "pass": 2}
    return sorted(gates, key=lambda gate: (not gate.blocks, order[gate.verdict]))


def on_interval(
    name: str,
    estimate: Estimate,
    threshold: float,
    side: Side,
    insufficient: OnInsufficient,
    sentence: str,
) -> Gate:
    """Return the result of a gate that decides on an interval.

    `sentence` is its `why`, with {estimate} and {threshold} to be filled in.
    """
    outcome = judge(estimate, threshold, side)
    numbers = f"{estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]"
    why = _filled(sentence, estimate=numbers, threshold=f"{threshold:g}")
    if outcome == "insufficient":
        blocked = "which blocks" if insufficient == "block" else "which is tolerated"
        why += f"; {estimate.n:,} rows can't tell" + ("" if name == CHAMPION else f", {blocked}")
    return Gate(name, outcome, estimate, threshold, why, insufficient, side)


def on_fact(name: str, value: float, rows: int, at_most: float, sentence: str) -> Gate:
    """Return the result of a gate that counts or measures these very rows: nothing is estimated.

    What is not a number is no pass. `sentence` has {value} and {threshold} to be filled in.
    """
    estimate = Estimate(float(value), float(value), float(value), rows)
    outcome: Outcome = "pass" if value <= at_most else "fail"
    why = _filled(sentence, value=f"{value:.3g}", threshold=f"{at_most:g}")
    return Gate(name, outcome, estimate, at_most, why, "block", "below")


def not_measured(
    name: str, threshold: float, insufficient: OnInsufficient, why: str, side: Side = "below"
) -> Gate:
    """Return the result of a gate that had nothing to decide on."""
    blocked = "which blocks" if insufficient == "block" else "which is tolerated"
    return Gate(name, "insufficient", None, threshold, f"{why}, {blocked}", insufficient, side)


def _filled(sentence: str, **words: str) -> str:
    """Fill in a sentence that names levels of the user's, which may have braces of their own."""
    for name, word in words.items():
        sentence = sentence.replace(f"{{{name}}}", word)
    return sentence
