"""gate: may the candidate go into production? Exit 1 on `block`, 0 on `promote` and `keep`."""

from typing import Any

import numpy as np
import pandas as pd

from perennial import paths
from perennial.adapters import bundles, files, pages
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.core import fairness, verdict
from perennial.core.dataset.part import evenly
from perennial.core.gates.result import by_severity, decide, reason
from perennial.core.statistics import clusters
from perennial.core.verdict import Evidence, Rival
from perennial.params import Fairness
from perennial.stages import incumbent, model_card
from perennial.stages.running import run

AGAIN = "Run `dvc repro`."


def gate() -> int:
    """Put the evidence through every gate, write report and page, and return the exit code."""
    params = read_params(
        "seed",
        "evaluation",
        "fairness",
        "gates",
        # the model card tells of these
        "target",
        "sensitive",
        "features",
        "training",
    )
    plan = files.read_json(paths.PLAN, AGAIN)
    champion = champions.read()
    candidate = bundles.digest(paths.CANDIDATE)
    evidence = _evidence(plan, champion, candidate, params.fairness)
    results = verdict.results(
        evidence, params.gates, params.fairness, params.evaluation, params.seed
    )
    same = champion is not None and champion.digest == candidate
    decided = decide(results, same)
    report = {
        "schema_version": 2,
        "verdict": decided,
        "why": reason(decided, results),
        "candidate": candidate,
        "champion": champion.digest if champion else None,
        "error_rate": params.gates.error_rate,
        "intervals": verdict.intervals(evidence),
        "gates": [result.to_json() for result in by_severity(results)],
    }
    files.write_json(paths.GATE_REPORT, report)
    pages.write_gates(paths.GATE_PAGE, report)
    model_card.write(params)
    print(f"gate: {decided}: {report['why']}")
    return 1 if decided == "block" else 0


def _evidence(
    plan: dict[str, Any], champion: Champion | None, candidate: str, settings: Fairness
) -> Evidence:
    scores = pd.read_parquet(paths.SCORES)
    without = pd.read_parquet(paths.ATTRIBUTIONS / "without-largest.parquet")
    explained = files.read_json(paths.EXPLAIN_REPORT, AGAIN)
    counts = files.read_json(paths.FAIRNESS_REPORT, AGAIN)["attributes"]
    # in the user's order, which JSON does not keep: a verdict's sentence is the same anywhere
    names = [" × ".join(attributes) for attributes in fairness.combinations_of(settings)]
    return Evidence(
        scores=scores.assign(without_largest=without["without_largest"]),
        slices=pd.read_parquet(paths.SLICES / "searched.parquet"),
        declared_slices=pd.read_parquet(paths.SLICES / "declared.parquet"),
        counts={name: counts[name]["counts"] for name in names},
        train_attributions=pd.read_parquet(paths.ATTRIBUTIONS / "train.parquet"),
        holdout_attributions=pd.read_parquet(paths.ATTRIBUTIONS / "holdout.parquet"),
        explained=explained,
        leaks=files.read_json(paths.LEAKS_REPORT, AGAIN),
        behaviour=files.read_json(paths.BEHAVIOUR_REPORT, AGAIN),
        parity=files.read_json(paths.PARITY_REPORT, AGAIN),
        champion=_rival(champion, candidate, plan, scores, explained) if champion else None,
        drifted=plan["because"] in ("drift", "harmful", "forgotten"),
        train_key=_key("train"),
        holdout_key=_key("holdout"),
    )


def _key(part: str) -> np.ndarray | None:
    """Return the clusters of the rows that were explained; None of a split without a key."""
    path = paths.ATTRIBUTIONS / f"{part}-keys.parquet"
    return clusters.of(pd.read_parquet(path)) if path.is_file() else None


def _rival(
    champion: Champion,
    candidate: str,
    plan: dict[str, Any],
    scores: pd.DataFrame,
    explained: dict[str, Any],
) -> Rival:
    """Return the champion's probabilities and SHAP values of the holdout, from its raw rows.

    Raises:
        IntegrityError: it can't be had, or can't score these rows.
    """
    model = incumbent.load(champion)
    raw = batches.read_rows(plan["parts"]["holdout"], scores, (paths.ACCEPTED, paths.BATCHES))
    features, probability = incumbent.score(model, raw)
    if champion.digest == candidate:
        return Rival(True, probability, pd.DataFrame())
    chosen = features.iloc[evenly(len(features), explained["holdout"]["rows"])]
    values, _ = model.contributions(chosen)
    return Rival(False, probability, pd.DataFrame(values, columns=features.columns))


if __name__ == "__main__":
    run(gate)
