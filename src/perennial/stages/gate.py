"""gate: may the candidate go into production? Exit 1 on `block`, 0 on `promote` and `keep`."""

from typing import Any

import numpy as np
import pandas as pd

from perennial import paths
from perennial.adapters import batches, bundles, champions, files
from perennial.adapters.champions import Champion
from perennial.adapters.configuration import read_params
from perennial.core import gates
from perennial.core.gates import Gate, Precision
from perennial.params import Params
from perennial.stages import incumbent
from perennial.stages.running import run

BASELINES = ("logistic", "default")


def gate() -> int:
    """Put the evidence through every gate, write the report and return the exit code."""
    params = read_params("seed", "evaluation", "fairness", "gates")
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    champion = champions.read()
    candidate = bundles.digest(paths.CANDIDATE)
    same = champion is not None and champion.digest == candidate
    scores = pd.read_parquet(paths.SCORES)
    score_champion = None if champion is None else _champion_scores(champion, plan, scores)
    results = _results(params, scores, score_champion, same, plan["because"])
    verdict = gates.decide(results, same)
    report = {
        "schema_version": 1,
        "verdict": verdict,
        "why": _why(verdict, results),
        "candidate": candidate,
        "champion": champion.digest if champion else None,
        "error_rate": params.gates.error_rate,
        "gates": [result.to_json() for result in _by_severity(results)],
    }
    files.write_json(paths.GATE_REPORT, report)
    print(f"gate: {verdict}: {report['why']}")
    return 1 if verdict == "block" else 0


def _results(
    params: Params,
    scores: pd.DataFrame,
    champion: np.ndarray | None,
    same: bool,
    because: str,
) -> list[Gate]:
    settings = params.gates
    groups = files.read_json(paths.FAIRNESS_REPORT, "Run `dvc repro`.")["attributes"]
    count = 5 + len(BASELINES) + len(groups)  # those that decide on an interval: not additivity
    # A gate asks on which side of a threshold the truth is, so each bound of its interval has the
    # gate's whole share of the error rate: both are one-sided (hence the 2).
    confidence = 1 - 2 * settings.error_rate / count
    precision = Precision(confidence, params.evaluation.replicates, params.seed)
    explained = files.read_json(paths.EXPLAIN_REPORT, "Run `dvc repro`.")
    attributions = pd.read_parquet(paths.ATTRIBUTIONS / "train.parquet")
    errors = [explained[part]["additivity_error"] for part in ("train", "holdout")]
    rows = explained["train"]["rows"] + explained["holdout"]["rows"]
    drifted = because in ("drift", "harmful")
    return [
        gates.quality_floor(scores, settings.quality_floor, precision),
        gates.calibration(scores, settings.calibration, params.evaluation.bins, precision),
        gates.better_than_prior(scores, settings.better_than_prior, precision),
        *(
            gates.better_than_simple(scores, simple, settings.better_than_simple, precision)
            for simple in BASELINES
        ),
        gates.leakage(attributions, settings.leakage, precision),
        gates.additivity(errors, rows, settings.additivity),
        *(
            gates.fair(
                name, found["counts"], settings.fairness, params.fairness.min_group, precision
            )
            for name, found in groups.items()
        ),
        gates.champion(scores, champion, same, drifted, settings.champion, precision),
    ]


def _champion_scores(champion: Champion, plan: dict[str, Any], scores: pd.DataFrame) -> np.ndarray:
    """Return the champion's probabilities of the same holdout rows, from their raw columns."""
    model = incumbent.load(champion)
    raw = batches.read_verified(plan["parts"]["holdout"], (paths.ACCEPTED, paths.BATCHES))
    rows = pd.concat([frame.assign(**{"": period}) for period, frame in raw.items()])
    rows.index = pd.MultiIndex.from_arrays([rows[""], rows.groupby("").cumcount()])
    wanted = pd.MultiIndex.from_frame(scores[["period", "row"]])
    return model.predict(rows.loc[wanted].reset_index(drop=True))["probability"].to_numpy()


def _by_severity(results: list[Gate]) -> list[Gate]:
    order = {"fail": 0, "insufficient": 1, "pass": 2}
    return sorted(results, key=lambda result: (not result.blocks, order[result.verdict]))


def _why(verdict: str, results: list[Gate]) -> str:
    if verdict == "block":
        return "; ".join(f"{r.name}: {r.why}" for r in results if r.blocks)
    comparison = next(r for r in results if r.name == gates.CHAMPION)
    tolerated = [r.name for r in results if r.verdict == "insufficient" and r is not comparison]
    short = f"; tolerated as too few rows to tell: {', '.join(tolerated)}" if tolerated else ""
    return f"no gate blocks; {comparison.why}{short}"


if __name__ == "__main__":
    run(gate)
