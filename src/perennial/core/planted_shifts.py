"""Changes planted in a window of rows, by size and by the share of rows that they are in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Change = Callable[[pd.DataFrame, np.ndarray, np.random.Generator], tuple[pd.DataFrame, np.ndarray]]
SPARE = 1.15  # so many times the rows of a class that are needed are drawn, as draws vary
SHARES = (0.05, 0.1, 0.3)


@dataclass(frozen=True)
class Planted:
    """A change planted in a window.

    Attributes:
        kind: In words.
        size: In standard deviations for a moved number, in shares for all else.
        share: Of the rows that may be affected.
        column: Of what.
        change: From raw rows, target and a generator to those changed.
        drawn: So many times the window's rows are drawn for it: it leaves some out.
    """

    kind: str
    size: float
    share: float
    column: str
    change: Change
    drawn: float = 1.0


def plants(
    raw: pd.DataFrame, target: np.ndarray, numbers: Sequence[str], categories: Sequence[str]
) -> list[Planted]:
    """Return the changes to plant; those that the columns allow.

    Args:
        raw: The pool's raw rows.
        target: 0 or 1, shape (rows,), both present.
        numbers: Raw columns of numbers; the first is moved.
        categories: Raw columns of categories; the first is changed.
    """
    found: list[Planted] = []
    for column in numbers[:1]:
        found += [
            Planted(
                "number moved", size, share, column, _moved(column, _by(raw[column], size), share)
            )
            for size in (0.25, 0.5, 1.0)
            for share in (0.1, 0.3, 1.0)
        ]
    pair = tied(raw, numbers, categories)
    if pair is not None:
        words = " and ".join(pair)
        found.append(Planted("features decoupled", 1.0, 1.0, words, _shuffled(pair[0])))
    for column in categories[:1]:
        common = raw[column].mode().iloc[0]
        for kind, value in (
            ("level more frequent", common),
            ("new level", "(never seen)"),
            ("value missing", None),
        ):
            found += [
                Planted(kind, share, share, column, _replaced(column, value, share))
                for share in ((0.1, 0.3, 0.5) if value == common else SHARES)
            ]
    found += [_resampled(by, float(target.mean())) for by in (0.1, 0.2, 0.3)]
    found += [
        Planted("labels flipped", share, share, "(target)", _flipped(share))
        for share in (0.05, 0.1, 0.2)
    ]
    for column in categories[:1]:
        common = raw[column].mode().iloc[0]
        group = f"{column} = {common}"
        found += [
            Planted("labels flipped", share, share, group, _flipped(share, column, common))
            for share in (0.25, 0.5)
        ]
    return found


def tied(
    raw: pd.DataFrame, numbers: Sequence[str], categories: Sequence[str]
) -> tuple[str, str] | None:
    """Return the number and the category that go together most, by the correlation ratio (Pearson
    1905) of the number's ranks; None without such a pair."""
    found: dict[tuple[str, str], float] = {}
    for number in numbers:
        rank = pd.to_numeric(raw[number], errors="coerce").rank(na_option="top")
        total = float(rank.var(ddof=0))
        for category in categories:
            if total > 0 and category != number:
                means = rank.groupby(raw[category].astype(object), dropna=False).transform("mean")
                found[number, category] = float(means.var(ddof=0)) / total
    return max(found, key=lambda pair: found[pair]) if found else None


def _by(values: pd.Series, size: float) -> float:
    """Return so many standard deviations; whole if all values are, or fractions give it away."""
    numbers = pd.to_numeric(values, errors="coerce").dropna()
    by = size * float(numbers.std())
    return max(1.0, round(by)) if (numbers % 1 == 0).all() else by


def _some(rows: int, share: float, random: np.random.Generator) -> np.ndarray:
    return random.random(rows) < share


def _moved(column: str, by: float, share: float) -> Change:
    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        moved = raw[column].astype("float64") + by * _some(len(raw), share, random)
        return raw.assign(**{column: moved}), target

    return change


def _shuffled(column: str) -> Change:
    """Leave a column's values as they are, but not the rows they are in."""

    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        return raw.assign(**{column: raw[column].to_numpy()[random.permutation(len(raw))]}), target

    return change


def _replaced(column: str, value: Any, share: float) -> Change:
    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        kept = raw[column].astype(object)
        return raw.assign(**{column: kept.mask(_some(len(raw), share, random), value)}), target

    return change


def _resampled(by: float, rate: float) -> Planted:
    """Leave rows of one class out, so that the rate of positives moves by so much.

    Towards the middle, and no row twice: the domain classifier would know a copy again.
    """
    wanted = rate + (by if rate < 0.5 else -by)
    drawn = SPARE * max(wanted / rate, (1 - wanted) / (1 - rate))

    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        rows = round(len(raw) / drawn)
        order = random.permutation(len(raw))
        positives, negatives = order[target[order] == 1], order[target[order] == 0]
        chosen = np.concatenate(
            [positives[: round(rows * wanted)], negatives[: rows - round(rows * wanted)]]
        )
        chosen = random.permutation(chosen)
        return raw.iloc[chosen].reset_index(drop=True), target[chosen]

    return Planted("rate of positives", by, 1.0, "(target)", change, drawn)


def _flipped(share: float, column: str | None = None, level: Any = None) -> Change:
    """Turn the labels of a share of rows, of one group or of all: the relation itself changes."""

    def change(raw: pd.DataFrame, target: np.ndarray, random: np.random.Generator) -> Any:
        chosen = _some(len(raw), share, random)
        if column is not None:
            chosen &= (raw[column] == level).to_numpy()
        return raw, np.where(chosen, 1 - target, target)

    return change
