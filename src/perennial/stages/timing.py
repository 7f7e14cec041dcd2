"""How long this machine takes to score: measured, so no output of the DAG. It decides nothing."""

import time
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.model.candidate import Candidate


def measure(candidate: Candidate, raw: pd.DataFrame) -> dict[str, Any]:
    """Return the median milliseconds of one row and of all rows, from raw columns to a decision."""

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
