"""All that the flows need to run by themselves, in one process that ends it all when it ends.

A Prefect server (unless PREFECT_API_URL names one), what it has to know (flows/deploying.py), a
worker, and the reaper of runs that died (flows/reaping.py). Nothing outside this folder and
127.0.0.1 is touched.
"""

import argparse
import contextlib
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NoReturn

import entry  # Prefect is imported when its server is there: its settings name the server
from perennial import paths
from perennial.adapters import runlock
from perennial.commands import environment
from perennial.errors import BusyError, InputError, UnreachableError
from supervising import Child

LOCK = paths.STATE / "serving.lock"
HOST, PORT = "127.0.0.1", 4200
STARTUP = 180  # seconds; the first start makes the database
EVERY = 5  # seconds between two looks for runs that died
RESTARTS = 20  # of the worker; one that dies as often won't live


def serve(port: int | None, schedules: bool, patience: float) -> None:
    """Serve until a signal comes.

    Args:
        port: Of the server; None for 4200, or any that is free.
        schedules: False to start runs only when they are asked for.
        patience: Seconds; see `reaping.reap`.

    Raises:
        InputError: the port is taken, or another file of the project is wrong.
        UnreachableError: the server is not to be had, or this folder is being served already.
    """
    environment.require_server()
    with _alone() as held, contextlib.ExitStack() as until_the_end:
        url = os.environ.get("PREFECT_API_URL")
        server = None
        if not url:
            server = _start_server(until_the_end, _port(port), held)
        from deploying import deploy

        lines = deploy(schedules)
        worker = until_the_end.enter_context(Child("worker", _worker(), held, _query()))
        shown = os.environ["PREFECT_API_URL"].rstrip("/").removesuffix("/api")
        print(f"Prefect      {shown}")
        print("\n".join(lines))
        print("Ctrl-C ends it.", flush=True)
        _watch(server, worker, patience)


def _watch(server: Child | None, worker: Child, patience: float) -> NoReturn:
    """See to it that the worker lives, and that the dead are known to be dead."""
    from prefect.client.orchestration import get_client

    from reaping import reap, told

    trouble = ""
    while True:
        if server is not None and not server.lives():
            raise UnreachableError("Prefect's server has ended", f"{server.log} has what it said.")
        if not worker.lives():
            if worker.restarts >= RESTARTS:
                raise UnreachableError("Prefect's worker keeps dying", f"See {worker.log}.")
            worker.restart()
            print("the worker had ended and was started again", flush=True)
        try:
            with get_client(sync_client=True) as client:
                lines = told(reap(client, timedelta(seconds=patience)))
            trouble = ""
        except Exception as error:  # the server may be back by then
            lines = [] if trouble else [f"the server can't be asked: {error}"]
            trouble = str(error)
        for line in lines:
            print(line, flush=True)
        time.sleep(EVERY)


@contextlib.contextmanager
def _alone() -> Iterator[int]:
    try:
        with runlock.alone(LOCK) as held:
            yield held
    except BusyError as error:
        raise BusyError(
            f"this folder is being served already: {error.faults[0]}", "End that one first."
        ) from error


def _start_server(until_the_end: contextlib.ExitStack, port: int, held: int) -> Child:
    command = [sys.executable, "-m", "prefect", "server", "start"]
    own = {"PREFECT_SERVER_API_HOST": HOST, "PREFECT_SERVER_API_PORT": str(port)}
    server = until_the_end.enter_context(Child("server", command, held, own))
    url = f"http://{HOST}:{port}/api"
    until = time.monotonic() + STARTUP
    while time.monotonic() < until and server.lives():
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{url}/health", timeout=2).close()  # noqa: S310
            os.environ["PREFECT_API_URL"] = url
            return server
        time.sleep(0.2)
    raise UnreachableError("Prefect's server did not start", f"{server.log} has what it said.")


def _port(wanted: int | None) -> int:
    """Return the port to listen on."""
    for port in (wanted,) if wanted is not None else (PORT, 0):
        with socket.socket() as tried, contextlib.suppress(OSError, OverflowError):
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((HOST, port))
            return int(tried.getsockname()[1])
    raise InputError(f"port {wanted} can't be listened on", "Choose another one: --port N.")


def _worker() -> list[str]:
    from reaping import POOL

    name = f"{POOL}-{socket.gethostname()}"
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL]
    return [*command, "--type", "process", "--name", name, "--limit", "1"]


def _query() -> dict[str, str]:
    """Return how often the worker asks for work, unless somebody has said so."""
    return {"PREFECT_WORKER_QUERY_SECONDS": os.environ.get("PREFECT_WORKER_QUERY_SECONDS", "5")}


def _stop(_: int, __: Any) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it is ending
    raise SystemExit(0)


def main() -> int:
    """Serve, and return the exit code; 0 when it was told to end."""
    parser = argparse.ArgumentParser(description="Serve the flows on this machine.")
    parser.add_argument("--port", type=int, help="of the server (default: 4200, else a free one)")
    parser.add_argument("--no-schedules", action="store_true", help="run only what is asked for")
    parser.add_argument("--patience", type=float, default=600, help="see flows/reaping.py")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    return entry.finish(
        lambda: serve(options.port, not options.no_schedules, options.patience), quiet=True
    )


if __name__ == "__main__":
    sys.exit(main())
