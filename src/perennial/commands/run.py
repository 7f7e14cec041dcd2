"""The main job: the training flow as a process of its own, watched, and what came of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import dag, runlock
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.commands import environment, events
from perennial.commands.events import Event, Listener
from perennial.commands.summary import Summary, summarise
from perennial.errors import InputError

FLOW = Path("flows/training.py")
LOG = paths.LOGS / "flow.log"
PATIENCE = 15  # seconds for the flow to end once it was told to


def run(listen: Listener) -> Summary:
    """Run the training flow and return what came of it.

    Args:
        listen: Is given each event as it comes; see `perennial.commands.events`.

    Raises:
        InputError: params.yaml is wrong, Prefect is missing, or this is no project's folder.
        IntegrityError: who is champion can't be told.
        UnreachableError: another run is at work.
        CrashedError: the flow's process left no word.
    """
    began = time.monotonic()
    read_params()
    environment.require_prefect()
    environment.require_room(Path.cwd())
    if not FLOW.is_file():
        raise InputError(f"{FLOW}: no such file", "Run this in the project's folder.")
    with runlock.alone() as held:
        before = champions.read()
        told = list(_events(held, listen))
    if not told or told[-1]["event"] != "end":
        raise dag.CrashedError(
            "the flow's process ended without a word",
            f"This is no fault of your input. {LOG} has what it said; "
            "run the same command again to go on from there.",
        )
    return summarise(told, before, champions.read(), time.monotonic() - began)


def _events(held: int, listen: Listener) -> Iterator[Event]:
    with _flow(held) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = events.parse(line)
            if event is not None:
                listen(event)
                yield event


@contextmanager
def _flow(held: int) -> Iterator["subprocess.Popen[str]"]:
    """Start the flow and see that it ends with us, stages and all."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    own: dict[str, Any] = {events.VARIABLE: "json", runlock.INHERITED: str(held)}
    debug = "PERENNIAL_DEBUG" in os.environ  # then its log is for the terminal
    with LOG.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(FLOW)],
            env=environment.for_flows(Path.cwd()) | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if debug else log,
            text=True,
            pass_fds=(held,),
            start_new_session=True,  # one group, which can be ended as a whole
        )
    before = signal.signal(signal.SIGTERM, _stop_running)
    try:
        yield process
        process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        if process.poll() is None:
            _end(process)


def _stop_running(number: int, _: Any) -> None:
    raise SystemExit(128 + number)


def _end(process: "subprocess.Popen[str]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(PATIENCE)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
