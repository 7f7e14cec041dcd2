"""Small histories whose truth is known, as projects to replay in."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from perennial import paths
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.core.proof import population

ROOT = Path(__file__).parents[2]
ROWS, PERIODS, START = 1000, 10, "03"


def make_project(folder: Path, concept_changes_at: int | None = None, seed: int = 1) -> Path:
    """Write parameters and ten batches of 1,000 rows; from a period on, x1 to x3 may mean the
    opposite of what they meant before."""
    rows = population.synthetic(seed, scale=1)
    chosen = np.arange(ROWS * PERIODS)
    raw = rows.raw.iloc[chosen].reset_index(drop=True).assign(target=rows.target[chosen])
    for number in range(PERIODS):
        batch = raw.iloc[number * ROWS : (number + 1) * ROWS].reset_index(drop=True)
        if concept_changes_at is not None and number >= concept_changes_at:
            batch[["x1", "x2", "x3"]] = -batch[["x1", "x2", "x3"]]
        batches.write_parquet(folder / paths.BATCHES / f"{number:02}.parquet", batch)
    write_params(folder)
    return folder


def write_params(folder: Path, **changes: Any) -> None:
    """Write the shipped parameters with the synthetic columns, and few rows for everything."""
    params = population.synthetic_params(read_params(path=ROOT / "params.yaml"))
    content = params.model_dump(by_alias=True, exclude_unset=True, mode="json")
    content["target"]["positive"] = 1
    content["data"]["as_of"] = "latest"
    content["split"] |= {"calibration_rows": 1000, "holdout_rows": 1000}
    content["split"]["history"] = {"kind": "rows", "last": 2000}
    content["search"] |= {"trials": 2, "trials_per_round": 2, "max_rounds": 40, "folds": 2}
    content["evaluation"] |= {"replicates": 100}
    content["monitor"] |= {"replicates": 100}
    content["explanation"] |= {"rows": 200}
    content["behaviour"] |= {"rows": 500}
    content["replay"] |= {"start": START, "scheduled": [2]}
    for name, change in changes.items():
        content[name] |= change
    with (folder / paths.PARAMS).open("w", encoding="utf-8") as file:
        YAML().dump(content, file)


def frame(folder: Path, period: str) -> pd.DataFrame:
    return batches.read(folder / paths.BATCHES / f"{period}.parquet")
