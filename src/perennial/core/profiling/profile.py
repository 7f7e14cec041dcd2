"""The profile of a user's table: every column's part in the project, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from perennial.core.features import text_of
from perennial.core.profiling import periods as cutting
from perennial.core.profiling import roles, sizes, suspects, target
from perennial.core.profiling.columns import Column, as_category
from perennial.core.profiling.periods import Periods
from perennial.core.profiling.roles import Chosen, Group
from perennial.core.profiling.sizes import Sizes
from perennial.core.profiling.target import Classes

FEWEST_ROWS = 100
FEWEST_OF_A_CLASS = 20
PART_OF_A_CLASS = 5


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


@dataclass(frozen=True)
class Profile:
    """What was found and what was chosen.

    Attributes:
        columns: All that batches have, the target among them, in the user's order.
        target: The target's name.
        classes: Its classes.
        periods: Each row's period; None for one batch.
        kind: How rows are held out.
        key: Whose rows stay together; None if nobody's.
        sizes: How many rows calibrate and are held out.
        features: By the feature's name.
        dropped: Columns that are no features, with the reason.
        forbidden: Those of them that must never be.
        groups: Sensitive attributes, by name.
        rare_below: Levels with fewer training rows are pooled.
        alone: The ROC AUC that columns alone reach, the lower bound.
        look: What a person should look at first.
    """

    columns: tuple[Column, ...]
    target: str
    classes: Classes
    periods: Periods | None
    kind: str
    key: str | None
    sizes: Sizes
    features: dict[str, Chosen]
    dropped: dict[str, str]
    forbidden: tuple[str, ...]
    groups: dict[str, Group]
    rare_below: int
    alone: dict[str, float]
    look: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.classes.cells)


def unknown(wishes: Wishes, names: Sequence[str]) -> list[str]:
    """Return what is asked for and not there, each with what there is."""
    import difflib

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


def profile(
    columns: Sequence[Column],
    wishes: Wishes,
    named: np.ndarray | None = None,
    place: Callable[[int], str] = lambda row: f"row {row + 1}",
) -> Profile | list[str]:
    """Return what a table is and what a project of it should choose; or all that is wrong.

    Args:
        columns: As recognised.
        wishes: What the user asks for; all columns it names are there.
        named: Each row's period as its file is called; None if files have no periods for names.
        place: Says where a row is, by its place.
    """
    by_name = {column.name: column for column in columns}
    faults: list[str] = []
    found = target.classes(by_name[wishes.target], wishes.positive)
    faults += found if isinstance(found, list) else _few(found)
    faults += _required(by_name, wishes, place)
    faults += roles.faults(by_name, wishes.sensitive)
    if faults or isinstance(found, list):
        return faults
    positive = (found.cells == found.positive).to_numpy().astype("int64")
    wanted = sizes.choose(len(positive), found.rate)
    cut, why = _periods(by_name, wishes, named, positive, wanted)
    kind = "group" if wishes.key else "time" if cut is not None and cut.split else "stratified"
    return _roles(columns, wishes, found, positive, cut, kind, wanted, why)


def _few(found: Classes) -> list[str]:
    rows = len(found.cells)
    rarer = round(min(found.rate, 1 - found.rate) * rows)
    if rows >= FEWEST_ROWS and rarer >= FEWEST_OF_A_CLASS:
        return []
    return [
        f"{rows:,} rows, {rarer:,} of them of the rarer class: to train, calibrate and judge takes "
        f"at least {FEWEST_ROWS} rows and {FEWEST_OF_A_CLASS} of each class; add rows"
    ]


def _required(columns: dict[str, Column], wishes: Wishes, place: Callable[[int], str]) -> list[str]:
    """Return what is wrong with time and key: every row needs a value."""
    faults = []
    for option, name in (("--time", wishes.time), ("--key", wishes.key)):
        if name is None:
            continue
        column = columns[name]
        missing = column.cells.isna().to_numpy()
        if missing.any():
            rows = ", ".join(place(int(row)) for row in np.flatnonzero(missing)[:5])
            more = "…" if missing.sum() > 5 else ""
            what = "no date that can be read" if option == "--time" else "no value"
            faults.append(
                f"{option} {name}: {what} in {int(missing.sum()):,} of {len(missing):,} rows "
                f"({rows}{more}); complete them, or leave {option} out"
            )
        elif option == "--time":
            faults += _no_time(column)
        elif column.cells.nunique() < 10:
            faults.append(
                f"--key {name}: only {column.cells.nunique()} values; rows can't be held out by it"
            )
    return faults


def _no_time(column: Column) -> list[str]:
    name = column.name
    if column.kind == "date":
        if any("other way round" in said for said in column.said):
            text = "; ".join(column.said)
            return [f"--time {name}: {text}; write dates as YYYY-MM-DD, so that order is sure"]
        return []
    if column.kind == "number" and not (column.cells % 1 != 0).any():
        return []
    some = ", ".join(map(str, column.cells.dropna().unique()[:3]))
    return [f"--time {name}: neither dates nor whole numbers ({some}); write them as YYYY-MM-DD"]


def _periods(
    columns: dict[str, Column],
    wishes: Wishes,
    named: np.ndarray | None,
    positive: np.ndarray,
    wanted: Sizes,
) -> tuple[Periods | None, list[str]]:
    """Return each row's period, and what to say of it."""
    rows = wanted.holdout
    if wishes.no_time:
        return None, []
    if wishes.time is None and named is not None:
        return _checked(cutting.given(named, "file", rows), positive, rows), []
    name, said = wishes.time, []
    if name is None:
        able = roles.times(columns, wishes.target, positive, rows)
        if len(able) != 1:
            several = f"{', '.join(able)} could each be the rows' time: say which with --time"
            return None, [several] if able else []
        name = able[0]
        said = [f"{name} is taken for the rows' time; --no-time if it isn't"]
    column = columns[name]
    if column.kind == "number":
        names = cutting.of_numbers(column.cells)
        return _checked(cutting.given(names, f"value of {name}", rows), positive, rows), said
    return _checked(cutting.cut(column.cells, positive, rows), positive, rows), said


