"""Periods: how rows with a time are cut into batches, so that there is enough to hold out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.core.profiling.sizes import Sizes

ALIASES = {"month": "M", "week": "W", "quarter": "Q", "day": "D", "year": "Y", "hour": "h"}
FEWEST, MOST = 5, 200  # batches: fewer are no history, more are files without use
USUAL = 200  # rows of a middling batch: what drift is looked for in
LEFT = 0.5  # of the rows at least must be left to train on
BATCHES = 3  # to train on, to calibrate, to hold out


@dataclass(frozen=True)
class Periods:
    """Each row's period, and how that was chosen.

    Attributes:
        names: Shape (rows,), so that text order is the order of time.
        unit: What a period is.
        why: In words.
        split: Whether the last periods can be held out and enough is left to train on.
    """

    names: np.ndarray
    unit: str
    why: str
    split: bool


def cut(times: pd.Series, target: np.ndarray, wanted: Sizes) -> Periods:
    """Cut rows by time: the month, or what suits better.

    Args:
        times: Each row's time, shape (rows,); none missing.
        target: 1 where positive, shape (rows,).
        wanted: Rows to hold out, and to calibrate on.
    """
    scores = {unit: _score(named(times, unit), target, wanted) for unit in ALIASES}
    best = max(scores, key=lambda unit: scores[unit])  # the first of equal ones
    return _periods(named(times, best), best, wanted)  # again: names of all would be memory


def given(names: np.ndarray, unit: str, wanted: Sizes) -> Periods:
    """Return periods that the data themselves name, such as one a file."""
    return _periods(names, unit, wanted)


def of_numbers(values: pd.Series) -> np.ndarray:
    """Return whole numbers (years, months, weeks, versions) as names that sort as they do."""
    whole = values.astype("int64")
    shifted = whole - min(0, int(whole.min()))
    width = len(str(int(shifted.max())))
    codes, distinct = pd.factorize(shifted)
    return np.array([str(number).zfill(width) for number in distinct], dtype=object)[codes]


def places(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct periods, oldest first, and each row's place among them, shape (rows,).

    As `numpy.unique`, which would sort all rows' texts.
    """
    codes, distinct = pd.factorize(names)
    found, place = np.unique(distinct.astype(str), return_inverse=True)
    return found, place[codes]


def rows_of(names: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rows of each period by their places, oldest first.

    Args:
        names: Each row's period, shape (rows,).
    """
    found, place = places(names)
    order, sizes = np.argsort(place, kind="stable"), np.bincount(place)
    ends = np.cumsum(sizes)
    return {str(n): order[e - c : e] for n, e, c in zip(found, ends, sizes, strict=True)}


def part_of(names: np.ndarray, wanted: Sizes) -> np.ndarray:
    """Return each row's part under a split by time: train, calibration or holdout."""
    periods, place = places(names)
    sizes = np.bincount(place)
    part = np.full(len(periods), "train", dtype=object)
    end = len(periods)
    for name, rows in (("holdout", wanted.holdout), ("calibration", wanted.calibration)):
        total, start = 0, end
        while start > 0 and total < rows:
            start -= 1
            total += sizes[start]
        part[start:end] = name
        end = start
    return part[place]


def _periods(names: np.ndarray, unit: str, wanted: Sizes) -> Periods:
    sizes = pd.Series(names).value_counts()
    part = part_of(names, wanted)
    left = float((part == "train").mean())
    several = len(sizes) >= BATCHES
    able = several and left >= 0.2
    why = f"{len(sizes):,} batches, one a {unit}, of {sizes.min():,} to {sizes.max():,} rows; " + (
        f"{left:.0%} of the rows are left to train on"
        if able
        else "too few to hold out the last ones, so rows are held out at random"
    )
    return Periods(names, unit, why, able)


def _score(names: np.ndarray, target: np.ndarray, wanted: Sizes) -> tuple[float, ...]:
    """Return how good a cut is: enough to train on, a sensible number, both classes, size."""
    _, place = places(names)
    sizes = np.bincount(place)
    left = float((part_of(names, wanted) == "train").mean())
    positives = np.bincount(place, weights=target)
    both = bool(((positives > 0) & (positives < sizes)).all())
    return (
        len(sizes) >= BATCHES,
        min(left, LEFT),
        FEWEST <= len(sizes) <= MOST,
        both,
        float(np.median(sizes)) >= USUAL,
    )


def named(times: pd.Series, unit: str) -> np.ndarray:
    """Return the period that each time is in, as text that sorts as time does, shape (rows,)."""
    codes, _ = pd.factorize(times.dt.to_period(ALIASES[unit]))
    first = ~pd.Series(codes).duplicated().to_numpy()  # a time of each period, as these are counted
    return _text(times[first], unit)[codes]


def _text(times: pd.Series, unit: str) -> np.ndarray:
    if unit == "week":
        iso = times.dt.isocalendar()
        text = iso["year"].astype(str) + "-W" + iso["week"].astype(str).str.zfill(2)
    elif unit == "hour":
        text = times.dt.strftime("%Y-%m-%dT%H")
    elif unit == "quarter":
        text = times.dt.year.astype(str) + "-Q" + times.dt.quarter.astype(str)
    else:
        text = times.dt.to_period(ALIASES[unit]).astype(str)
    return text.to_numpy(dtype=object)
