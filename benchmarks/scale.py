"""How the DAG grows with the rows: the shipped data resampled with noise, stage by stage.

    python benchmarks/scale.py [--rows 10000 100000 1000000] [--huge] [--only STAGE ...]

For each size a scratch clone gets months in the shipped proportions: rows of the same shipped month
drawn with replacement, their numbers moved by noise of Silverman's bandwidth (a smoothed bootstrap,
Silverman 1986, section 6.4) and 5 % of their categories drawn anew, within what the data contract
allows. Whether such a row says yes is drawn anew, by the probability that boosted trees fitted on
the shipped rows give it: a copied answer could be learnt by heart, and a model that learns by
heart grows with the rows. A twentieth of the rows each calibrates and is held out; everything else
is as it ships, but that no difference between groups and no number of trees blocks. Each stage runs
by `dvc repro --single-item`; its wall time, processor time and the largest sum of resident memory
of all its processes are written to benchmarks/scale.json and drawn in docs/pictures/scale.png.
--huge adds 10,000,000 rows.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import yaml
from clones import ROOT, environment, fresh

BATCHES = ROOT / "data/batches"
MEASURED = ROOT / "benchmarks/scale.json"
PICTURE = ROOT / "docs/pictures/scale.png"
COLUMNS = 16  # that a model may see, and the target
SWAPPED = 0.05  # of a category's values
TOGETHER = ("pdays", "previous", "poutcome")  # what was before agrees in these
HELD = 20  # a twentieth of the rows
LEAST = 50  # rows a month


def as_trees_see(frame: pd.DataFrame, levels: dict[str, pd.CategoricalDtype]) -> pd.DataFrame:
    """Return what says whether somebody says yes, with the categories as XGBoost takes them."""
    return frame.drop(columns=["deposit", "duration"]).astype(levels)


def answers(months: list[pd.DataFrame]) -> tuple[Any, dict[str, pd.CategoricalDtype]]:
    """Return trees fitted on all shipped rows, and the levels of their categories."""
    from xgboost import XGBClassifier

    rows = pd.concat(months, ignore_index=True)
    texts = rows.drop(columns="deposit").select_dtypes(exclude="number")
    levels = {name: pd.CategoricalDtype(sorted(rows[name].unique())) for name in texts}
    trees = XGBClassifier(n_estimators=150, max_depth=4, learning_rate=0.1, enable_categorical=True)
    return trees.fit(as_trees_see(rows, levels), rows["deposit"] == "yes"), levels


def resampled(
    source: pd.DataFrame, rows: int, seed: int, trees: Any, levels: dict[str, Any]
) -> pd.DataFrame:
    """Return rows like those of a month."""
    random = np.random.default_rng(seed)
    drawn = source.iloc[random.integers(len(source), size=rows)].reset_index(drop=True)
    bandwidth = 0.9 * len(source) ** -0.2  # in standard deviations
    for name in drawn.columns.drop(["deposit", *TOGETHER]):
        values = drawn[name]
        if pd.api.types.is_numeric_dtype(values):
            noise = random.normal(0.0, bandwidth * source[name].std() + 0.5, rows)
            moved = (values + noise.round()).clip(source[name].min(), source[name].max())
            drawn[name] = moved.astype("int64")
        else:
            other = source[name].to_numpy()[random.integers(len(source), size=rows)]
            drawn[name] = values.where(random.random(rows) >= SWAPPED, other)
    before = drawn["pdays"] + random.normal(0.0, 5.0, rows).round()
    drawn["pdays"] = drawn["pdays"].where(drawn["pdays"] < 0, before.clip(lower=1)).astype("int64")
    likely = trees.predict_proba(as_trees_see(drawn, levels))[:, 1]
    drawn["deposit"] = np.where(random.random(rows) < likely, "yes", "no")
    return drawn


def clone(folder: Path, rows: int) -> None:
    """Make a scratch clone with so many rows."""
    fresh(folder)
    shutil.rmtree(folder / "reports")
    params = (folder / "params.yaml").read_text()
    held = max(1000, rows // HELD)
    for pattern, instead in (
        (r"(calibration|holdout)_rows: \d+", rf"\1_rows: {held}"),
        (r'as_of: "2010-08"', "as_of: latest"),
        # so many rows prove what a thousand can't, and what is blocked is not registered
        (r"threshold: \S+(?= +# the largest difference between two groups)", "threshold: 0.99"),
        # and they bear more trees than the shipped rows
        (r"(model_size|node_visits): 10\.0", r"\1: 100.0"),
    ):
        params, count = re.subn(pattern, instead, params)
        assert count, pattern
    (folder / "params.yaml").write_text(params)
    paths = sorted(BATCHES.glob("*.parquet"))
    months = [pd.read_parquet(path) for path in paths]
    trees, levels = answers(months)
    share = rows / sum(map(len, months))
    for number, (path, month) in enumerate(zip(paths, months, strict=True)):
        size = max(LEAST, round(share * len(month)))
        frame = resampled(month, size, number, trees, levels)
        frame.to_parquet(folder / "data/batches" / path.name, index=False)


class Watched:
    """The largest sum of resident memory of a process and all it starts, bytes."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._root, self._over = psutil.Process(pid), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            total = 0
            try:
                for process in [self._root, *self._root.children(recursive=True)]:
                    try:
                        total += process.memory_info().rss
                    except psutil.Error:
                        continue
            except psutil.Error:
                return
            self.peak = max(self.peak, total)

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self.peak