def _checked(cut: Periods, positive: np.ndarray, wanted: int) -> Periods | None:
    """Return periods that can be split by time only if each part has both classes."""
    from dataclasses import replace

    if len(np.unique(cut.names.astype(str))) < 2:
        return None
    if not cut.split:
        return cut
    part = cutting.part_of(cut.names, wanted)
    for name in ("train", "calibration", "holdout"):
        own = positive[part == name]
        fewest = min(int(own.sum()), int(len(own) - own.sum())) if len(own) else 0
        if fewest < PART_OF_A_CLASS:
            why = f"{cut.why}; but too few of a class in the {name} rows, so rows are held out at "
            return replace(cut, split=False, why=f"{why}random")
    return cut


def _roles(
    columns: Sequence[Column],
    wishes: Wishes,
    classes: Classes,
    positive: np.ndarray,
    cut: Periods | None,
    kind: str,
    wanted: Sizes,
    look: list[str],
) -> Profile:
    train = np.ones(len(positive), dtype=bool)
    if kind == "time" and cut is not None:
        train = cutting.part_of(cut.names, wanted.holdout) == "train"
    rare = sizes.rare_below(int(train.sum()) if kind == "time" else wanted.train)
    time = None if wishes.no_time else wishes.time or _time_of(cut, columns, look)
    dropped = roles.said_by_the_user(wishes.drop, time, wishes.key)
    usable: list[Column] = []
    for column in columns:
        if column.name == wishes.target or column.name in dropped:
            continue
        if (why := suspects.useless(column, rare, train)) is not None:
            dropped[column.name] = why
        else:
            usable.append(column)
    some = [Column(c.name, c.kind, c.cells[train].reset_index(drop=True)) for c in usable]
    alone = suspects.alone(some, positive[train])
    leaks = [name for name, auc in alone.items() if auc > suspects.LEAK]
    if len(leaks) == len(usable):  # nothing would be left
        leaks = []
    for name in leaks:
        dropped[name] = (
            f"tells the target alone with a ROC AUC of {alone[name]:.3f} or more: most likely "
            "known only with the answer"
        )
    rest = [column for column in usable if column.name not in leaks]
    for name, other in suspects.same(rest).items():
        if name not in wishes.sensitive:
            dropped[name] = f"says what {other} says"
    rest = [column for column in rest if column.name not in dropped]
    forbidden = [n for n in (*wishes.drop, *leaks, time, wishes.key) if n is not None]
    return Profile(
        columns=tuple(_typed(column, classes, wishes) for column in columns),
        target=wishes.target,
        classes=classes,
        periods=cut,
        kind=kind,
        key=wishes.key,
        sizes=wanted,
        features=roles.features(rest, alone),
        dropped=dropped,
        forbidden=tuple(dict.fromkeys(forbidden)),
        groups=roles.groups({c.name: c for c in columns}, wishes.sensitive),
        rare_below=rare,
        alone=alone,
        look=(*look, *roles.look(columns, wishes.key, dropped, leaks, wanted)),
    )


def _time_of(cut: Periods | None, columns: Sequence[Column], look: list[str]) -> str | None:
    """Return the column that was taken for the time, if one was."""
    said = [
        line.split(" is taken for the rows' time")[0] for line in look if "is taken for" in line
    ]
    names = {column.name for column in columns}
    return said[0] if cut is not None and said and said[0] in names else None


def _typed(column: Column, classes: Classes, wishes: Wishes) -> Column:
    """Return a column as batches have it."""
    if column.name == wishes.target:
        return Column(column.name, column.kind, classes.cells, column.said)
    if column.name == wishes.key and column.kind == "number":
        return column
    return column


def keys(profile: Profile) -> pd.Series | None:
    """Return each row's key as text; None without one."""
    if profile.key is None:
        return None
    own = next(column for column in profile.columns if column.name == profile.key)
    return text_of(as_category(own).cells)
