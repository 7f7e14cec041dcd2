"""How good the champion was on a period that had just arrived: scored before its labels were used
(prequential: Dawid 1984), so no row judges a model that has seen it."""

from typing import Any

import numpy as np

from perennial.core.statistics import estimates, metrics, roc
from perennial.core.statistics.estimates import Estimate
from perennial.params import Evaluation

MIN_OF_A_CLASS = 10  # fewer rows of a class say nothing of ranking or calibration
MEASURES = ("roc_auc", "log_loss", "brier", "ece")


def period(
    target: np.ndarray, probability: np.ndarray, settings: Evaluation, seed: int
) -> dict[str, Any]:
    """Return ROC AUC, log loss, Brier score and debiased ECE of one period, as JSON values.

    Each is None where a class has under ten rows: such a period counts in the pooled numbers only.

    Args:
        target: 0 or 1, shape (rows,).
        probability: Of the positive class, shape (rows,).
        settings: Confidence, replicates and bins.
        seed: Of the bootstrap of the ECE.
    """
    positives = int(target.sum())
    if min(positives, len(target) - positives) < MIN_OF_A_CLASS:
        return dict.fromkeys(MEASURES)
    error = metrics.calibration_error(target, probability, settings.bins)
    drawn = (settings.confidence, settings.replicates, seed)
    found: dict[str, Estimate] = {
        "roc_auc": roc.roc_auc(target, probability, settings.confidence),
        "log_loss": estimates.mean(metrics.row_log_loss(target, probability), settings.confidence),
        "brier": estimates.mean((probability - target) ** 2, settings.confidence),
        "ece": estimates.bootstrap(error, len(target), *drawn),
    }
    return {name: found[name].to_json() for name in MEASURES}
