"""What a policy was worth over all periods, and against the others: with intervals, paired by row.

Periods are drawn with all their rows (a block bootstrap, Künsch 1989, with a period as the block):
rows of one period share its weather, so they are not independent evidence. The same draws serve
all policies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perennial.core.replay.measure import MIN_OF_A_CLASS
from perennial.core.statistics import metrics
from perennial.core.statistics.estimates import Estimate, resampling_weights

# the weight of each period in each draw, shape (draws, periods), to values, shape (draws,)
Statistic = Callable[[np.ndarray], np.ndarray]
HALVES = ("all", "first_half", "second_half")


@dataclass(frozen=True)
class Scored:
    """A policy's probabilities of every period, each by the champion of its time.

    `targets` and `probabilities` have one array of shape (rows,) a period.
    """

    targets: Sequence[np.ndarray]
    probabilities: Sequence[np.ndarray]

    def part(self, half: str) -> "Scored":
        """Return the periods of a half; an odd one in the middle belongs to the first."""
        middle = (len(self.targets) + 1) // 2
        chosen = {
            "all": slice(None),
            "first_half": slice(middle),
            "second_half": slice(middle, None),
        }[half]
        return Scored(self.targets[chosen], self.probabilities[chosen])


def statistics(scored: Scored) -> dict[str, Statistic]:
    """Return the measures as functions of the periods' weights.

    `log_loss` and `brier` are means over rows; `roc_auc` the mean of the periods' own ROC AUCs by
    their rows, which asks for ranking within a period; `roc_auc_pooled` ranks all rows together,
    so it also rewards following the rate of positives from period to period.
    """
    pairs = list(zip(scored.targets, scored.probabilities, strict=True))
    sizes = np.array([len(target) for target, _ in pairs], dtype="float64")
    loss = np.array([metrics.row_log_loss(y, p).sum() for y, p in pairs])
    brier = np.array([((p - y) ** 2).sum() for y, p in pairs])
    above, count = _pairs(scored)
    positives = np.array([int(target.sum()) for target, _ in pairs])
    enough = np.minimum(positives, sizes - positives) >= MIN_OF_A_CLASS
    own = np.where(enough, np.diag(above) / np.maximum(np.diag(count), 1), 0.0)

    def pooled(weights: np.ndarray) -> np.ndarray:
        won = np.einsum("ri,ij,rj->r", weights, above, weights)
        return _ratio(won, np.einsum("ri,ij,rj->r", weights, count, weights))

    return {
        "roc_auc": lambda w: _ratio(w @ (own * sizes * enough), w @ (sizes * enough)),
        "roc_auc_pooled": pooled,
        "log_loss": lambda w: _ratio(w @ loss, w @ sizes),
        "brier": lambda w: _ratio(w @ brier, w @ sizes),
    }


def worth(
    scored: Scored, half: str, confidence: float, replicates: int, seed: int
) -> dict[str, Any]:
    """Return every measure of a policy over a half of the periods, as JSON values."""
    part = scored.part(half)
    found = statistics(part)
    return {
        name: _estimate(found[name], part, confidence, replicates, seed).to_json() for name in found
    }


def difference(
    scored: Scored, other: Scored, half: str, confidence: float, replicates: int, seed: int
) -> dict[str, Any]:
    """Return every measure of a policy less that of another, on the same rows, as JSON values."""
    part = scored.part(half)
    first, second = statistics(part), statistics(other.part(half))

    def paired(name: str) -> Statistic:
        return lambda weights: first[name](weights) - second[name](weights)

    return {
        name: _estimate(paired(name), part, confidence, replicates, seed).to_json()
        for name in first
    }


def saved(scored: Scored, other: Scored) -> list[float]:
    """Return the nats of log loss saved against another policy, summed up to each period."""
    less = [
        float((metrics.row_log_loss(y, q) - metrics.row_log_loss(y, p)).sum())
        for y, p, q in zip(scored.targets, scored.probabilities, other.probabilities, strict=True)
    ]
    return [float(total) for total in np.cumsum(less)]


def calibration(scored: Scored, bins: int) -> float:
    """Return the debiased expected calibration error of all rows together."""
    target, probability = (np.concatenate(side) for side in (scored.targets, scored.probabilities))
    error = metrics.calibration_error(target, probability, bins)
    return float(error(np.ones((1, len(target)), dtype="float32"))[0])


def table(
    policies: Mapping[str, Scored], confidence: float, replicates: int, seed: int
) -> list[dict[str, Any]]:
    """Return each policy against `never` and against `always`, by half, where these were run."""
    return [
        {
            "policy": name,
            "than": than,
            "part": half,
            **difference(scored, policies[than], half, confidence, replicates, seed),
        }
        for than in ("never", "always")
        for name, scored in policies.items()
        if than in policies and name != than
        for half in HALVES
    ]


def _estimate(
    statistic: Statistic, scored: Scored, confidence: float, replicates: int, seed: int
) -> Estimate:
    periods, rows = len(scored.targets), sum(map(len, scored.targets))
    value = float(statistic(np.ones((1, periods)))[0])
    weights = resampling_weights(periods, replicates, seed).astype("float64")
    tail = (1 - confidence) / 2
    drawn = statistic(weights)
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else (np.nan, np.nan)
    return Estimate(value, float(low), float(high), rows)


def _pairs(scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each period's positives and each period's negatives, how often a positive has
    the higher probability (a tie is half), and how many pairs there are; shape (periods, periods).
    """
    sides = zip(scored.targets, scored.probabilities, strict=True)
    split = [(p[y == 1], np.sort(p[y == 0])) for y, p in sides]
    above = np.array(
        [
            [
                float(np.searchsorted(low, high, "left").sum())
                + float(np.searchsorted(low, high, "right").sum())
                for _, low in split
            ]
            for high, _ in split
        ]
    )
    count = np.array([[len(high) * len(low) for _, low in split] for high, _ in split])
    return above / 2, count.astype("float64")


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    return np.divide(over, under, out=np.full(over.shape, np.nan), where=under > 0)
