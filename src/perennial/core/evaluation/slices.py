"""Slices: parts of the holdout, by one or two features, on which the candidate may be bad.

A lattice of one and two literals is searched, as Slice Finder does (Chung et al. 2019). A slice
may be hard for any model, so its loss is not compared with that of other rows but, row by row,
with that of simple references on the same rows: always stating the prior, and the mean of the
simple models. The intervals are widened for every slice and reference looked at (Bonferroni).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from perennial.core.dataset.features import text_of
from perennial.core.statistics import clusters
from perennial.core.statistics.estimates import Estimate
from perennial.core.statistics.metrics import row_log_loss
from perennial.params.slices import Slices

BLOCK = 10_000_000  # rows of slices looked at together: 80 MB
PERSONS = 10  # clusters in a slice that is looked at: fewer would hide what the others show
PAIRED = 300  # slices of one feature, whose pairs are looked at
COLUMNS = ("slice", "reference", "rows", "independent", "mean", "deviation")
Measured = tuple[str, str, int, int, float, float]
DECIMALS = 9  # of a mean or deviation


def excess(scores: pd.DataFrame) -> pd.DataFrame:
    """Return each row's log loss less that of each reference, in nats; shape (rows, references).

    Args:
        scores: With the columns target, probability, prior, logistic and default.
    """
    target = scores["target"].to_numpy()
    own = row_log_loss(target, scores["probability"].to_numpy())
    simple = (scores["logistic"] + scores["default"]).to_numpy() / 2
    references = {"the prior": scores["prior"].to_numpy(), "the simple models": simple}
    return pd.DataFrame({name: own - row_log_loss(target, p) for name, p in references.items()})


def look(
    features: pd.DataFrame, groups: pd.DataFrame, scores: pd.DataFrame, settings: Slices
) -> dict[str, pd.DataFrame]:
    """Return the slices `searched`, over features and groups, and the user's `declared` ones.

    Args:
        features: The holdout's, shape (rows, features).
        groups: Its sensitive attributes, shape (rows, attributes).
        scores: As `excess` takes them, with their clusters if rows are not independent.
        settings: How slices are cut, and which are declared.
    """
    losses = excess(scores)
    columns = pd.concat([features, groups.add_prefix("group ")], axis=1)
    named = pd.concat([features, groups], axis=1)
    named = named.loc[:, ~named.columns.duplicated()]
    key = clusters.of(scores)
    return {
        "searched": search(columns, losses, settings.min_rows, settings.bins, key),
        "declared": declared(settings.declared, named, losses, settings.min_rows, key),
    }


def search(
    features: pd.DataFrame,
    losses: pd.DataFrame,
    min_rows: int,
    bins: int,
    key: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return every slice of one or two features with at least `min_rows` rows, the worst first.

    Args:
        features: The holdout's features and groups, shape (rows, columns); numbers are cut at
            quantiles into `bins`.
        losses: As `excess` returns them.
        min_rows: Smaller slices are not looked at.
        bins: Of a number.
        key: Each row's cluster, shape (rows,), if rows are not independent.

    Returns:
        A row for each slice and reference, with the mean and standard deviation of its excess, and
        how many rows or, with `key`, clusters are independent. Of clusters, the deviation is that
        which as many independent rows would need for the same error, and slices of fewer than
        `PERSONS` are left out.
    """
    literals = [
        (column, name, member)
        for column in features
        for name, member in _literals(features[column], bins)
        if member.sum() >= min_rows
    ]
    if not literals:
        return pd.DataFrame(columns=list(COLUMNS))
    members = np.array([member for _, _, member in literals], dtype="float64")
    found = _measured([name for _, name, _ in literals], members, losses, key)
    if len(literals) > PAIRED:  # thousands of features have millions of pairs: of the largest only,
        # which are chosen without a look at the losses, so that the intervals stay right
        largest = np.sort(np.argsort(-members.sum(axis=1), kind="stable")[:PAIRED])
        literals, members = [literals[place] for place in largest], members[largest]
    together = members @ members.T
    pairs = [
        (i, j)
        for i, j in combinations(range(len(literals)), 2)
        # the part of neither with both of the same feature, nor a pair that is one of its halves
        if literals[i][0] != literals[j][0]
        and min_rows <= together[i, j] < min(together[i, i], together[j, j])
    ]
    size = max(1, min(500, BLOCK // len(features)))
    for start in range(0, len(pairs), size):
        block = pairs[start : start + size]
        both = np.array([members[i] * members[j] for i, j in block])
        names = [f"{literals[i][1]} and {literals[j][1]}" for i, j in block]
        found += _measured(names, both, losses, key)
    return _ordered(found)


def declared(
    wanted: Mapping[str, Mapping[str, Sequence[Any]]],
    features: pd.DataFrame,
    losses: pd.DataFrame,
    min_rows: int,
    key: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the user's own slices as `search` does.

    Args:
        wanted: For each slice its columns, each with its levels, or [low, high) of a number.
        features: The holdout's features and groups.
        losses: As `excess` returns them.
        min_rows: Smaller slices are left out.
        key: Each row's cluster, as above.
    """
    names, members = [], []
    for name, columns in wanted.items():
        member = np.ones(len(features), dtype=bool)
        for column, values in columns.items():
            member &= belongs(features[column], values)
        if member.sum() >= min_rows:
            names.append(name)
            members.append(member)
    if not names:
        return pd.DataFrame(columns=list(COLUMNS))
    return _ordered(_measured(names, np.array(members, dtype="float64"), losses, key))


def largest_excess(found: pd.DataFrame, confidence: float) -> tuple[Estimate, dict[str, Any]]:
    """Return the largest excess of any slice with its simultaneous interval, and which slice.

    The slice is the one whose excess is proven largest: with the highest lower bound.
    """
    tail = (1 - confidence) / 2 / len(found)
    rows, independent = found["rows"].to_numpy(), found["independent"].to_numpy()
    error = found["deviation"].to_numpy() / np.sqrt(rows)
    half = special.stdtrit(independent - 1, 1 - tail) * error
    mean = found["mean"].to_numpy()
    worst = int(np.argmax(mean - half))
    row: dict[str, Any] = {str(k): v for k, v in found.iloc[worst].items()}
    estimate = Estimate(
        float(mean[worst]),
        float((mean - half)[worst]),
        float(np.max(mean + half)),
        int(rows[worst]),
    )
    return estimate, row


def _measured(
    names: Sequence[str], members: np.ndarray, losses: pd.DataFrame, key: np.ndarray | None
) -> list[Measured]:
    size = members.sum(axis=1)
    independent, least = size, 2
    if key is not None:
        least = PERSONS
        independent = np.array([clusters.count(key, member > 0) for member in members])
    rows = []
    for reference in losses:
        loss = losses[reference].to_numpy()
        mean = members @ loss / size
        square = members @ loss**2 / size
        if key is None:
            variance = np.maximum(square - mean**2, 0.0) * size / np.maximum(size - 1, 1)
        else:
            variance = _between(members, loss, mean, key)
        deviation = np.sqrt(variance)
        # BLAS adds in an order that hangs on where the arrays lie: two runs of one machine differ
        # in the last bit
        rows += [
            (name, str(reference), int(n), int(own), float(m), float(d))
            for name, n, own, m, d in zip(
                names,
                size,
                independent,
                mean.round(DECIMALS),
                deviation.round(DECIMALS),
                strict=True,
            )
            if own >= least
        ]
    return rows


def _between(
    members: np.ndarray, loss: np.ndarray, mean: np.ndarray, key: np.ndarray
) -> np.ndarray:
    """Return the variance between clusters as one of a row, for each slice, shape (slices,)."""
    found = np.zeros(len(members))
    for place, member in enumerate(members):
        inside = np.flatnonzero(member)
        off = clusters.totals(loss[inside] - mean[place], key[inside])
        found[place] = len(off) / max(len(off) - 1, 1) * (off**2).sum() / len(inside)
    return found


def _ordered(found: list[Measured]) -> pd.DataFrame:
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    error = frame["deviation"] / np.sqrt(frame["rows"])
    strength = frame["mean"] / error.clip(lower=1e-12)
    order = np.lexsort([frame["slice"], frame["reference"], -strength.round(9)])
    return frame.iloc[order].reset_index(drop=True)


def _literals(values: pd.Series, bins: int) -> list[tuple[str, np.ndarray]]:
    name, missing = str(values.name), values.isna().to_numpy()
    found = [(f"{name} missing", missing)] if missing.any() else []
    if not pd.api.types.is_numeric_dtype(values):
        levels = sorted(map(str, values.dropna().unique()))
        return found + [(f"{name} {level}", (values == level).to_numpy()) for level in levels]
    if missing.all():
        return found
    edges = np.unique(np.quantile(values[~missing], np.linspace(0, 1, bins + 1)[1:-1]))
    member = np.digitize(values, edges)
    for index in range(len(edges) + 1):
        low = f"from {edges[index - 1]:.4g}" if index else ""
        high = f"under {edges[index]:.4g}" if index < len(edges) else ""
        words = " ".join(filter(None, [name, low, high]))
        found.append((words, (member == index) & ~missing))
    return found


def belongs(values: pd.Series, wanted: Sequence[Any]) -> np.ndarray:
    """Return which rows have one of these levels (null is missing), or a number in [low, high)."""
    if pd.api.types.is_numeric_dtype(values):
        low, high = wanted[0], wanted[-1]
        inside = np.ones(len(values), dtype=bool) if low is None else (values >= low).to_numpy()
        return inside & (True if high is None else (values < high).to_numpy())
    return values.isin(text_of(pd.Series(list(wanted), dtype=object))).to_numpy()
