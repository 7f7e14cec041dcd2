"""evaluate: the candidate's scores on the holdout, its metrics with intervals, its curves, and how
it behaves."""

from typing import Any

import numpy as np
import pandas as pd

from perennial import paths
from perennial.adapters import bundles, files, plots
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches, matrices
from perennial.core.dataset.part import Part
from perennial.core.evaluation import slices
from perennial.core.model.candidate import Candidate, from_artefacts
from perennial.core.statistics import clusters, metrics
from perennial.core.statistics.estimates import Estimate
from perennial.params import Evaluation
from perennial.stages import behaviour
from perennial.stages.running import run

SHOWN = 20  # of the worst slices in the report


def evaluate() -> None:
    """Score the holdout once, with the candidate and the baselines, and report on it."""
    params = read_params("seed", "evaluation", "behaviour")
    holdout = matrices.read_part(paths.FEATURES, "holdout")
    candidate = from_artefacts(bundles.read(paths.CANDIDATE))
    scores = _score(candidate, holdout)
    batches.write_parquet(paths.SCORES, scores)
    _search_slices(holdout, scores, params.evaluation)
    auc = _measure(scores, params.evaluation, params.seed)
    said = behaviour.examine(candidate, holdout.features, params.behaviour, params.seed)
    within = f"[{auc.low:.4f}, {auc.high:.4f}] on {auc.n:,} rows"
    print(f"evaluate: ROC AUC {auc.value:.4f} {within}; {said}")


def _score(candidate: Candidate, holdout: Part) -> pd.DataFrame:
    scores = matrices.read_rows(paths.FEATURES, "holdout")
    scores["probability"] = candidate.probability(holdout.features)
    scores["decision"] = _decide(candidate, holdout, scores["probability"])
    for name in ("logistic", "default", "unmitigated"):
        baseline = from_artefacts(bundles.read(paths.BASELINES / name))
        scores[name] = baseline.probability(holdout.features)
        scores[f"{name}_decision"] = _decide(baseline, holdout, scores[name])
    calibration = matrices.read_target(paths.FEATURES, "calibration")
    scores["prior"] = float(calibration.mean())  # what is known of the rate before the holdout
    return scores.round(9)  # processors differ in the last bit of exp(), and scores are hashed


def _measure(scores: pd.DataFrame, settings: Evaluation, seed: int) -> Estimate:
    """Write the metrics and draw the curves; return the ROC AUC."""
    target, probability = scores["target"].to_numpy(), scores["probability"].to_numpy()
    decision, key = scores["decision"].to_numpy(), clusters.of(scores)
    found = metrics.holdout_metrics(
        target,
        probability,
        decision,
        settings.bins,
        settings.confidence,
        settings.replicates,
        seed,
        key,
    )
    report = {name: estimate.to_json() for name, estimate in found.items()}
    files.write_json(
        paths.METRICS,
        {"schema_version": 1, "confidence": settings.confidence, "holdout": report},
    )
    curve = metrics.calibration_curve(target, probability, settings.bins, settings.confidence, key)
    models = {name: scores[name].to_numpy() for name in ("probability", "logistic", "default")}
    models["candidate"] = models.pop("probability")
    plots.curves(paths.CURVES, target, models, decision, curve)
    return found["roc_auc"]


def _search_slices(holdout: Part, scores: pd.DataFrame, settings: Evaluation) -> None:
    """Write every slice looked at, for the gate, and the worst of them, for people."""
    found = slices.look(holdout.features, holdout.groups, scores, settings.slices)
    report: dict[str, Any] = {"schema_version": 1, "unit": "nats of log loss a row"}
    for name, frame in found.items():
        batches.write_parquet(paths.SLICES / f"{name}.parquet", frame)
        report[name] = {"looked_at": len(frame), "worst": frame.head(SHOWN).to_dict("records")}
    files.write_json(paths.SLICES_REPORT, report)


def _decide(candidate: Candidate, part: Part, probability: pd.Series) -> np.ndarray:
    attribute = candidate.decision.attribute
    group = None if attribute is None else part.groups[attribute].to_numpy()
    return candidate.decision.decide(probability.to_numpy(), group)


if __name__ == "__main__":
    run(evaluate)
