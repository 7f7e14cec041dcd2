"""The local engine: fits of a search on worker processes of this machine."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.adapters import processors
from perennial.core.search import Task, fit_task
from perennial.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

_held: dict[str, Any] = {}


@contextmanager
def fitting(
    features: "pd.DataFrame",
    target: np.ndarray,
    folds: list[np.ndarray],
    seed: int,
    workers: int,
    threads: int | None = None,
    device: str = "cpu",
) -> "Iterator[Callable[[list[Task]], Iterable[tuple[np.ndarray, int]]]]":
    """Yield a function that fits tasks on `workers` processes and keeps their order.

    `threads` are each process's; without it, the processors are shared out.
    """
    threads = threads or processors.threads_of(workers)
    held = {
        "features": features,
        "target": target,
        "folds": folds,
        "seed": seed,
        "threads": threads,
        "device": device,
    }
    if workers == 1:
        _hold(held)
        yield lambda tasks: map(_fit, tasks)
        return
    # spawn, not fork: XGBoost's threads do not survive a fork
    with ProcessPoolExecutor(workers, get_context("spawn"), _hold, (held,)) as pool:
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


def _hold(held: dict[str, Any]) -> None:
    _held.update(held)


def _fit(task: Task) -> tuple[np.ndarray, int]:
    return fit_task(
        task,
        _held["features"],
        _held["target"],
        _held["folds"][task.fold],
        _held["seed"],
        _held["threads"],
        _held["device"],
    )
