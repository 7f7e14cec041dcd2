"""The members of a recipe fitted on a cluster, each on all rows by one worker: the bytes of a fit
here. Or each by all workers, which is `rows`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.adapters.engine import cluster, processors, rows
from perennial.core.dataset.part import Part
from perennial.core.model import boosting

if TYPE_CHECKING:
    import pandas as pd
    import xgboost
    from distributed import Client


@contextmanager
def fitting(by: str, device: str) -> "Iterator[Callable[..., tuple[xgboost.Booster, ...]]]":
    """Yield a function that fits members, for `core.training.fit_candidate`.

    Args:
        by: `members` or `rows`, as `engine.training` says.
        device: That XGBoost fits on; there is one for a cluster on this machine, so one worker.

    Raises:
        PerennialError: as `cluster.connected`; the function as `cluster.taken` and `rows.fit`.
    """
    count = processors.count() if device == boosting.CPU else 1
    with cluster.connected(count) as client:

        def fit(
            train: Part,
            weight: np.ndarray | None,
            members: Sequence[Mapping[str, Any]],
            seed: int,
            device: str,
        ) -> "tuple[xgboost.Booster, ...]":
            how = rows.fit if by == "rows" else _fit_each
            return how(client, train, weight, members, seed, device)

        yield fit


def _fit_each(
    client: "Client",
    train: Part,
    weight: np.ndarray | None,
    members: Sequence[Mapping[str, Any]],
    seed: int,
    device: str,
) -> "tuple[xgboost.Booster, ...]":
    there = cluster.kept(client, (train.features, train.target, weight))
    fitted = cluster.taken(
        cluster.submit(client, _fit_one, there, member, seed + i, device, device=device)
        for i, member in enumerate(members)
    )
    return tuple(map(boosting.from_bytes, fitted))


def _fit_one(
    held: "tuple[pd.DataFrame, np.ndarray, np.ndarray | None]",
    member: Mapping[str, Any],
    seed: int,
    device: str,
) -> bytes:
    return boosting.to_bytes(boosting.fit_on(boosting.matrix(*held), member, seed, device))
