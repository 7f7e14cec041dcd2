"""What the user asks for, and what of it the data can't give."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.core.profiling.columns import Column, is_whole

FEWEST_KEYS = 10


@dataclass(frozen=True)
class Wishes:
    """What the user asks for.

    Attributes:
        target: The column to predict.
        positive: Its positive class; None to choose.
        sensitive: Columns of whom to treat fairly.
        time: When a row is of; None to look for it, unless `no_time`.
        no_time: Rows have no time, whatever columns say.
        key: Whom a row is about, where several are about one.
        drop: Columns that must not be features.
    """

    target: str
    positive: str | None = None
    sensitive: tuple[str, ...] = ()
    time: str | None = None
    no_time: bool = False
    key: str | None = None
    drop: tuple[str, ...] = ()


def unknown(wishes: Wishes, names: Sequence[str]) -> list[str]:
    """Return what is asked for and not there, each with what there is."""
    asked = [("--target", wishes.target), ("--time", wishes.time), ("--key", wishes.key)]
    asked += [("--sensitive", name) for name in wishes.sensitive]
    asked += [("--drop", name) for name in wishes.drop]
    faults = []
    for option, name in asked:
        if name is None or name in names:
            continue
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        some = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        meant = f"did you mean {' or '.join(near)}?" if near else f"there are: {some}"
        faults.append(f"{option} {name}: no such column; {meant}")
    for option, wished in (("--sensitive", wishes.sensitive), ("--time", (wishes.time,))):
        if wishes.target in wished:
            faults.append(f"{option} {wishes.target}: that is the target")
    if wishes.target in (wishes.key, *wishes.drop):
        faults.append(f"--key or --drop {wishes.target}: that is the target")
    return faults


def required(
    columns: Mapping[str, Column], wishes: Wishes, place: Callable[[int], str]
) -> list[str]:
    """Return what is wrong with time and key: every row needs a value."""
    faults = []
    for option, name in (("--time", wishes.time), ("--key", wishes.key)):
        if name is None:
            continue
        column = columns[name]
        cells = column.cells
        missing = cells.isna().to_numpy()
        if missing.any():
            rows = ", ".join(place(int(row)) for row in np.flatnonzero(missing)[:5])
            more = "…" if missing.sum() > 5 else ""
            what = "no date that can be read" if option == "--time" else "no value"
            faults.append(
                f"{option} {name}: {what} in {int(missing.sum()):,} of {len(missing):,} rows "
                f"({rows}{more}); complete them, or leave {option} out"
            )
        elif option == "--time":
            faults += _no_time(column, cells)
        elif (distinct := cells.nunique()) < FEWEST_KEYS:
            faults.append(f"--key {name}: only {distinct} values; rows can't be held out by it")
    return faults


def _no_time(column: Column, cells: pd.Series) -> list[str]:
    name = column.name
    if column.kind == "date":
        if any("other way round" in said for said in column.said):
            text = "; ".join(column.said)
            return [f"--time {name}: {text}; write dates as YYYY-MM-DD, so that order is sure"]
        return []
    if column.kind == "number" and is_whole(cells):
        return []
    some = ", ".join(map(str, cells.dropna().unique()[:3]))
    return [f"--time {name}: neither dates nor whole numbers ({some}); write them as YYYY-MM-DD"]
