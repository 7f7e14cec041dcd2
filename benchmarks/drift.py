"""How fast the univariate drift tests are, and how much memory they take, beside Evidently.

    python benchmarks/drift.py [--rows N] [--columns N] [--repeats N] [--evidently-python PATH]

Half the rows are the reference, half are current; half the columns are numbers, half are names.
Each measurement is a process of its own, in turn, so that a machine that slows down slows all of
them. Evidently does one test of a column at a time; it is asked for three, which Perennial does
with others at once. Without --evidently-python its newest version is put into an environment that
is thrown away. Seconds leave out imports and, but for the streamed run, reading the files.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

OWN = ("perennial", "perennial, streamed from Parquet")
# the tests asked of Evidently, for numbers and for names
EVIDENTLY = {
    "evidently, ks and chisquare": ("ks", "chisquare"),
    "evidently, wasserstein and jensenshannon": ("wasserstein", "jensenshannon"),
    "evidently, psi": ("psi", "psi"),
}
SIDES = ("reference", "current")


def write(folder: Path, rows: int, columns: int) -> None:
    random = np.random.default_rng(0)
    for shift, side in enumerate(SIDES):
        data: dict[str, np.ndarray] = {}
        for i in range(columns // 2):
            data[f"number{i}"] = random.normal(0.1 * shift, 1, rows // 2)
            data[f"name{i}"] = random.choice([f"level {j}" for j in range(5 + 5 * i)], rows // 2)
        pd.DataFrame(data).to_parquet(folder / f"{side}.parquet")


def perennial(folder: Path, streamed: bool) -> Callable[[], int]:
    import pyarrow.parquet as pq
    from scipy import stats  # noqa: F401  its import is not what is measured

    from perennial.core.drift import univariate
    from perennial.core.drift.univariate import Column

    files = [folder / f"{side}.parquet" for side in SIDES]
    frames = None if streamed else [pd.read_parquet(file) for file in files]

    def column(name: str) -> Column:
        def read() -> tuple[pd.Series, pd.Series]:
            first, second = frames or (pd.read_parquet(file, columns=[name]) for file in files)
            return first[name], second[name]

        return Column(name, "number" if name.startswith("number") else "category", read)

    names = pq.read_schema(files[0]).names
    return lambda: len(univariate.run([column(name) for name in names], bins=10, threads=2))


def evidently(folder: Path, number: str, name: str) -> Callable[[], int]:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    frames = [pd.read_parquet(folder / f"{side}.parquet") for side in SIDES]
    names = [c for c in frames[0] if c.startswith("name")]
    definition = DataDefinition(
        numerical_columns=[c for c in frames[0] if c not in names], categorical_columns=names
    )

    def work() -> int:
        reference, current = (Dataset.from_pandas(f, data_definition=definition) for f in frames)
        report = Report([DataDriftPreset(num_method=number, cat_method=name)])
        found = report.run(current, reference).dict()["metrics"]
        return sum("ValueDrift" in metric["metric_name"] for metric in found)

    return work


def measure(what: str, folder: Path) -> None:
    own = what in OWN
    work = perennial(folder, what == OWN[1]) if own else evidently(folder, *EVIDENTLY[what])
    start = time.perf_counter()
    tests = work()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "tests": tests}))


def evidently_python(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    install = ["-m", "pip", "install", "-q", "--disable-pip-version-check"]
    # its import fails with pandas 3 (0.7.23)
    subprocess.run([str(python), *install, "evidently", "pandas<3", "pyarrow"], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--evidently-python", type=Path)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure[0], Path(given.measure[1]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        other = given.evidently_python or evidently_python(folder / "evidently")
        version = "from importlib.metadata import version as v; print(v('evidently'))"
        asked = subprocess.run([other, "-c", version], check=True, capture_output=True, text=True)
        write(folder, given.rows, given.columns)
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(given.repeats):
            for what in (*OWN, *EVIDENTLY):
                python = sys.executable if what in OWN else str(other)
                command = [python, __file__, "--measure", what, str(folder)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found.setdefault(what, []).append(json.loads(done.stdout.splitlines()[-1]))
    cells = given.rows * given.columns
    print(f"{given.rows:,} rows × {given.columns} columns; evidently {asked.stdout.strip()}")
    for what, runs in found.items():
        seconds = statistics.median(run["seconds"] for run in runs)
        print(
            f"{what:42} {seconds:8.2f} s {cells / seconds / 1e6:8.2f} M cells/s "
            f"{max(run['peak'] for run in runs):8,.0f} MB peak {runs[0]['tests']:5} tests"
        )


if __name__ == "__main__":
    main()
