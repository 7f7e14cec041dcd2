"""Months that arrive in a project with a champion."""

import pandas as pd

from tests.e2e.conftest import Project


def checked_on(project: Project) -> pd.DataFrame:
    """The rows that the champion was calibrated and judged on: of the like of them is no drift."""
    parts = project.read("champion.json")["plan"]["parts"]
    periods = {ref["period"] for part in ("calibration", "holdout") for ref in parts[part]}
    batches = project.folder / "data/batches"
    return pd.concat([pd.read_parquet(batches / f"{period}.parquet") for period in sorted(periods)])


def drop(project: Project, period: str, rows: pd.DataFrame) -> None:
    """Put a month where months arrive."""
    rows.to_parquet(project.folder / f"data/batches/{period}.parquet", index=False)
