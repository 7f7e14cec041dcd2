"""The fits of a search as tasks of a cluster."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.adapters import processors
from perennial.adapters.engine import cluster
from perennial.core.search import Task, fit_task

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def fitting(
    features: "pd.DataFrame",
    target: np.ndarray,
    folds: list[np.ndarray],
    seed: int,
    workers: int,
    threads: int | None = None,
    device: str = "cpu",
) -> Iterator[Callable[[list[Task]], Iterable[tuple[np.ndarray, int]]]]:
    """Yield a function that fits tasks on the cluster and keeps their order.

    The arguments are those of `adapters.workers.fitting`; `workers` are those of a cluster on this
    machine. On one at an address a fit has one thread, unless `threads` says more: Dask hands a
    worker as many tasks as it has threads.

    Raises:
        PerennialError: as `cluster.connected`; the function as `cluster.taken`.
    """
    threads = threads or (1 if cluster.address() else processors.threads_of(workers))
    held = {
        "features": features,
        "target": target,
        "folds": folds,
        "seed": seed,
        "threads": threads,
        "device": device,
    }
    with cluster.connected(workers) as client:
        there = cluster.kept(client, held)
        yield lambda tasks: cluster.taken(
            cluster.submit(client, _fit, task, there, device=device) for task in tasks
        )


def _fit(task: Task, held: Mapping[str, Any]) -> tuple[np.ndarray, int]:
    return fit_task(
        task,
        held["features"],
        held["target"],
        held["folds"][task.fold],
        held["seed"],
        held["threads"],
        held["device"],
    )
