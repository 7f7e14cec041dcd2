"""What DVC and the flow cost: the same job as one bare process, as a process a stage, by
`dvc repro` and by the flow; and a `dvc repro` that finds nothing to do.

    python benchmarks/overhead.py [PAIRS]

Each runs in a fresh clone of HEAD, in turn, so that a machine that slows down slows all of them.
The flow talks to a Prefect server on 127.0.0.1 that was started before, so its start is left aside.
"""

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from clones import BIN, environment, fresh

WAYS = {
    "bare": [sys.executable, "benchmarks/bare.py"],
    "processes": [sys.executable, "benchmarks/bare.py", "--processes"],
    "dvc": [str(BIN / "dvc"), "repro", "--quiet"],
    "flow": [sys.executable, "flows/training.py", "--no-promote"],
}
AGAIN = {"dvc": 6}  # how often the same is asked once more


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start a Prefect server and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        command = [str(BIN / "prefect"), "server", "start", "--port", str(port)]
        quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}
        with subprocess.Popen(
            command,
            env={**os.environ, "PREFECT_HOME": home, **quiet},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            url = f"http://127.0.0.1:{port}/api"
            for _ in range(240):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{url}/health", timeout=1).close()  # noqa: S310
                    break
                time.sleep(0.25)
            try:
                yield url
            finally:
                process.terminate()


def timed(command: list[str], url: str, again: int = 0) -> list[float]:
    """Return the seconds that a command takes in a fresh clone, and then in the same so often."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "clone"
        fresh(folder)
        known = {**environment(folder), "PREFECT_API_URL": url}
        took = []
        for _ in range(1 + again):
            start = time.perf_counter()
            subprocess.run(command, cwd=folder, env=known, check=True, stdout=subprocess.DEVNULL)
            took.append(time.perf_counter() - start)
        return took


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with server() as url:
        rounds, nothing = [], []
        for _ in range(pairs):
            took = {n: timed(command, url, AGAIN.get(n, 0)) for n, command in WAYS.items()}
            rounds.append({name: first for name, (first, *_) in took.items()})
            nothing += took["dvc"][1:]
    for name in WAYS:
        values = [one[name] for one in rounds]
        print(f"{name:20} {statistics.median(values):7.1f} s   {[round(v, 1) for v in values]}")
    spread = f"{min(nothing):.2f} to {max(nothing):.2f}"
    print(f"{'nothing to do':20} {statistics.median(nothing):7.2f} s   {spread}")
    for above, below in (("dvc", "bare"), ("dvc", "processes"), ("flow", "dvc")):
        values = [one[above] / one[below] for one in rounds]
        what = f"{above} / {below}"
        print(f"{what:20} {statistics.median(values):7.2f}     {[round(v, 2) for v in values]}")


if __name__ == "__main__":
    main()
