"""The fits of a search as tasks of a cluster."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from perennial.adapters.engine import cluster, processors
from perennial.core.search import Shared, Task

if TYPE_CHECKING:
    import numpy as np


@contextmanager
def fitting(
    shared: Shared, workers: int
) -> "Iterator[Callable[[list[Task]], Iterable[tuple[np.ndarray, int]]]]":
    """Yield a function that fits tasks on the cluster and keeps their order.

    As `workers.fitting`; `workers` are those of a cluster on this machine. On one at an
    address a fit has one thread, unless `shared` says more: Dask hands a worker as many tasks as
    it has threads.

    Raises:
        PerennialError: as `cluster.connected`; the function as `cluster.taken`.
    """
    usual = 1 if cluster.address() else processors.threads_of(workers)
    shared = replace(shared, threads=shared.threads or usual)
    with cluster.connected(workers) as client:
        there = cluster.kept(client, shared)
        yield lambda tasks: cluster.taken(
            cluster.submit(client, Shared.fit, there, task, device=shared.device) for task in tasks
        )
