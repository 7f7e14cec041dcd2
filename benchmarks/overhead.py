"""What DVC and the flow cost: the same job as one bare process, by `dvc repro` and by the flow.

    python benchmarks/overhead.py [PAIRS]

Each runs in a fresh clone of HEAD, in turn, so that a machine that slows down slows all of them.
The flow's figure leaves its server's start aside, which is measured by a flow over no-op stages.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
WAYS = {
    "bare": [sys.executable, "benchmarks/bare.py"],
    "dvc": ["dvc", "repro", "--quiet"],
    "flow": [sys.executable, "flows/training.py", "--no-promote"],
}


def timed(command: list[str], folder: Path) -> float:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
    }
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds: dict[str, list[float]] = {name: [] for name in [*WAYS, "flow, nothing to do"]}
    for _ in range(pairs):
        for name, command in WAYS.items():
            with tempfile.TemporaryDirectory() as parent:
                folder = Path(parent) / "clone"
                subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
                seconds[name].append(timed(command, folder))
                if name == "flow":
                    seconds["flow, nothing to do"].append(timed(command, folder))
    for name, values in seconds.items():
        print(f"{name:20} {statistics.median(values):7.1f} s   {[round(v, 1) for v in values]}")
    dvc = [d / b for d, b in zip(seconds["dvc"], seconds["bare"], strict=True)]
    own = [f - n for f, n in zip(seconds["flow"], seconds["flow, nothing to do"], strict=True)]
    flow = [f / d for f, d in zip(own, seconds["dvc"], strict=True)]
    print(f"dvc repro / bare     {statistics.median(dvc):7.2f}     {[round(v, 2) for v in dvc]}")
    print(f"flow / dvc repro     {statistics.median(flow):7.2f}     {[round(v, 2) for v in flow]}")


if __name__ == "__main__":
    main()
