"""Dates written as text, in one format or several, or as whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d-%m-%y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
OTHERS: tuple[str, ...] = (
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%y",
)
OTHERS += ("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d.%m.%y", "%Y-%m", "%b %Y", "%Y%m%d")
TIMES = (" %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
ISO = "ISO 8601"
MOSTLY = 0.95
FEW_WORDS = 5
LOOKED_AT = 200


@dataclass(frozen=True)
class Dates:
    """A column read as dates.

    Attributes:
        cells: datetime64[us] in UTC without a zone, shape (levels,).
        formats: As they were written, most frequent first.
        ambiguous: Whether day and month may as well be the other way round.
        words: Values that are no dates and became missing.
    """

    cells: pd.Series
    formats: tuple[str, ...]
    ambiguous: bool
    words: tuple[str, ...]


def dates(levels: pd.Series) -> Dates | None:
    """Return distinct texts as dates, or None where they are something else.

    Each is read by the first format that fits it, the most frequent one first. Day and month are
    told apart by the values that leave no choice.
    """
    if levels.empty:
        return None
    some = levels.iloc[:: max(1, len(levels) // LOOKED_AT)]
    if some.str.contains(r"\d").mean() < MOSTLY or _read(some)[0].notna().mean() < 0.9:
        return None
    found, formats, ambiguous = _read(levels)
    unread = found.isna()
    if unread.sum() > FEW_WORDS or unread.mean() > 1 - MOSTLY:
        return None
    return Dates(found, formats, ambiguous, tuple(sorted(levels[unread])))


def by_formats(levels: pd.Series, formats: Sequence[str]) -> pd.Series:
    """Return distinct texts as dates, each by the first of these formats that reads it, missing
    where none does; shape (levels,)."""
    found = pd.Series(pd.NaT, index=levels.index, dtype="datetime64[us]")
    for form in formats:
        found = found.fillna(_parsed(levels, "ISO8601" if form == ISO else form))
    return found


def of_numbers(values: pd.Series) -> tuple[pd.Series, str] | None:
    """Return whole numbers as dates (20240131, or seconds since 1970), and how; else None."""
    there = values.dropna()
    if there.empty:
        return None
    low, high = float(there.min()), float(there.max())
    if low >= 19000101 and high <= 21001231 and not (there % 1 != 0).any():
        text = there.astype("int64").astype("str")
        read: pd.Series = pd.to_datetime(text, format="%Y%m%d", errors="coerce")
        if read.notna().all():
            return read.astype("datetime64[us]").reindex(values.index), "%Y%m%d"
    return None


def _read(levels: pd.Series) -> tuple[pd.Series, tuple[str, ...], bool]:
    found = pd.Series(pd.NaT, index=levels.index, dtype="datetime64[us]")
    formats: list[tuple[int, str]] = []
    ambiguous = False
    iso = _parsed(levels, "ISO8601")
    if iso.notna().any():
        found, formats = iso, [(int(iso.notna().sum()), ISO)]
    left = levels[found.isna()]
    for name, parsed, both in _candidates(left):
        new = parsed[found.reindex(parsed.index).isna() & parsed.notna()]
        if len(new):
            found.loc[new.index] = new
            formats.append((len(new), name))
            ambiguous |= both
        if found.notna().all():
            break
    return found, tuple(name for _, name in sorted(formats, key=lambda f: (-f[0], f[1]))), ambiguous


def _candidates(levels: pd.Series) -> "list[tuple[str, pd.Series, bool]]":
    """Return what each format makes of texts, those that read most first, and whether the other
    order of day and month reads as much."""
    if levels.empty:
        return []
    some = levels.iloc[:: max(1, len(levels) // LOOKED_AT)]
    every = (*OTHERS, *DAY_FIRST, *MONTH_FIRST)
    wanted = [
        day + time
        for day in every
        for time in ("", *TIMES)
        if _parsed(some, day + time).notna().any()
    ]
    read = {name: _parsed(levels, name) for name in wanted}
    counts = {name: int(parsed.notna().sum()) for name, parsed in read.items()}
    twins = dict(zip(DAY_FIRST + MONTH_FIRST, MONTH_FIRST + DAY_FIRST, strict=True))
    order = sorted(wanted, key=lambda name: (-counts[name], wanted.index(name)))
    found = []
    for name in order:
        day = next((known for known in twins if name.startswith(known)), None)
        twin = twins[day] + name.removeprefix(day) if day else None
        found.append((name, read[name], twin is not None and counts.get(twin, 0) == counts[name]))
    return found


def _parsed(levels: "pd.Series[str]", form: str) -> pd.Series:
    read: pd.Series = pd.to_datetime(levels, format=form, errors="coerce", utc=True)
    return read.dt.tz_localize(None).astype("datetime64[us]")


def plausible(values: pd.Series) -> bool:
    """Say whether dates are dates at all: between 1800 and 2200, all but a few."""
    there = values.dropna()
    years = there.dt.year.to_numpy()
    return len(there) > 0 and bool(np.mean((years >= 1800) & (years <= 2200)) >= MOSTLY)
