"""A cluster of Dask: one of this machine's processes, or one that is there, by its address.

Where it is belongs to the machine, not to the result, so it is no parameter: the environment
variable PERENNIAL_SCHEDULER has the address of a scheduler, and without it the cluster is made
here, of PERENNIAL_WORKERS processes that listen on 127.0.0.1 alone.
"""

import contextlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters.engine import checking, processors
from perennial.errors import InputError, UnreachableError

if TYPE_CHECKING:
    from distributed import Client, Future

ADDRESS = "PERENNIAL_SCHEDULER"
FORM = re.compile(r"(tcp|tls)://[^\s/@]+:\d+")
HERE = "127.0.0.1"
ANSWER = 10  # seconds for a scheduler's first answer
WORKERS = 60  # seconds until it has a worker
BACK = "or set engine.kind to local in params.yaml."
KEPT = "What was finished is kept: run the same command again"


def address() -> str | None:
    """Return the address of the scheduler to join, None if a cluster is to be made here.

    Raises:
        InputError: PERENNIAL_SCHEDULER is no address.
    """
    found = os.environ.get(ADDRESS)
    if found and not FORM.fullmatch(found):
        raise InputError(
            f"{ADDRESS} is {found!r}, not the address of a scheduler",
            "Write it as tcp://HOST:8786 (tls:// with certificates), or unset it.",
        )
    return found or None


@contextlib.contextmanager
def connected(count: int) -> "Iterator[Client]":
    """Yield a client of the cluster, which has at least one worker that runs this code.

    Args:
        count: How many workers a cluster on this machine gets.

    Raises:
        InputError: Dask is not installed, the address is none, or a worker has other code.
        UnreachableError: nobody answers at the address, or no worker is there.
    """
    _require_installed()
    import dask
    from distributed import Client

    there = address()
    settings = {
        "distributed.admin.large-graph-warning-threshold": "1TB",  # `kept` is meant
        "distributed.comm.timeouts.connect": f"{ANSWER}s" if there else "60s",
        "distributed.scheduler.allowed-failures": 3,
    }
    with dask.config.set(settings), contextlib.ExitStack() as until_the_end:
        _quiet()
        if there is None:
            made = until_the_end.enter_context(_cluster_here(count))
            client = until_the_end.enter_context(Client(made))
            client.run(_say_nothing)
        else:
            client = until_the_end.enter_context(_joined(there))
        _require_same_code(client)
        yield client


def submit(client: "Client", function: Callable[..., Any], *given: Any, device: str) -> "Future":
    """Have a worker call the function, if it runs this code and has the device."""
    require_there(client)
    return client.submit(checking.checked, checking.code(), device, function, *given, pure=False)


def require_there(client: "Client") -> None:
    """Check that the scheduler is there still.

    Raises:
        UnreachableError: it isn't.
    """
    if client.status != "running":
        raise _gone()


def _gone() -> UnreachableError:
    return UnreachableError(
        f"the scheduler {address() or 'on this machine'} is gone",
        f"{KEPT} when it is there again, {BACK}",
    )


def kept(client: "Client", value: Any) -> "Future":
    """Return a value that workers fetch from each other.

    It is a task's result, not scattered: what is scattered is lost with the worker that has it,
    while a task's result is made again from what the scheduler holds.
    """
    require_there(client)
    return client.submit(checking.same, value, pure=False)


def taken(futures: "Iterable[Future]") -> Iterator[Any]:
    """Yield the results in order; all are asked for before the first is waited for.

    Raises:
        InputError: the task ended one worker after another.
        UnreachableError: the scheduler is gone.
        Exception: what a task raised.
    """
    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    for future in list(futures):
        try:
            result = future.result()
        except KilledWorker as error:
            raise InputError(
                "a task was on four workers, and each was killed, most likely for want of memory",
                f"{KEPT} with more memory for each worker, {BACK}",
            ) from error
        except (FutureCancelledError, CommClosedError, TimeoutError) as error:
            raise _gone() from error
        yield result


def each(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """Yield what the function returns for each tuple of arguments, in their order.

    Raises:
        PerennialError: as `connected` and `taken`; or what the function raised.
    """
    with connected(processors.count()) as client:
        yield from taken(submit(client, function, *given, device="cpu") for given in arguments)


def workers_of(client: "Client") -> dict[str, str]:
    """Return the workers by address, each with what no other start of it has; in the order in
    which `xgboost.dask` gives them ranks, which is by name."""
    found = client.scheduler_info(n_workers=-1)["workers"]
    ranked = sorted(found, key=lambda there: f"[xgboost.dask-{found[there]['name']}]:{there}")
    return {there: found[there]["id"] for there in ranked}


def _require_installed() -> None:
    if find_spec("distributed") is None or find_spec("dask") is None:
        raise InputError(
            "engine.kind is dask, and the package distributed is not installed",
            f"pip install 'perennial[dask]', {BACK}",
        )


def _quiet() -> None:
    """A worker that is lost is told once, if it matters."""
    if "PERENNIAL_DEBUG" not in os.environ:
        for name in ("distributed", "distributed.client", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _cluster_here(count: int) -> Any:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        host=HERE,
        dashboard_address=f"{HERE}:0",  # no dashboard: its counts listen, and only here
        worker_dashboard_address=f"{HERE}:0",
        local_directory=str(paths.DASK),
        memory_limit=0,  # as without Dask: the machine's is the limit
        silence_logs=logging.CRITICAL,
    )


def _say_nothing() -> None:
    """Have this worker print nothing: XGBoost would print each one's rank."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as it lives


@contextlib.contextmanager
def _joined(there: str) -> "Iterator[Client]":
    from distributed import Client

    remedy = f"Start the scheduler, correct {ADDRESS}, {BACK}"
    try:
        client = Client(there, timeout=ANSWER)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())[:200]
        raise UnreachableError(f"no scheduler answers at {there}: {told}", remedy) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKERS)
        except TimeoutError as error:
            raise UnreachableError(
                f"the scheduler {there} has had no worker for {WORKERS} seconds",
                f"Start workers (`dask worker {there}`), {BACK}",
            ) from error
        yield client


def _require_same_code(client: "Client") -> None:
    """Ask the workers that are there; `submit` asks those that come later."""
    own = checking.code()
    for worker, found in client.run(checking.code, on_error="return").items():
        if found == own:
            continue
        what = f"can't run it: {found}" if isinstance(found, Exception) else "has another version"
        raise InputError(
            f"worker {worker} {what}; a fit there could have other bytes",
            checking.REMEDY,
        )
