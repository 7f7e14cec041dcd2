"""run: the main job. Starts the training flow as a process and shows how it goes."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from perennial import paths
from perennial.adapters import champions, dag
from perennial.adapters.configuration import read_params
from perennial.commands import events
from perennial.errors import InputError

FLOW = Path("flows/training.py")
LOCK = paths.STATE / "run.lock"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its exit code, message, seconds, and whether somebody was promoted."""

    code: int
    message: str
    seconds: float
    promoted: bool


def run(show: Callable[[dict[str, Any]], None]) -> Outcome:
    """Run the DAG through the flow, and promote if the verdict says so.

    Args:
        show: Told of each event as it comes: a stage starts, ends, somebody is promoted.

    Raises:
        InputError: params.yaml is wrong, Prefect is not installed, or another run is at work.
    """
    read_params()
    champions.read()
    if importlib.util.find_spec("prefect") is None:
        raise InputError(
            "the flow needs Prefect, which is not installed",
            "pip install 'perennial[flows]'; or `dvc repro`, which does without.",
        )
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(LOCK, blocking=False):
            return _follow(show)
    except Timeout as error:
        raise InputError(
            f"{Path.cwd()}: another run is at work here", "Wait until it has ended."
        ) from error


def _follow(show: Callable[[dict[str, Any]], None]) -> Outcome:
    environment = {**os.environ, **dag.environment(), events.SWITCH: "1", "DO_NOT_TRACK": "1"}
    start, message, promoted, noise = time.perf_counter(), "", False, []
    log = paths.LOGS / "flow.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, str(FLOW)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            event = events.parse(line)
            if event is None:
                noise.append(line.rstrip())
                continue
            message = event.get("message", message)
            promoted = promoted or event["event"] == "promoted"
            show(event)
    code = process.returncode
    if code != 0 and not message:
        message = f"the flow ended with exit code {code}; see {log}"
    return Outcome(code, message, time.perf_counter() - start, promoted)
