"""How well candidates rank, beside AutoGluon, FLAML and a tuned XGBoost, on public sets.

    python benchmarks/quality SCRATCH [--seconds N] [--splits 1 2 3] [--sets NAME ...]
        [--only NAME ...]

Every way is fitted on the same 80 % of the rows and asked for the same 20 %, on two cores, in a
process of its own; each peer in a virtual environment of its own below SCRATCH, made here. Peers
get the seconds that the set names, or so many. Ours gets a number of trials instead (ours.py), so
its result is reproducible; the seconds that it took are in the table. What was measured is kept
below SCRATCH, so that the command goes on where it was stopped; the table is written to
benchmarks/quality.json.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import sets

from perennial.core.statistics.roc import roc_auc_difference

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "benchmarks/quality.json"
OURS = "perennial"
ENVIRONMENTS = {  # of each peer, and what is installed in it
    # torch is for its neural networks; typing_extensions it forgets to ask for
    "autogluon": [
        "autogluon.tabular[lightgbm,catboost,xgboost]==1.4.0",
        "torch==2.13.0",
        "typing_extensions",
    ],
    "flaml": ["flaml[automl]==2.7.0", "pyarrow"],
    "tuned_xgboost": ["optuna==5.0.0", "xgboost-cpu==3.2.0", "scikit-learn", "pandas", "pyarrow"],
}
CONFIDENCE = 0.95


def main() -> None:
    """Measure what is not measured yet; write and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--seconds", type=int, help="of each peer and split, whatever the set")
    parser.add_argument("--splits", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", default=[OURS, *ENVIRONMENTS])
    parser.add_argument("--sets", nargs="+", default=[*sets.SETS], choices=[*sets.SETS])
    asked = parser.parse_args()
    scratch = asked.scratch.resolve()
    budgets = {name: asked.seconds or source.seconds for name, source in sets.SETS.items()}
    for split in asked.splits:
        for name in asked.sets:
            for way in asked.only:
                _measure(name, split, way, budgets[name], scratch)
    compared = [
        row
        for name, seconds in budgets.items()
        for row in _compared(name, asked.splits, seconds, scratch)
    ]
    report = {
        "schema_version": 1,
        "seconds_of_peers": budgets,
        "environments": {n: _versions(scratch / n) for n in ENVIRONMENTS},
        "compared": compared,
    }
    MEASURED.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(compared))


def _folder(name: str, split: int, scratch: Path) -> Path:
    return scratch / "splits" / f"{name.lower().replace(' ', '-')}-{split}"


def _answer(name: str, split: int, way: str, seconds: int, scratch: Path) -> Path:
    budget = "" if way == OURS else f"-{seconds}"
    return _folder(name, split, scratch) / f"{way}{budget}.json"


def _measure(name: str, split: int, way: str, seconds: int, scratch: Path) -> None:
    answer = _answer(name, split, way, seconds, scratch)
    if answer.exists():
        return
    folder = answer.parent
    train, test = folder / "train.parquet", folder / "test.parquet"
    if not test.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for part, path in zip(
            sets.split(sets.load(name, scratch), split), (train, test), strict=True
        ):
            part.to_parquet(path)
    files = [str(train), str(test), str(answer)]
    here = Path(__file__).parent
    if way == OURS:
        command = [sys.executable, str(here / "ours.py"), *files, str(split)]
    else:
        python = _environment(way, scratch)
        command = [str(python), str(here / "peers.py"), way, *files, str(seconds), str(split)]
    log = folder / f"{way}.log"
    with log.open("w") as file:
        subprocess.run(command, cwd=folder, stdout=file, stderr=file, check=True, env=_variables())
    print(f"{name}, split {split}: {way}", flush=True)


def _variables() -> dict[str, str]:
    return {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PERENNIAL_WORKERS": "2"}


def _environment(way: str, scratch: Path) -> Path:
    """Return a peer's interpreter, in an environment that is made if there is none."""
    ready = scratch / way / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(scratch / way)], check=True)
        pip = [str(scratch / way / "bin/python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *ENVIRONMENTS[way]], check=True)
        ready.touch()
    return scratch / way / "bin/python"


def _versions(environment: Path) -> dict[str, str]:
    """Return what of a peer's learners is installed."""
    names = ("autogluon.tabular", "flaml", "optuna", "lightgbm", "catboost", "xgboost", "torch")
    command = [str(environment / "bin/python"), "-m", "pip", "list", "--format=json"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {
        entry["name"]: entry["version"]
        for entry in listed
        if entry["name"].lower().removesuffix("-cpu") in names
    }


def _compared(name: str, splits: list[int], seconds: int, scratch: Path) -> list[dict[str, Any]]:
    """Return each peer on each split, ours less theirs with DeLong's paired interval."""
    import pandas as pd

    rows = []
    for split in splits:
        test = _folder(name, split, scratch) / "test.parquet"
        if not test.exists():
            continue
        target = pd.read_parquet(test)[sets.TARGET]
        found = {
            way: json.loads(_answer(name, split, way, seconds, scratch).read_text())
            for way in (OURS, *ENVIRONMENTS)
            if _answer(name, split, way, seconds, scratch).exists()
        }
        ours = np.array(found[OURS]["probability"]) if OURS in found else None
        for way, answer in found.items():
            theirs = np.array(answer["probability"])
            row = {"set": name, "split": split, "way": way, "seconds": round(answer["seconds"], 1)}
            spent = answer.get("processor_seconds")
            row["processor_seconds"] = None if spent is None else round(spent, 1)
            row["roc_auc"] = _roc_auc(target.to_numpy(), theirs)
            row |= {key: answer[key] for key in ("chosen", "members", "cost") if key in answer}
            if way != OURS and ours is not None:
                gain = roc_auc_difference(target.to_numpy(), ours, theirs, CONFIDENCE)
                row["ours_less_theirs"] = gain.to_json()
            rows.append(row)
    return rows


def _roc_auc(target: np.ndarray, score: np.ndarray) -> float:
    from perennial.core.statistics.roc import roc_auc

    return roc_auc(target, score, CONFIDENCE).value


def table(compared: list[dict[str, Any]]) -> str:
    """Return the comparison as Markdown, a line for each set, split and way."""
    lines = [
        "| set | split | way | ROC AUC | ours less theirs | seconds | of processors |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in compared:
        gain, spent = row.get("ours_less_theirs"), row["processor_seconds"]
        shown = f"{gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]" if gain else ""
        cells = [row["set"], row["split"], row["way"], f"{row['roc_auc']:.4f}", shown]
        cells += [f"{row['seconds']:.0f}", "not counted" if spent is None else f"{spent:.0f}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
