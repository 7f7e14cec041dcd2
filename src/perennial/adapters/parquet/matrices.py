"""The matrices between stages: for each part its features and its rows (period, row, target and
groups), as two Parquet files of the same length and order."""

from pathlib import Path

import numpy as np
import pandas as pd

from perennial.adapters import files
from perennial.core.dataset.part import Part
from perennial.core.statistics import clusters

ROW_COLUMNS = ("period", "row", "target")


def write_part(folder: Path, part: str, features: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Write one part of the rows."""
    for kind, frame in (("features", features), ("rows", rows)):
        with files.replacing(folder / f"{part}-{kind}.parquet") as temporary:
            frame.reset_index(drop=True).to_parquet(temporary, index=False, compression="zstd")


def read_part(folder: Path, part: str) -> Part:
    """Read one part as `write_part` wrote it."""
    rows = read_rows(folder, part)
    features = pd.read_parquet(folder / f"{part}-features.parquet")
    groups = rows.drop(columns=[*ROW_COLUMNS, clusters.KEY], errors="ignore")
    return Part(features, rows["target"].to_numpy(), groups, clusters.of(rows))


def read_rows(folder: Path, part: str) -> pd.DataFrame:
    """Read period, row number within its batch, target, groups and any key of one part."""
    return pd.read_parquet(folder / f"{part}-rows.parquet")


def read_whole(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read derived features and rows of one batch, written as the part `whole`."""
    return pd.read_parquet(folder / "whole-features.parquet"), read_rows(folder, "whole")


def read_target(folder: Path, part: str) -> np.ndarray:
    """Read only the target of one part, shape (rows,)."""
    frame = pd.read_parquet(folder / f"{part}-rows.parquet", columns=["target"])
    return frame["target"].to_numpy()
