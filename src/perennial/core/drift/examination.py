"""The examination of newer rows: every look, and one verdict with its reasons.

The stage `monitor`, `perennial replay` and `perennial calibrate-drift` all call `examine`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from perennial.core.drift import corrections, domain, signals
from perennial.core.drift.comparison import Comparison, compare
from perennial.core.drift.domain import DomainShift
from perennial.core.drift.rows import Rows
from perennial.core.drift.signals import Baseline, Signal
from perennial.core.model.candidate import Candidate
from perennial.core.statistics.estimates import Estimate
from perennial.params import Utility
from perennial.params.drift import Monitor

Verdict = Literal["none", "insufficient", "drift", "harmful"]


@dataclass(frozen=True)
class Examination:
    """What is known of the newest rows.

    Attributes:
        verdict: `harmful` if harm to the champion is proven on labels, `drift` if anything else
            is proven, `insufficient` if there are too few rows to tell.
        why: A sentence with the numbers of what decided.
        comparison: The univariate tests.
        domain: The domain classifier; None where there are too few rows for its folds.
        signals: The other looks.
        gains: What cheaper corrections would gain, on the newest labelled rows.
    """

    verdict: Verdict
    why: str
    comparison: Comparison
    domain: DomainShift | None = None
    signals: Sequence[Signal] = ()
    gains: Mapping[str, Estimate] = field(default_factory=dict)

    def proven(self, name: str) -> bool:
        """Return whether the signal of that name fired."""
        return any(signal.name == name and signal.fired for signal in self.signals)

    def to_json(self, needed: float) -> dict[str, Any]:
        """Return it as JSON values; `needed` is the gain of log loss that a correction needs."""
        return {
            "verdict": self.verdict,
            "why": self.why,
            "tests": self.comparison.to_json()["tests"],
            "domain": self.domain.to_json() if self.domain else None,
            "signals": [signal.to_json() for signal in self.signals],
            "corrections": corrections.to_json(self.gains, needed),
        }


def examine(
    model: Candidate,
    reference: Rows,
    current: Rows,
    labelled: Rows | None,
    settings: Monitor,
    utility: Utility,
    seed: int,
    known: Baseline | None = None,
) -> Examination:
    """Look at newer rows in every way.

    Args:
        model: The champion.
        reference: The rows it was calibrated and judged on, with labels, none of them trained on.
        current: The newest rows.
        labelled: The newest rows whose labels have arrived, in order of arrival; None without any.
        settings: The group `monitor`.
        utility: Of a decision.
        seed: Of whatever is drawn.
        known: `signals.baseline` of the reference, if it was made before.
    """
    compared = compare(
        reference.derived,
        current.derived,
        model.spec.columns,
        reference.margin,
        current.margin,
        settings,
    )
    if compared.verdict == "insufficient":
        return Examination("insufficient", compared.why, compared)
    told = domain.classify(
        reference.features,
        current.features,
        settings.domain_classifier,
        settings.confidence,
        seed,
        (reference.key, current.key),
    )
    known = known or signals.baseline(reference, settings, seed)
    found = signals.without_labels(known, current, settings, seed)
    gains: dict[str, Estimate] = {}
    if labelled is not None and len(labelled) >= settings.min_rows:
        measured, gains = signals.with_labels(reference, labelled, found[-1], settings, utility)
        found += measured
    return _conclude(compared, told, found, gains)


def _conclude(
    compared: Comparison,
    told: DomainShift | None,
    found: list[Signal],
    gains: Mapping[str, Estimate],
) -> Examination:
    fired = signals.fired(found)
    reasons = [signal.says for signal in fired]
    if compared.verdict == "drift":
        reasons.append(compared.why)
    if told and told.drifted:
        auc = told.roc_auc
        reasons.append(
            f"a classifier tells the newer rows from the reference with a ROC AUC of "
            f"{auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}], {told.threshold:g} is allowed"
        )
    harm = any(signal.harm for signal in fired)
    verdict: Verdict = "harmful" if harm else "drift" if reasons else "none"
    why = "; ".join(reasons) or f"nothing is proven: {compared.why}"
    return Examination(verdict, why, compared, told, found, gains)
