"""What starting each stage costs: the modules that it imports as it runs, timed in a process of
their own.

    python benchmarks/startup.py FOLDER

FOLDER is a clone in which `dvc repro` has ended; its stages are run once more, which changes
nothing. The imports are taken from `python -X importtime`, which slows them down, and are then
timed without it; the median of three.
"""

import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import yaml
from clones import environment

LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
TIMED = """
import importlib, sys, time
start = time.perf_counter()
for name in sys.stdin.read().split():
    try:
        importlib.import_module(name)
    except Exception:  # one that is not for importing by itself
        pass
print(time.perf_counter() - start)
"""


def imported(module: str, folder: Path) -> tuple[list[str], Counter[str], float]:
    """Return what a stage imports, in order; microseconds by package; and the stage's seconds."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", module],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - start
    found = LINE.findall(done.stderr)
    own: Counter[str] = Counter()
    for micros, name in found:
        own[name.split(".")[0]] += int(micros)
    return [name for _, name in found], own, seconds


def timed(modules: list[str], folder: Path) -> float:
    """Return the seconds that a new process takes to import them."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED],
        cwd=folder,
        env=environment(folder),
        input="\n".join(modules),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    total = 0.0
    for name, stage in yaml.safe_load((folder / "dvc.yaml").read_text())["stages"].items():
        module = stage["cmd"].removeprefix("python -m ")
        modules, own, seconds = imported(module, folder)
        taken = statistics.median(timed(modules, folder) for _ in range(3))
        total += taken
        most = ", ".join(package for package, _ in own.most_common(4))
        print(f"{name:10} {seconds:6.1f} s, imports {taken:5.2f} s: {most}", flush=True)
    print(f"{'all':10} imports {total:5.2f} s")


if __name__ == "__main__":
    main()
