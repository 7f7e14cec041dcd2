"""Gates on what the candidate is worth: quality, calibration, simple models, the champion."""

from typing import Any

import numpy as np
import pandas as pd

from perennial.core.gates.result import CHAMPION, Gate, Precision, Side, on_interval
from perennial.core.statistics import clusters, metrics, roc
from perennial.params.gates import ChampionGate, Margin, QualityFloor, Threshold

LOSSES = ("log_loss", "brier")  # the lower the better


def quality_floor(scores: pd.DataFrame, settings: QualityFloor, precision: Precision) -> Gate:
    """The metric of the user's choice reaches a floor on the holdout, or stays below a ceiling."""
    found = metrics.holdout_metric(
        settings.metric,
        *_judged(scores, precision),
    )
    side: Side = "below" if settings.metric in LOSSES else "above"
    return on_interval(
        "quality_floor",
        found,
        settings.threshold,
        side,
        settings.insufficient,
        f"{settings.metric} {{estimate}} must be {side} {{threshold}}",
    )


def calibration(scores: pd.DataFrame, settings: Threshold, bins: int, precision: Precision) -> Gate:
    """Probabilities mean what they say: the debiased ECE stays below a threshold."""
    judged = _judged(scores, precision)
    effect = metrics.calibration_effect(*judged[:2], bins, clusters.of(scores))
    found = metrics.resampled(metrics.ece_of(bins, effect), *judged)
    return on_interval(
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
    prior = float(scores["prior"].iloc[0])  # one number for all rows

    def make(target: np.ndarray, probability: np.ndarray, _: Any, __: Any) -> metrics.Statistic:
        own, constant = (probability - target) ** 2, (prior - target) ** 2
        return lambda weights: 1 - (weights @ own) / (weights @ constant)

    found = metrics.resampled(
        make,
        *_judged(scores, precision),
    )
    return on_interval(
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
    found = roc.roc_auc_difference(
        scores["target"].to_numpy(),
        scores["probability"].to_numpy(),
        scores[simple].to_numpy(),
        precision.confidence,
        clusters.of(scores),
    )
    return on_interval(
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
        return Gate(CHAMPION, "pass", None, 0.0, "nobody is champion yet", side="above")
    if is_champion:
        why = "the candidate is the champion, byte for byte"
        return Gate(CHAMPION, "pass", None, 0.0, why, side="above")
    found = roc.roc_auc_difference(
        scores["target"].to_numpy(),
        scores["probability"].to_numpy(),
        champion_probability,
        precision.confidence,
        clusters.of(scores),
    )
    needed = "not inferior, after drift," if drifted else "superior"
    return on_interval(
        CHAMPION,
        found,
        -settings.margin if drifted else 0.0,
        "above",
        "tolerate",
        f"ROC AUC less the champion's {{estimate}} must be above {{threshold}} "
        f"({needed} to replace it)",
    )


def _judged(
    scores: pd.DataFrame, precision: Precision
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int, int, np.ndarray | None]:
    """Return what a metric is of, how precisely it is to be known, and the rows' clusters."""
    target, probability, decision = (
        scores[name].to_numpy() for name in ("target", "probability", "decision")
    )
    return (
        target,
        probability,
        decision,
        precision.confidence,
        precision.replicates,
        precision.seed,
        clusters.of(scores),
    )
