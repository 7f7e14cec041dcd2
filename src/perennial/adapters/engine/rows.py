"""Training by rows: each worker holds a share of them, and all fit each tree together.

The sums over the rows are sums of the shares' sums, and floats added in another order are other
floats: one worker gives the bytes of a fit here, two or more give bytes of their own, which depend
on how many they are (docs/decisions/0026 has by how much).
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.adapters.engine import cluster
from perennial.core.dataset.part import Part
from perennial.core.model import boosting
from perennial.errors import UnreachableError

if TYPE_CHECKING:
    import xgboost
    from distributed import Client

TRIES = 4  # as often as Dask itself gives a task to another worker
SILENCE = 300  # seconds for which workers wait for one of them that says nothing
NOTICED = 5  # seconds in which a scheduler notices that a worker is gone
COMING = 60  # seconds in which another is there in its place, where somebody starts one


def fit(
    client: "Client",
    train: Part,
    weight: np.ndarray | None,
    members: Sequence[Mapping[str, Any]],
    seed: int,
    device: str,
) -> "tuple[xgboost.Booster, ...]":
    """Fit each member of a recipe by all workers at once, on their shares of the rows.

    A worker that is killed ends the fit of all: it is begun again with those that are there then.

    Raises:
        UnreachableError: workers were lost so often that no fit ended, or the scheduler is gone.
    """
    for _ in range(TRIES):
        there = cluster.workers_of(client)
        try:
            return tuple(
                _fit_over(client, list(there), train, weight, recipe, seed + i, device)
                for i, recipe in enumerate(members)
            )
        except Exception:
            cluster.require_there(client)
            # what XGBoost and Dask raise then has no one type; a fault of the fit stays one
            if not _lost(client, there):
                raise
    raise UnreachableError(
        f"{TRIES} fits over the rows lost a worker each",
        f"{cluster.KEPT} with more memory for each worker, {cluster.BACK}",
    )


def _fit_over(
    client: "Client",
    addresses: Sequence[str],
    train: Part,
    weight: np.ndarray | None,
    recipe: Mapping[str, Any],
    seed: int,
    device: str,
) -> "xgboost.Booster":
    import pandas as pd
    from xgboost import dask
    from xgboost.collective import Config

    whole = {"data": train.features, "label": pd.Series(train.target)}
    if weight is not None:
        whole["weight"] = pd.Series(weight)
    shares = {name: _shared_out(client, one, addresses) for name, one in whole.items()}
    on = {} if device == boosting.CPU else {"device": device}
    settings = {**boosting.FIXED, **recipe["params"], **on, "seed": seed}
    matrix = dask.DaskQuantileDMatrix(client, **shares, enable_categorical=True)
    found = dask.train(
        client,
        settings,
        matrix,
        num_boost_round=recipe["rounds"],
        coll_cfg=Config(timeout=SILENCE, tracker_timeout=SILENCE),
    )
    return found["booster"]


def _shared_out(client: "Client", whole: Any, addresses: Sequence[str]) -> Any:
    """Return a collection of one share a worker: neighbouring rows, as they are in order.

    The addresses are in the order of ranks: each draws its random rows by its rank, so what is
    where must hang on the number of workers alone."""
    from dask.dataframe import from_delayed

    bounds = np.linspace(0, len(whole), len(addresses) + 1).round().astype("int64")
    placed = [
        client.scatter(whole.iloc[start:end], workers=[there], hash=False)
        for start, end, there in zip(bounds, bounds[1:], addresses, strict=False)
    ]
    return from_delayed(placed, meta=whole.iloc[:0], verify_meta=False)


def _lost(client: "Client", before: Mapping[str, str]) -> bool:
    """Return whether a worker is gone; wait for another in its place, if one is coming."""
    until = time.monotonic() + COMING
    lost = False
    while time.monotonic() < until:
        now = cluster.workers_of(client)
        lost = lost or any(now.get(address) != name for address, name in before.items())
        if lost and len(now) >= len(before):
            break
        if not lost and time.monotonic() > until - COMING + NOTICED:
            break
        time.sleep(0.2)
    return lost
