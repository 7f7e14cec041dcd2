"""Gates: from evidence to a result that says pass, fail or insufficient, and why.

Each gate decides on an interval: wholly on the right side of its threshold is `pass`, wholly on
the wrong side `fail`, astride `insufficient`. docs/how-a-gate-decides.md has each one's formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from perennial.core import attribution, estimates, fairness, metrics
from perennial.core.estimates import Estimate
from perennial.params import (
    AdditivityGate,
    ChampionGate,
    FairnessGate,
    Margin,
    OnInsufficient,
    QualityFloor,
    Threshold,
)

Outcome = Literal["pass", "fail", "insufficient"]
Verdict = Literal["promote", "keep", "block"]
CHAMPION = "champion"


@dataclass(frozen=True)
class Precision:
    """How sure a gate must be: its share of the error rate, and how the bootstrap is drawn."""

    confidence: float
    replicates: int
    seed: int


@dataclass(frozen=True)
class Gate:
    """The result of one gate; `insufficient` says whether too few rows block here."""

    name: str
    verdict: Outcome
    estimate: Estimate | None
    threshold: float
    why: str
    insufficient: OnInsufficient = "block"

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
            "why": self.why,
            "insufficient": self.insufficient,
            "blocks": self.blocks,
        }


def judge(estimate: Estimate, threshold: float, side: Literal["above", "below"]) -> Outcome:
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


def quality_floor(scores: pd.DataFrame, settings: QualityFloor, precision: Precision) -> Gate:
    """The metric of the user's choice reaches a floor on the holdout."""
    found = metrics.holdout_metrics(
        scores["target"].to_numpy(),
        scores["probability"].to_numpy(),
        scores["decision"].to_numpy(),
        10,
        precision.confidence,
        precision.replicates,
        precision.seed,
    )[settings.metric]
    return _gate(
        "quality_floor",
        found,
        settings.threshold,
        "above",
        settings.insufficient,
        f"{settings.metric} {{estimate}} must be above {{threshold}}",
    )


def calibration(scores: pd.DataFrame, settings: Threshold, bins: int, precision: Precision) -> Gate:
    """Probabilities mean what they say: the debiased ECE stays below a threshold."""
    statistic = metrics.calibration_error(
        scores["target"].to_numpy(), scores["probability"].to_numpy(), bins
    )
    found = _resampled(statistic, len(scores), precision)
    return _gate(
        "calibration",
        found,
        settings.threshold,
        "below",
        settings.insufficient,
        "expected calibration error {estimate} must be below {threshold}",
    )


def better_than_prior(scores: pd.DataFrame, settings: Threshold, precision: Precision) -> Gate:
    """The candidate is better than always stating the rate of the calibration rows.

    Brier skill score (Murphy 1973): 1 - Brier score / that of the constant.
    """
    target = scores["target"].to_numpy()
    own = (scores["probability"].to_numpy() - target) ** 2
    constant = (scores["prior"].to_numpy() - target) ** 2

    def skill(weights: np.ndarray) -> np.ndarray:
        return 1 - (weights @ own) / (weights @ constant)

    found = _resampled(skill, len(scores), precision)
    return _gate(
        "better_than_prior",
        found,
        settings.threshold,
        "above",
        settings.insufficient,
        "Brier skill over the prior {estimate} must be above {threshold}",
    )


def better_than_simple(
    scores: pd.DataFrame, simple: str, settings: Margin, precision: Precision
) -> Gate:
    """The candidate's AUC is not inferior to a simple model's on the same rows (DeLong)."""
    found = estimates.roc_auc_difference(
        scores["target"].to_numpy(),
        scores["probability"].to_numpy(),
        scores[simple].to_numpy(),
        precision.confidence,
    )
    return _gate(
        f"better_than_{simple}",
        found,
        -settings.margin,
        "above",
        settings.insufficient,
        f"ROC AUC less that of {simple} {{estimate}} must be above {{threshold}}",
    )


