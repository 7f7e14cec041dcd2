"""Power of the gates with a threshold: what lies how far beyond it is proven to lie beyond it.

As in core.proof.power, effects of known size are planted in data shaped like the user's holdout.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from perennial.core import fairness
from perennial.core.gates.result import judge
from perennial.core.proof.power import power_rows
from perennial.core.statistics import estimates, metrics


def fairness_power(
    counted: fairness.Counted,
    rate: str,
    min_group: int,
    threshold: float,
    confidence: float,
    effects: Sequence[float],
    simulations: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return how often a true difference between the largest and the smallest group fails.

    Groups are as large as observed and all have the common rate, but for these two: half of the
    effect above it and half below, as far as rates of 0..1 allow. The smallest group has the
    lower rate: it is the one that mostly is worse off, and the hardest to prove it of.

    Args:
        counted: As core.fairness.counts returns it.
        rate: Which rate.
        min_group: Groups with fewer rows that the rate is about are left out, as the gate does.
        threshold: The gate's.
        confidence: Of the gate's interval, for all pairs of groups together.
        effects: True differences, 0..1.
        simulations: How many holdouts are drawn.
        seed: Of the draws.

    Returns:
        One row for each effect; none with fewer than two groups, where the gate can't decide.
    """
    able = {name: rates[rate] for name, rates in counted.items() if rates[rate][1] >= min_group}
    ordered = sorted(able, key=lambda name: (able[name][1], name))
    if len(ordered) < 2:
        return []
    sizes = [able[name][1] for name in ordered]
    common = sum(able[name][0] for name in ordered) / sum(sizes)
    caught = np.zeros((simulations, len(effects)), dtype=bool)
    for i, random in enumerate(np.random.default_rng(seed).spawn(simulations)):
        uniform = [random.random(n) for n in sizes]
        for j, effect in enumerate(effects):
            middle = float(np.clip(common, effect / 2, 1 - effect / 2))
            true = [middle - effect / 2, *[common] * (len(sizes) - 2), middle + effect / 2]
            drawn = {
                name: {rate: (int((u < p).sum()), len(u))}
                for name, u, p in zip(ordered, uniform, true, strict=True)
            }
            found = fairness.largest_difference(drawn, rate, min_group, confidence)
            caught[i, j] = found is not None and judge(found[0], threshold, "below") == "fail"
    return power_rows(effects, caught)


def calibration_power(
    probability: np.ndarray,
    threshold: float,
    bins: int,
    confidence: float,
    replicates: int,
    effects: Sequence[float],
    simulations: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return how often probabilities with a true calibration error fail.

    Outcomes are drawn with the candidate's own probabilities as the truth. What is stated is these
    with their log odds moved alike, away from 0 or 1 whichever is nearer on the whole, until the
    true ECE, mean |stated - true|, is the effect: as when the base rate moved after training.
    Overconfidence of the same ECE is caught sooner: on the demonstration's holdout, 0.146 of it
    four times in five, against 0.160.

    The bootstrap is statistics.estimates.bootstrap's, with its draws made once and not for each
    simulation: they are the same ones anyway, and cost more than all else. So `replicates` can be
    the gate's: with too few of them the bounds are too narrow and the power is overstated. 100
    simulations of ten effects take some ten seconds for 1,000 rows and 2,000 replicates, and in
    proportion to each.

    Args:
        probability: The candidate's on the holdout, shape (rows,).
        threshold: The gate's.
        bins: Equal-mass bins of the ECE.
        confidence: Of the gate's interval.
        replicates: Of the bootstrap.
        effects: True ECEs, each over 0 and under 0.5.
        simulations: How many holdouts are drawn.
        seed: Of the holdouts and of the bootstrap.
    """
    rows = len(probability)
    random = np.random.default_rng(seed)
    outcomes = (random.random((simulations, rows)) < probability).astype("int8")
    stated = [overstated(probability, effect) for effect in effects]
    found = np.empty((simulations, len(effects), replicates))
    block = max(1, min(replicates, 20_000_000 // rows))  # bounds memory, as the bootstrap does
    for start in range(0, replicates, block):
        stop = min(start + block, replicates)
        weights = estimates.resampling_weights(rows, stop - start, seed + start)
        for i, target in enumerate(outcomes):
            for j, each in enumerate(stated):
                found[i, j, start:stop] = metrics.calibration_error(target, each, bins)(weights)
    low = np.nanquantile(found, (1 - confidence) / 2, axis=2)
    return power_rows(effects, low > threshold)


def overstated(probability: np.ndarray, effect: float) -> np.ndarray:
    """Return probabilities whose log odds are all moved so far that they move by `effect` on mean.

    Solved by bisection.

    Raises:
        ValueError: For an effect that is not within 0 and 0.5: no shift need reach it.
    """
    if not 0 <= effect < 0.5:
        raise ValueError(f"a true ECE of {effect:g} is not within 0 and 0.5")
    odds = special.logit(np.clip(probability, 1e-9, 1 - 1e-9))
    mean = float(special.expit(odds).mean())
    sign = 1 if mean <= 0.5 else -1  # to where there is room
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        if abs(float(special.expit(odds + sign * middle).mean()) - mean) < effect:
            low = middle
        else:
            high = middle
    return special.expit(odds + sign * high)
