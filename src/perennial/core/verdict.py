"""The gates together: the evidence they decide on, their share of the error rate, their results.

The stage `gate` and `perennial prove-gates` both call `results`: what is proven is what decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.gates import behaviour, data, explanations, groups, quality
from perennial.core.gates.result import Gate, Precision
from perennial.params import Evaluation, Fairness
from perennial.params.gates import Gates

SIMPLE = ("logistic", "default")


@dataclass(frozen=True)
class Rival:
    """The champion on the candidate's holdout rows.

    `probability` has shape (rows,), `attributions` the same rows as the candidate's.
    """

    is_candidate: bool
    probability: np.ndarray
    attributions: pd.DataFrame


@dataclass(frozen=True)
class Evidence:
    """What the gates decide on: tables of the holdout, and the reports of earlier stages."""

    scores: pd.DataFrame
    slices: pd.DataFrame
    declared_slices: pd.DataFrame
    counts: Mapping[str, Any]
    train_attributions: pd.DataFrame
    holdout_attributions: pd.DataFrame
    explained: Mapping[str, Any]
    leaks: Mapping[str, Any]
    behaviour: Mapping[str, Any]
    parity: Mapping[str, Any]
    champion: Rival | None
    drifted: bool
    train_key: np.ndarray | None = None  # clusters of the rows of the attributions
    holdout_key: np.ndarray | None = None


def results(
    evidence: Evidence, settings: Gates, fairness: Fairness, evaluation: Evaluation, seed: int
) -> list[Gate]:
    """Put the evidence through every gate.

    A gate asks on which side of a threshold the truth is, so each bound of its interval has the
    gate's whole share of the error rate: both are one-sided (hence the 2).
    """
    share = settings.error_rate / intervals(evidence)
    precision = Precision(1 - 2 * share, evaluation.replicates, seed)
    return [
        *_quality(evidence, settings, evaluation, precision),
        *_groups(evidence, settings, fairness, evaluation, precision),
        *_explanations(evidence, settings, precision),
        *_behaviour(evidence, settings, precision),
        *_data(evidence, settings, precision),
    ]


def intervals(evidence: Evidence) -> int:
    """Return how many gates decide on an interval; facts of the rows have no error to share."""
    quality_and_champion = 4 + len(SIMPLE)
    declared = 0 if evidence.declared_slices.empty else 1
    explained = 3 + len(evidence.explained["proxies"])  # leakage, dependence and stability
    tried = len(evidence.behaviour["directions"]) + len(evidence.behaviour["flipped"])
    return quality_and_champion + 1 + declared + len(evidence.counts) + explained + tried + 1


def _quality(
    evidence: Evidence, settings: Gates, evaluation: Evaluation, precision: Precision
) -> list[Gate]:
    scores, rival = evidence.scores, evidence.champion
    return [
        quality.quality_floor(scores, settings.quality_floor, precision),
        quality.calibration(scores, settings.calibration, evaluation.bins, precision),
        quality.better_than_prior(scores, settings.better_than_prior, precision),
        *(
            quality.better_than_simple(scores, simple, settings.better_than_simple, precision)
            for simple in SIMPLE
        ),
        quality.champion(
            scores,
            rival.probability if rival else None,
            rival is not None and rival.is_candidate,
            evidence.drifted,
            settings.champion,
            precision,
        ),
    ]


def _groups(
    evidence: Evidence,
    settings: Gates,
    fairness: Fairness,
    evaluation: Evaluation,
    precision: Precision,
) -> list[Gate]:
    found = [groups.worst_slice("slices", evidence.slices, settings.slices, precision)]
    if evaluation.slices.declared:  # also where none of them has rows enough: then it says so
        wanted = settings.declared_slices
        declared = groups.worst_slice(
            "declared_slices", evidence.declared_slices, wanted, precision
        )
        found.append(declared)
    fair = [
        groups.fair(name, counted, settings.fairness, fairness.min_group, precision)
        for name, counted in evidence.counts.items()
    ] or [groups.nobody(settings.fairness)]
    sizes = evidence.leaks["group_sizes"]
    covered = groups.group_coverage(sizes["train"], sizes["holdout"], fairness.min_group)
    return [*found, *fair, covered]


def _explanations(evidence: Evidence, settings: Gates, precision: Precision) -> list[Gate]:
    explained, train = evidence.explained, evidence.train_attributions
    parts = [explained[part] for part in ("train", "holdout")]
    errors = [_number(part["additivity_error"]) for part in parts]
    rival = evidence.champion
    return [
        explanations.leakage(train, settings.leakage, precision, evidence.train_key),
        explanations.dependence(
            evidence.scores,
            evidence.scores["without_largest"].to_numpy(),
            explained["largest"],
            settings.dependence,
            precision,
        ),
        explanations.forbidden_features(
            train, explained["sources"], settings.forbidden_features.columns
        ),
        *(
            explanations.proxies(
                attribute, train, found, settings.proxies, precision, evidence.train_key
            )
            for attribute, found in explained["proxies"].items()
        ),
        explanations.stability(
            evidence.holdout_attributions,
            rival.attributions if rival else None,
            rival is not None and rival.is_candidate,
            settings.stability,
            precision,
            evidence.holdout_key,
        ),
        explanations.additivity(errors, sum(part["rows"] for part in parts), settings.additivity),
    ]


def _behaviour(evidence: Evidence, settings: Gates, precision: Precision) -> list[Gate]:
    found = evidence.behaviour
    gaps = {name: _number(gap) for name, gap in found["invariance"].items()}
    cost = found["cost"]
    return [
        behaviour.invariance(gaps, found["rows"], settings.invariance),
        behaviour.robustness(found["robustness"], found["strange_rows"]),
        *(
            behaviour.direction(name, tried, settings.directions, precision)
            for name, tried in found["directions"].items()
        ),
        *(
            behaviour.flipped(attribute, flips, settings.flipped, precision)
            for attribute, flips in found["flipped"].items()
        ),
        *(
            behaviour.cost(
                name, cost["candidate"][name], cost["default"][name], found["rows"], settings.cost
            )
            for name in ("model_size", "node_visits")
        ),
        *behaviour.parity(evidence.parity, settings.parity),
    ]


def _data(evidence: Evidence, settings: Gates, precision: Precision) -> list[Gate]:
    leaks = evidence.leaks
    rows = sum(leaks["rows"].values())
    return [
        data.overlap(leaks["overlap"]),
        data.time_order(leaks["time_order"]),
        data.single_feature(leaks["single_features"], settings.single_feature, precision),
        data.identifier(leaks["distinct"], rows, settings.identifier.at_most),
    ]


def _number(value: float | None) -> float:
    """Return a number of a report: JSON has no infinity, so null stands for it."""
    return float("inf") if value is None else value