def champion(
    scores: pd.DataFrame,
    champion_probability: np.ndarray | None,
    is_champion: bool,
    drifted: bool,
    settings: ChampionGate,
    precision: Precision,
) -> Gate:
    """The candidate may replace the champion: paired on the same holdout rows (DeLong).

    After drift the champion's ground has moved, and not being inferior is enough; otherwise the
    candidate must be superior.

    Args:
        scores: The candidate's scores.
        champion_probability: The champion's on the same rows; None if nobody is champion.
        is_champion: Whether candidate and champion are the same bundle.
        drifted: Whether drift or harm is why there is a candidate.
        settings: The margin.
        precision: Confidence of the interval.
    """
    if champion_probability is None:
        return Gate(CHAMPION, "pass", None, 0.0, "nobody is champion yet")
    if is_champion:
        return Gate(CHAMPION, "pass", None, 0.0, "the candidate is the champion, byte for byte")
    found = estimates.roc_auc_difference(
        scores["target"].to_numpy(),
        scores["probability"].to_numpy(),
        champion_probability,
        precision.confidence,
    )
    needed = "not inferior, after drift," if drifted else "superior"
    return _gate(
        CHAMPION,
        found,
        -settings.margin if drifted else 0.0,
        "above",
        "tolerate",
        f"ROC AUC less the champion's {{estimate}} must be above {{threshold}} "
        f"({needed} to replace it)",
    )


def leakage(attributions: pd.DataFrame, settings: Threshold, precision: Precision) -> Gate:
    """No single feature carries so much of the attribution that it looks like the answer itself.

    Taken in the training rows, where a leak is learned: drift can hide it in the holdout.
    """
    found = _resampled(attribution.largest_share(attributions), len(attributions), precision)
    name = attribution.importance(attributions)[0]["feature"]
    return _gate(
        "leakage",
        found,
        settings.threshold,
        "below",
        settings.insufficient,
        f"share of {name} in all attribution {{estimate}} must be below {{threshold}}",
    )


def additivity(errors: Sequence[float], rows: int, settings: AdditivityGate) -> Gate:
    """SHAP values and base sum to the model's own margin on every row explained: no estimate, a
    fact of these rows."""
    worst = float(np.max(errors))  # not a number stays one, and is no pass
    found = Estimate(worst, worst, worst, rows)
    return _gate(
        "additivity",
        found,
        settings.threshold,
        "below",
        "block",
        "largest gap between SHAP's sum and the model {estimate} must be below {threshold}",
    )


def fair(
    name: str,
    counted: fairness.Counted,
    settings: FairnessGate,
    min_group: int,
    precision: Precision,
) -> Gate:
    """The largest difference of the criterion between two groups stays below a threshold."""
    name = f"fairness_{name.replace(' × ', '_by_')}"
    criterion = settings.criterion.replace("_", " ")
    found = fairness.largest_difference(
        counted, settings.criterion, min_group, precision.confidence
    )
    if found is None:
        why = f"fewer than two groups have {min_group} rows to take the {criterion} from"
        return Gate(name, "insufficient", None, settings.threshold, why, settings.insufficient)
    estimate, (higher, lower) = found
    return _gate(
        name,
        estimate,
        settings.threshold,
        "below",
        settings.insufficient,
        f"{criterion} of {higher} less that of {lower} {{estimate}} must be below {{threshold}}",
    )


def _resampled(statistic: metrics.Statistic, rows: int, precision: Precision) -> Estimate:
    return estimates.bootstrap(
        statistic, rows, precision.confidence, precision.replicates, precision.seed
    )


def _gate(
    name: str,
    estimate: Estimate,
    threshold: float,
    side: Literal["above", "below"],
    insufficient: OnInsufficient,
    sentence: str,
) -> Gate:
    outcome = judge(estimate, threshold, side)
    numbers = f"{estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]"
    why = sentence.format(estimate=numbers, threshold=f"{threshold:g}")
    if outcome == "insufficient":
        blocked = "which blocks" if insufficient == "block" else "which is tolerated"
        why += f"; {estimate.n:,} rows can't tell" + ("" if name == CHAMPION else f", {blocked}")
    return Gate(name, outcome, estimate, threshold, why, insufficient)
