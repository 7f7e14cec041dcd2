"""Real clusters on 127.0.0.1, and a small project whose stages run there."""

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster
from tests import small
from tests.integration.pipelines import NOBODY
from tests.integration.searches import make_project

from perennial import paths
from perennial.stages.features import features
from perennial.stages.monitor import monitor
from perennial.stages.train import train
from perennial.stages.tune import tune
from perennial.stages.validate import validate

HERE = "127.0.0.1"
SCRIPTS = Path(sys.executable).parent
MADE = (paths.FEATURES, paths.RECIPE, paths.SEARCH_REPORT, paths.CANDIDATE, paths.BASELINES)


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[LocalCluster]:
    """A cluster that the stages join by its address; its workers come back when killed."""
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host=HERE,
        dashboard_address=f"{HERE}:0",
        worker_dashboard_address=f"{HERE}:0",
        memory_limit=0,
        silence_logs=logging.CRITICAL,
    ) as made:
        yield made


def ids(made: LocalCluster) -> list[int]:
    """Return the process ids of a cluster's workers."""
    with Client(made, set_as_default=False) as client:
        return list(client.run(os.getpid).values())


def kill_one_when(ready: Callable[[], bool], made: LocalCluster) -> threading.Thread:
    """Kill a worker as soon as something is so."""
    victim = ids(made)[0]

    def kill() -> None:
        until = time.monotonic() + 60
        while not ready() and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(victim, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@contextlib.contextmanager
def process(*command: str, ready: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run one of Dask's own commands until it says a word; kill it at the end."""
    started = subprocess.Popen(
        [sys.executable, "-m", *command],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert started.stderr is not None
    try:
        assert any(ready in line for line in started.stderr)
        threading.Thread(target=started.stderr.read, daemon=True).start()  # or the pipe fills
        yield started
    finally:
        started.kill()
        started.wait()


KEYS = {
    "kind": r"(?m)^  kind: (local|dask)\b",
    "training": r"(?m)^  training: \w+",
    "method": r"(?m)^    method: \w+",
}


def settings(folder: Path, **values: str) -> None:
    """Set keys of the group `engine`, or the mitigation's method."""
    for key, value in values.items():
        indent = "    " if key == "method" else "  "
        small.edit(folder, (KEYS[key], f"{indent}{key}: {value}"))


def run(folder: Path, *stages: Callable[[], None], **environment: str) -> Path:
    """Run stages in a folder."""
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        for stage in stages or (features, tune, train):
            stage()
    return folder


def made(folder: Path) -> dict[str, bytes]:
    """Return every file that features, tune and train leave for DVC."""
    found = [file for path in MADE for file in [folder / path, *(folder / path).rglob("*")]]
    return {str(p.relative_to(folder)): p.read_bytes() for p in found if p.is_file()}


def again(project: Path, folder: Path, **values: str) -> Path:
    """Return the project as it is before features, with other settings."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".perennial", "features"))
    for path in MADE:
        target = folder / path
        shutil.rmtree(target, ignore_errors=True)
        target.unlink(missing_ok=True)
    settings(folder, **values)
    return folder


@pytest.fixture(scope="module")
def by_itself(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with a candidate, made without Dask."""
    folder = tmp_path_factory.mktemp("by-itself") / "p"
    folder.mkdir()
    small.write(folder, lambda _, frame: frame)
    # an ensemble is chosen, so that there are several members
    small.edit(folder, (r"(?m)^  simpler_within_errors: \S+", "  simpler_within_errors: 0.0"))
    small.edit(folder, (r"(?m)^  trials: \d+", "  trials: 6"), (r"(?m)^seed: \d+", "seed: 1"))
    (folder / "champion.json").write_text(json.dumps(NOBODY))
    run(folder, validate, monitor)
    return run(folder, PERENNIAL_WORKERS="1")


def members(folder: Path) -> Any:
    """Return how many members the candidate has."""
    return len(list((folder / paths.CANDIDATE).glob("member-*.ubj")))


@pytest.fixture(scope="module")
def two() -> Iterator[LocalCluster]:
    with cluster(2) as made:
        yield made


DASHBOARD = ("--dashboard-address", f"{HERE}:0")


def worker(there: str, folder: Path) -> tuple[str, ...]:
    """Return the command of a worker that nobody starts again."""
    command = ("distributed.cli.dask_worker", there, "--no-nanny", "--nthreads", "1")
    return *command, *DASHBOARD, "--local-directory", str(folder / "worker")


def on_dask(folder: Path) -> Path:
    settings(make_project(folder), kind="dask")
    return folder


def free_port() -> int:
    import socket

    with socket.socket() as tried:
        tried.bind((HERE, 0))
        return int(tried.getsockname()[1])
