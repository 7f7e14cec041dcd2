"""A small project of the user's own: a few shipped months with columns that say who somebody is."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
PERIODS = ["2009-12", "2010-01", "2010-02", "2010-03", "2010-04", "2010-05"]
SMALL = (
    (r"(?m)^  as_of: .*$", "  as_of: latest"),
    (r"(?m)^  (calibration|holdout)_rows: \d+", r"  \1_rows: 300"),
    (r"(?m)^  trials: \d+", "  trials: 2"),
    (r"(?m)^  trials_per_round: \d+", "  trials_per_round: 2"),
    (r"(?m)^  folds: 3", "  folds: 2"),
    (r"(?m)^  max_rounds: \d+", "  max_rounds: 20"),
    (r"(?m)^  replicates: \d+", "  replicates: 100"),
    (r"(?m)^  waterfalls: \d+", "  waterfalls: 1"),
    (r"(?m)^  rows: 5000 ", "  rows: 200 "),
)
Change = Callable[[str, pd.DataFrame], pd.DataFrame]


def shipped(period: str) -> pd.DataFrame:
    return pd.read_parquet(ROOT / "data/batches" / f"{period}.parquet")


def edit(folder: Path, *pairs: tuple[str, str]) -> None:
    """Replace what each pattern finds in params.yaml."""
    path = folder / "params.yaml"
    text = path.read_text("utf-8")
    for pattern, replacement in pairs:
        text, count = re.subn(pattern, replacement, text)
        assert count, pattern
    path.write_text(text, "utf-8")


def write(folder: Path, change: Change, periods: list[str] = PERIODS) -> None:
    """Write batches, contract and parameters of a small project into a folder."""
    shutil.rmtree(folder / "data/batches", ignore_errors=True)
    (folder / "data/batches").mkdir(parents=True)
    for period in periods:
        change(period, shipped(period)).to_parquet(
            folder / "data/batches" / f"{period}.parquet", index=False
        )
    if not (folder / "expectations").exists():
        shutil.copytree(ROOT / "expectations", folder / "expectations")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    edit(folder, *SMALL)
