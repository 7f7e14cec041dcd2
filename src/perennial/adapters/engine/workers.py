"""The local engine: fits of a search on worker processes of this machine."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from perennial.adapters.engine import processors
from perennial.core.search import Shared, Task
from perennial.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np

_held: list[Shared] = []  # of this worker


@contextmanager
def fitting(
    shared: Shared, workers: int
) -> "Iterator[Callable[[list[Task]], Iterable[tuple[np.ndarray, int]]]]":
    """Yield a function that fits tasks on `workers` processes and keeps their order.

    Where `shared` says no threads, the processors are shared out.
    """
    shared = replace(shared, threads=shared.threads or processors.threads_of(workers))
    if workers == 1:
        yield lambda tasks: map(shared.fit, tasks)
        return
    # spawn, not fork: XGBoost's threads do not survive a fork
    with ProcessPoolExecutor(workers, get_context("spawn"), _hold, (shared,)) as pool:
        try:
            yield lambda tasks: pool.map(_fit, tasks)
        except BrokenProcessPool as error:
            raise InputError(
                f"one of {workers} workers was killed, most likely for want of memory",
                "Set PERENNIAL_WORKERS to fewer, then run the same command again: what was "
                "finished is kept.",
            ) from error


@contextmanager
def processes() -> "Iterator[Callable[..., Future[Any]]]":
    """Yield a function that submits work to `processors.count()` processes of one thread each."""
    # two that share two processors wait for each other, so each has one thread
    os.environ["OMP_NUM_THREADS"] = "1"
    # spawn, not fork: XGBoost's threads do not survive a fork
    with ProcessPoolExecutor(processors.count(), get_context("spawn")) as pool:
        yield pool.submit


def _hold(shared: Shared) -> None:
    _held.append(shared)


def _fit(task: Task) -> "tuple[np.ndarray, int]":
    return _held[-1].fit(task)
