"""The profile of a user's table: every column's part in the project, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from perennial.core.profiling import periods as cutting
from perennial.core.profiling import roles, sizes, suspects, target, times, wished
from perennial.core.profiling.columns import Column, with_cells
from perennial.core.profiling.periods import Periods
from perennial.core.profiling.roles import Chosen, Group
from perennial.core.profiling.sizes import Sizes
from perennial.core.profiling.target import Classes
from perennial.core.profiling.times import When
from perennial.core.profiling.wished import Wishes

FEWEST_ROWS = 100
FEWEST_OF_A_CLASS = 20


@dataclass(frozen=True)
class Profile:
    """What was found and what was chosen.

    Attributes:
        columns: All that batches have, the target among them, in the user's order.
        target: The target's name.
        classes: Its classes.
        periods: Each row's period; None for one batch.
        time: The column that says when a row is of; None where files do, or nothing.
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
    time: str | None
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
    faults += wished.required(by_name, wishes, place)
    faults += roles.faults(by_name, wishes.sensitive)
    if faults or isinstance(found, list):
        return faults
    positive = (found.cells == found.positive).to_numpy().astype("int64")
    wanted = sizes.choose(len(positive), found.rate)
    when = times.find(by_name, wishes, named, positive, wanted)
    return _roles(columns, wishes, found, when, wanted)


def _few(found: Classes) -> list[str]:
    rows = len(found.cells)
    rarer = round(min(found.rate, 1 - found.rate) * rows)
    if rows >= FEWEST_ROWS and rarer >= FEWEST_OF_A_CLASS:
        return []
    return [
        f"{rows:,} rows, {rarer:,} of them of the rarer class: to train, calibrate and judge takes "
        f"at least {FEWEST_ROWS} rows and {FEWEST_OF_A_CLASS} of each class; add rows"
    ]


def _roles(
    columns: Sequence[Column], wishes: Wishes, classes: Classes, when: When, wanted: Sizes
) -> Profile:
    by_time = when.periods is not None and when.periods.split
    kind = "group" if wishes.key else "time" if by_time else "stratified"
    positive = (classes.cells == classes.positive).to_numpy().astype("int64")
    train = np.ones(len(positive), dtype=bool)
    if kind == "time" and when.periods is not None:
        train = cutting.part_of(when.periods.names, wanted) == "train"
    rare = sizes.rare_below(int(train.sum()) if kind == "time" else wanted.train)
    time = when.column
    dropped = roles.said_by_the_user(wishes.drop, time, wishes.key)
    usable: list[Column] = []
    for column in columns:
        if column.name == wishes.target or column.name in dropped:
            continue
        if (why := suspects.useless(column, rare, train)) is not None:
            dropped[column.name] = why
        else:
            usable.append(column)
    alone = suspects.alone(usable, positive, np.flatnonzero(train))
    leaks = [name for name, auc in alone.items() if auc > suspects.LEAK]
    if len(leaks) == len(usable):  # nothing would be left
        leaks = []
    for name in leaks:
        dropped[name] = (
            f"tells the target alone with a ROC AUC of {alone[name]:.3f} or more: most likely "
            "known only with the answer"
        )
    rest = [column for column in usable if column.name not in leaks]
    for name, other in suspects.same(rest, len(positive)).items():
        if name not in wishes.sensitive:
            dropped[name] = f"says what {other} says"
    rest = [column for column in rest if column.name not in dropped]
    forbidden = [n for n in (*wishes.drop, *leaks, time, wishes.key) if n is not None]
    return Profile(
        columns=tuple(_typed(column, classes, wishes.target) for column in columns),
        target=wishes.target,
        classes=classes,
        periods=when.periods,
        time=time,
        kind=kind,
        key=wishes.key,
        sizes=wanted,
        features=roles.features(rest, alone),
        dropped=dropped,
        forbidden=tuple(dict.fromkeys(forbidden)),
        groups=roles.groups({c.name: c for c in columns}, wishes.sensitive),
        rare_below=rare,
        alone=alone,
        look=(*when.said, *roles.look(columns, wishes.key, dropped, leaks, wanted)),
    )


def _typed(column: Column, classes: Classes, target: str) -> Column:
    """Return a column as batches have it."""
    if column.name == target:
        return with_cells(column.name, column.kind, classes.cells, column.said)
    return column
