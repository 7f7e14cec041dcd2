"""Columns that came, went or changed their kind: facts, which no test of values shows.

They decide nothing by themselves. What the contract asks of a column is validation's to judge, and
a batch that breaks it never gets here; what the contract leaves open is reported.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kinds = Mapping[str, str]  # a batch's columns, each with its kind: number, text, boolean, time, …


@dataclass(frozen=True)
class Change:
    """What is different about one column.

    Attributes:
        column: Its name in the batches.
        change: `new`: in no batch of the reference; `vanished`: in no newer one; `in part`: not in
            all newer ones, or not in all of the reference; `kind`: of another kind.
        reference: Its kinds in the reference, in order of the alphabet.
        newest: Its kinds in the newer batches.
        used: Whether a feature or a sensitive attribute comes from it.
    """

    column: str
    change: Literal["new", "vanished", "in part", "kind"]
    reference: Sequence[str]
    newest: Sequence[str]
    used: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def changes(
    reference: Sequence[Kinds], newest: Sequence[Kinds], used: Collection[str]
) -> list[Change]:
    """Return the columns that differ, those that are used first, in order of the alphabet.

    Args:
        reference: Of each batch that the champion was checked on.
        newest: Of each batch that is compared.
        used: The columns that something comes from.
    """
    found = []
    for column in sorted({name for batch in (*reference, *newest) for name in batch}):
        before, after = (
            sorted({batch[column] for batch in side if column in batch})
            for side in (reference, newest)
        )
        change: Literal["new", "vanished", "in part", "kind"]
        if not before:
            change = "new"
        elif not after:
            change = "vanished"
        elif before != after:
            change = "kind"
        elif len({column in batch for batch in (*reference, *newest)}) > 1:
            change = "in part"
        else:
            continue
        found.append(Change(column, change, before, after, column in used))
    return sorted(found, key=lambda one: not one.used)