def measured(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a command and return its seconds, processor seconds, memory and exit code."""
    known = environment(folder)
    start = time.perf_counter()
    with (folder / "output.txt").open("ab") as output:
        child = subprocess.Popen(command, cwd=folder, env=known, stdout=output, stderr=output)
        watched = Watched(child.pid)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(watched.stop() / 1e6),
        "exit_code": child.returncode,
    }


def run(rows: int, only: list[str], keep: Path | None) -> dict[str, Any]:
    """Run the DAG on so many rows; return what each stage took."""
    stages = list(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])
    found: dict[str, Any] = {}
    parent = keep or Path(tempfile.mkdtemp(prefix="perennial-scale-"))
    folder = parent / str(rows)
    if not folder.exists():
        clone(folder, rows)
    try:
        for stage in only or stages:
            found[stage] = measured(["dvc", "repro", "--single-item", "--force", stage], folder)
            print(f"{rows:>10,} {stage:10} {found[stage]}", flush=True)
            if found[stage]["exit_code"] and stage != "gate":
                print((folder / "output.txt").read_text()[-2000:])
                break
    finally:
        if keep is None:
            shutil.rmtree(parent)
    return found


def draw(sizes: dict[str, dict[str, Any]]) -> None:
    """Draw processor time and memory of each stage over the rows, with a line of linear growth."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    rows = sorted(map(int, sizes))
    fig, both = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for axes, key, label in zip(
        both,
        ("processor_seconds", "peak_mb"),
        ("Processor seconds", "Peak memory, MB"),
        strict=True,
    ):
        for stage in sizes[str(rows[0])]:
            known = [n for n in rows if stage in sizes[str(n)]]
            axes.plot(known, [sizes[str(n)][stage][key] for n in known], "o-", label=stage)
        top = axes.get_ylim()[1]
        axes.plot(rows, [top * n / rows[-1] for n in rows], "k:", label="linear")
        axes.set(xscale="log", yscale="log", xlabel="Rows", ylabel=label)
    both[1].legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(PICTURE, dpi=110, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--huge", action="store_true", help="10,000,000 rows too")
    parser.add_argument("--only", nargs="+", default=[], help="these stages")
    parser.add_argument("--keep", type=Path, help="where the clones are made, and stay")
    asked = parser.parse_args()
    sizes = json.loads(MEASURED.read_text())["rows"] if MEASURED.exists() else {}
    for rows in [*asked.rows, *([10_000_000] if asked.huge else [])]:
        found = run(rows, asked.only, asked.keep)
        sizes[str(rows)] = {**sizes.get(str(rows), {}), **found}
        machine = f"{os.cpu_count()} processors, {psutil.virtual_memory().total / 1e9:.0f} GB"
        content = {"machine": machine, "columns": COLUMNS, "rows": sizes}
        MEASURED.write_text(json.dumps(content, indent=1) + "\n")
        draw(sizes)


if __name__ == "__main__":
    main()
