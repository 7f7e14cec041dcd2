"""Power: how large an effect a gate catches at this many rows, found by simulating the gate.

Each function plants effects of known size in data shaped like the user's holdout, lets the gate's
own interval decide, and counts how often it says `fail`. One simulation serves every effect with
the same random numbers, so that power rises with the effect and not by luck. Here is the champion
gate; core.proof.power_thresholds has those on fairness and calibration.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from perennial.core.gates.result import judge
from perennial.core.statistics import estimates, roc

CONFIDENCE = 0.95  # of the interval of a simulated probability; the gate's own is an argument


def champion_power(
    target: np.ndarray,
    candidate: np.ndarray,
    champion: np.ndarray,
    confidence: float,
    effects: Sequence[float],
    simulations: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return how often a candidate that is worse by a true AUC loss is proven worse (DeLong).

    Scores are drawn binormal: normal in either class, with unit variance. Their means give the
    champion the AUC observed and the candidate that less the effect; within each class the two
    models' scores correlate as strongly as their ranks do on the holdout (after Hanley and McNeil
    1983). An AUC sees ranks only, so any monotone transform of such scores has the same power.

    Args:
        target: 0 or 1, shape (rows,), at least two of each.
        candidate: The candidate's scores, shape (rows,).
        champion: Those of the champion, or of a model in its place, shape (rows,).
        confidence: Of the gate's interval.
        effects: True losses of AUC, each less than the champion's AUC.
        simulations: How many holdouts are drawn.
        seed: Of the draws.

    Raises:
        ValueError: For fewer than two rows of a class, or a loss that leaves no AUC.
    """
    sizes = [int((target == label).sum()) for label in (1, 0)]
    level = float(roc.delong(target, champion[np.newaxis])[0][0]) if min(sizes) > 1 else 0.0
    if level <= max(effects):
        raise ValueError(
            f"{sizes[0]} positives, {sizes[1]} negatives and an AUC of {level:.3g} leave no room "
            f"for a loss of {max(effects):g}"
        )
    level = min(level, 1 - 0.5 / (sizes[0] * sizes[1]))  # a perfect one is half a pair short of it
    shift = np.sqrt(2) * special.ndtri(np.append(level, level - np.asarray(effects)))
    correlations = [
        binormal_correlation(candidate[target == label], champion[target == label])
        for label in (1, 0)
    ]
    labels = np.repeat([1, 0], sizes)
    shared = np.repeat(correlations, sizes)
    caught = np.zeros((simulations, len(effects)), dtype=bool)
    for i, random in enumerate(np.random.default_rng(seed).spawn(simulations)):
        other, own = random.normal(size=(2, len(labels)))
        own = shared * other + np.sqrt(1 - shared**2) * own
        for j, lower in enumerate(shift[1:]):
            better, worse = other + shift[0] * labels, own + lower * labels
            found = roc.roc_auc_difference(labels, worse, better, confidence)
            caught[i, j] = judge(found, 0.0, "above") == "fail"
    return power_rows(effects, caught)


def power_rows(effects: Sequence[float], caught: np.ndarray) -> list[dict[str, Any]]:
    """Return each effect and how often it was caught, with Wilson's interval.

    Args:
        effects: Their sizes.
        caught: Whether each was caught in each simulation, shape (simulations, effects).
    """
    return [
        {
            "effect": float(effect),
            "caught": estimates.proportion(int(hits.sum()), len(hits), CONFIDENCE).to_json(),
        }
        for effect, hits in zip(effects, caught.T, strict=True)
    ]


def detectable(rows: Sequence[dict[str, Any]], wanted: float = 0.8) -> float | None:
    """Return the smallest effect that is caught with probability `wanted`; None if none is.

    Interpolated linearly between the first effect that is caught so often and the one before.
    Where the smallest one tried is caught so often already, it is that: what is found is at most
    so much.
    """
    tried = sorted((row["effect"], row["caught"]["value"]) for row in rows)
    for i, (effect, power) in enumerate(tried):
        if power >= wanted:
            before = tried[max(i - 1, 0)]
            return float(np.interp(wanted, [before[1], power], [before[0], effect]))
    return None


def binormal_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return how two normal scores correlate whose ranks correlate as those given (Pearson 1907).

    From ranks, as the AUC is: a correlation of normal scores hangs on the tails, and states a
    tenth more error of the difference than DeLong finds on the demonstration's holdout. Equal
    scores share their mean rank. Scores that are all equal correlate with nothing: 0.
    """
    if min(np.ptp(first), np.ptp(second)) == 0:
        return 0.0
    spearman = float(np.corrcoef(pd.DataFrame([first, second]).rank(axis=1).to_numpy())[0, 1])
    return float(2 * np.sin(np.pi / 6 * np.clip(spearman, -1, 1)))  # rounding may go beyond
