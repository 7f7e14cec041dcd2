"""Clusters: rows of one key, which say less together than as many rows of different keys.

`key` numbers each row's cluster from 0 on, shape (rows,); None stands for rows that are all
independent.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

SEEN = 5  # clusters with the rarer outcome
KEY = "key"  # a number for each value of split.key, which says nothing of who it is


class Design(NamedTuple):
    """What clusters make of a proportion: how many of its rows say as much as one that is
    independent, and how many clusters there are (None where all rows are independent)."""

    effect: float = 1.0
    clusters: int | None = None


def of(rows: pd.DataFrame) -> np.ndarray | None:
    """Return each row's cluster, shape (rows,); None where the rows are split without a key."""
    return rows[KEY].to_numpy() if KEY in rows else None


def numbered(key: np.ndarray) -> tuple[np.ndarray, int]:
    """Return each row's cluster as a number from 0 on, shape (rows,), and how many there are.

    Args:
        key: Whole numbers from 0 on, as `named` gives them; shape (rows,).
    """
    there = np.bincount(key) > 0
    return (np.cumsum(there) - 1)[key], int(there.sum())


def named(key: np.ndarray | pd.Series) -> np.ndarray:
    """Return a number for each row's key, shape (rows,), in the order in which keys come; one of
    its own where there is none, as such a row is of nobody else."""
    number, names = pd.factorize(key)
    nobody = number == -1
    number[nobody] = len(names) + np.arange(nobody.sum())
    return number


def totals(values: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return the sums of `values`, (rows,), over the rows of each cluster, shape (clusters,)."""
    number, several = numbered(key)
    return np.bincount(number, weights=values, minlength=several)


def count(key: np.ndarray | None, chosen: np.ndarray) -> int:
    """Return how many clusters have a row among those chosen, (rows,); of no key, how many rows."""
    return int(chosen.sum()) if key is None else int((np.bincount(key[chosen]) > 0).sum())


def rarer(key: np.ndarray | None, target: np.ndarray) -> int:
    """Return how many rows, or clusters, the class has that has fewer of them."""
    return min(count(key, target == one) for one in (0, 1))


def design(success: np.ndarray, key: np.ndarray | None) -> Design:
    """Return how many rows of clusters say as much of a proportion as one independent row.

    The variance of the proportion between clusters over that of independent rows (Rao and Scott
    1992); at least 1. Where fewer than `SEEN` clusters have the rarer outcome hardly anything is
    seen of it, and the rows of a cluster are taken to say the same (Kish 1965: its mean size, each
    row counted once).

    Args:
        success: Whether each row is a success, shape (rows,).
        key: Each row's cluster.
    """
    if key is None:
        return Design()
    if not len(success):
        return Design(1.0, 0)
    rows, rate = len(success), float(success.mean())
    sizes = totals(np.ones(rows), key)
    if rarer(key, success) < SEEN:
        return Design(float((sizes**2).sum() / rows), len(sizes))
    off = totals(success - rate, key)
    between = len(off) / (len(off) - 1) * float((off**2).sum()) / rows**2
    effect = max(1.0, between * rows / (rate * (1 - rate)))
    return Design(round(effect, 6), len(sizes))  # summed in an order that hangs on the machine
