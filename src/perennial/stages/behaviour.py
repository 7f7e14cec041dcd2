"""behaviour: what the candidate does with rows that are moved, changed or strange; its cost."""

import time
from typing import Any

import numpy as np
import pandas as pd

from perennial import paths
from perennial.adapters import batches, bundles, files, matrices
from perennial.adapters.configuration import read_params
from perennial.core import attribution, probing
from perennial.core.candidate import Candidate, from_artefacts
from perennial.stages.running import run


def behaviour() -> None:
    """Probe the candidate on the holdout's raw rows; write counts, gaps and counted costs."""
    params = read_params("seed", "behaviour")
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    rows = matrices.read_rows(paths.FEATURES, "holdout")
    raw = batches.read_rows(plan["parts"]["holdout"], rows, (paths.ACCEPTED, paths.BATCHES))
    features = matrices.read_part(paths.FEATURES, "holdout").features
    chosen = attribution.evenly(len(raw), params.behaviour.rows)
    raw, features = raw.iloc[chosen].reset_index(drop=True), features.iloc[chosen]
    candidate = from_artefacts(bundles.read(paths.CANDIDATE))
    default = from_artefacts(bundles.read(paths.BASELINES / "default"))
    found = probing.probe(candidate, default, raw, features, params.behaviour, params.seed)
    files.write_json(paths.BEHAVIOUR_REPORT, {"schema_version": 1, **found})
    timings = _timed(candidate, raw)
    files.write_json(paths.TIMINGS, timings)  # of this machine: no output of the DAG
    print(
        f"behaviour: one row takes {timings['one_row_ms']:.1f} ms, "
        f"{timings['rows']:,} rows {timings['all_rows_ms']:.0f} ms"
    )


def _timed(candidate: Candidate, raw: pd.DataFrame) -> dict[str, Any]:
    """Return the median seconds of a request of one row and of all rows, raw to decision."""

    def median(frame: pd.DataFrame, times: int) -> float:
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            candidate.predict(frame)
            taken.append(time.perf_counter() - start)
        return float(np.median(taken)) * 1000

    return {
        "schema_version": 1,
        "rows": len(raw),
        "one_row_ms": median(raw.iloc[:1], 20),
        "all_rows_ms": median(raw, 5),
    }


if __name__ == "__main__":
    run(behaviour)
