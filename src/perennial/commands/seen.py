"""How small an effect the gates can see at the user's own holdout size, for `prove-gates`."""

from typing import Any

import numpy as np

from perennial import paths
from perennial.commands import proving
from perennial.core import fairness
from perennial.core.case import score
from perennial.core.proof import power, power_thresholds
from perennial.core.verdict import intervals
from perennial.params import Params

AUC_LOSSES = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08)
ABOVE = (0.0, 0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3)  # beyond the gate's threshold


def power_tables(params: Params) -> dict[str, Any]:
    """Return what the champion, fairness and calibration gates catch, by size of effect.

    On the last run's holdout, as it is; without one, on as many rows of the shipped population as
    a holdout would have.
    """
    known = proving.base("shipped")
    confidence = 1 - 2 * params.gates.error_rate / intervals(known.evidence)
    scores, counts, source = _holdout(params, known)
    target = scores["target"].to_numpy()
    ours, other = scores["probability"].to_numpy(), scores["default"].to_numpy()
    fair, calibrated = params.gates.fairness, params.gates.calibration
    tables = {
        "champion": power.champion_power(
            target, ours, other, confidence, AUC_LOSSES, 200, params.seed
        ),
        "calibration": power_thresholds.calibration_power(
            ours,
            calibrated.threshold,
            params.evaluation.bins,
            confidence,
            params.evaluation.replicates,
            [calibrated.threshold + more for more in ABOVE],
            100,
            params.seed,
        ),
    }
    if counts and fair.measure == "difference":  # the simulation is of differences
        tables["fairness"] = power_thresholds.fairness_power(
            counts,
            fair.criterion,
            params.fairness.min_group,
            fair.threshold,
            confidence,
            [fair.threshold + more for more in ABOVE],
            200,
            params.seed,
        )
    return {
        "rows": len(scores),
        "holdout": source,
        "attribute": next(iter(params.fairness.attributes), None),
        "confidence": confidence,
        "gates": {
            name: {"caught": rows, "detectable": power.detectable(rows)}
            for name, rows in tables.items()
        },
    }


def _holdout(params: Params, known: proving.Base) -> tuple[Any, Any, str]:
    """Return scores, counts by group of the first attribute (none without one), and where both
    come from."""
    import pandas as pd

    attribute = next(iter(params.fairness.attributes), None)
    if paths.SCORES.is_file():
        scores = pd.read_parquet(paths.SCORES)
        groups, source = scores.get(attribute), "the last run's"
    else:
        rows = params.split.holdout_rows
        scores = score(known.case).iloc[:rows]
        groups = known.case.parts["holdout"].groups.get(attribute)
        source = "drawn from the shipped rows: no run has left one yet"
    if groups is None:
        return scores, {}, source
    own = groups.to_numpy()[: len(scores)]
    counts = fairness.counts(scores["target"].to_numpy(), np.asarray(scores["decision"]), own)
    return scores, counts, source
