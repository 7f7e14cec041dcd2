"""Signals: each is one way in which newer rows may differ, and whether that harms the champion."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from perennial.core.drift import concept, corrections, label_shift, performance
from perennial.core.drift.corrections import Labelled
from perennial.core.drift.rows import Rows
from perennial.core.model import calibration
from perennial.core.model.calibration import Calibration
from perennial.core.statistics.estimates import Estimate
from perennial.params import Utility
from perennial.params.drift import Monitor

MIN_OF_A_CLASS = 10  # fewer labelled rows of a class say nothing of ranking or calibration


@dataclass(frozen=True)
class Signal:
    """What one look at the newer rows says.

    Attributes:
        name: Of the look.
        estimate: What was estimated; None where the look is no estimate.
        threshold: What the estimate's bound is held to.
        fired: Whether it is proven.
        harm: Whether, once proven, it is harm to the champion: only labels can say so.
        says: A sentence with the numbers.
    """

    name: str
    estimate: Estimate | None
    threshold: float
    fired: bool
    harm: bool
    says: str

    def to_json(self) -> dict[str, Any]:
        """Return the signal as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Baseline:
    """What the champion's scores say of the reference alone: the same for every window.

    Attributes:
        roc_auc: As the champion itself expects it; None where there are no pairs.
        rate: Share of positives.
        line: Its scores calibrated on just these rows.
        prior: The share of positives as estimated from them without the labels.
    """

    roc_auc: Estimate | None
    rate: float
    line: Calibration
    prior: Estimate


def baseline(reference: Rows, settings: Monitor, seed: int) -> Baseline:
    """Return what `without_labels` holds newer rows to; half of its work.

    Args:
        reference: What the champion was calibrated and judged on, with its labels.
        settings: Confidence and replicates.
        seed: Of the bootstraps.
    """
    assert reference.target is not None
    rate = _rate(reference)
    # calibrated on just these reference rows, and held to the same estimate of them: a weak
    # champion's estimate is off by many times what its calibration is off
    line = calibration.fit("sigmoid", reference.margin, reference.target)
    prior = _prior(reference, line, rate, settings, seed)
    return Baseline(_expected(reference, settings, seed), rate, line, prior)


def without_labels(known: Baseline, current: Rows, settings: Monitor, seed: int) -> list[Signal]:
    """Return what is estimated from the champion's probabilities alone.

    Args:
        known: Of the reference.
        current: The newest rows.
        settings: Confidence, replicates and the changes that matter.
        seed: Of the bootstraps.
    """
    found, limit = [], settings.harm.roc_auc
    expected = _expected(current, settings, seed)
    if expected is not None and known.roc_auc is not None:
        change = performance.change(expected, known.roc_auc)
        says = (
            f"the ROC AUC, estimated without labels, changes by {_shown(change)}; a loss of over "
            f"{limit:g} matters"
        )
        found.append(Signal("estimated_roc_auc", change, limit, change.high < -limit, False, says))
    now = _prior(current, known.line, known.rate, settings, seed)
    prior = performance.change(now, known.prior)
    says = (
        f"the rate of positives, estimated without labels, changes by {_shown(prior)} from "
        f"{known.rate:.3f}; over {settings.harm.prior:g} matters"
    )
    fired = _away(prior, 0.0) > settings.harm.prior
    return [*found, Signal("estimated_prior", prior, settings.harm.prior, fired, False, says)]


def _expected(rows: Rows, settings: Monitor, seed: int) -> Estimate | None:
    drawn = (settings.confidence, settings.replicates, seed)
    auc = performance.estimated(rows.probability, rows.decision, *drawn).get("roc_auc")
    return auc if auc is not None and np.isfinite(auc.value) else None


def _prior(rows: Rows, line: Calibration, rate: float, settings: Monitor, seed: int) -> Estimate:
    drawn = (settings.confidence, settings.replicates, seed)
    return label_shift.estimated_prior(line.probability(rows.margin), rate, *drawn)


def with_labels(
    reference: Rows, labelled: Rows, prior: Signal, settings: Monitor, utility: Utility
) -> tuple[list[Signal], dict[str, Estimate]]:
    """Return what labels prove, and what cheaper corrections would gain.

    Args:
        reference: What the champion was calibrated and judged on, with its labels.
        labelled: The newest rows with labels, in order of arrival.
        prior: The signal on the rate of positives as estimated without labels.
        settings: Confidence and the changes that matter.
        utility: Of a decision.
    """
    known, target = reference.target, labelled.target
    assert prior.estimate is not None
    if known is None or target is None or min(_rarer(known), _rarer(target)) < MIN_OF_A_CLASS:
        return [], {}
    now, then = (
        performance.measured(y, rows.probability, rows.decision, settings.confidence)
        for y, rows in ((target, labelled), (known, reference))
    )
    change, limit = performance.change(now["roc_auc"], then["roc_auc"]), settings.harm.roc_auc
    says = (
        f"the ROC AUC on {len(labelled):,} labelled rows is {now['roc_auc'].value:.3f}, a change "
        f"of {_shown(change)}; a loss of over {limit:g} is harm"
    )
    lost = Signal("roc_auc", change, limit, change.high < -limit, True, says)
    rows = Labelled(target, labelled.margin, labelled.probability, labelled.decision)
    rate = _rate(reference)
    new_rate = rate + prior.estimate.value  # `gains` keeps it within 0 to 1
    gains = corrections.gains(rows, rate, new_rate, utility, settings.confidence)
    gain, limit = gains["recalibration"], settings.harm.log_loss
    says = f"wrong calibration costs {_shown(gain)} nats of log loss a row; over {limit:g} is harm"
    wrong = Signal("calibration", gain, limit, gain.low > limit, True, says)
    return [lost, wrong, _shift(known, target, settings), _cuts(reference, labelled, settings)], (
        gains
    )


def _shift(known: np.ndarray, target: np.ndarray, settings: Monitor) -> Signal:
    shift = label_shift.measured_shift(known, target, settings.confidence)
    says = f"the rate of positives changes by {_shown(shift)}; over {settings.harm.prior:g} matters"
    fired = _away(shift, 0.0) > settings.harm.prior
    return Signal("prior", shift, settings.harm.prior, fired, False, says)


def _cuts(reference: Rows, labelled: Rows, settings: Monitor) -> Signal:
    """Look for a lasting rise of the errors in order of arrival; reference rows warm it up."""
    assert reference.target is not None
    assert labelled.target is not None
    stream = [(rows.probability - rows.target) ** 2 for rows in (reference, labelled)]
    found = concept.changes(np.concatenate(stream), settings.adaptive_windowing)
    risen = [cut for cut in found if cut.found >= len(reference) and cut.harmful]
    says = "the squared error shows no lasting rise over the labelled rows"
    if risen:
        cut = risen[-1]
        says = (
            f"the mean squared error rises from {cut.before:.3f} to {cut.after:.3f} over the "
            "labelled rows"
        )
    return Signal("concept", None, settings.adaptive_windowing, bool(risen), False, says)


def fired(signals: Sequence[Signal]) -> list[Signal]:
    """Return those that fired, harm first."""
    return sorted((s for s in signals if s.fired), key=lambda s: not s.harm)


def _rarer(target: np.ndarray) -> int:
    return int(min(target.sum(), (1 - target).sum()))


def _rate(rows: Rows) -> float:
    assert rows.target is not None
    return float(np.clip(rows.target.mean(), 0.001, 0.999))


def _away(estimate: Estimate, value: float) -> float:
    """Return how far the interval is from a value at the least."""
    return max(estimate.low - value, value - estimate.high, 0.0)


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
