"""Slices of the holdout: how they are cut, and the user's own."""

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

from pydantic import Field

from perennial.params.base import Finite, Group, Name

Wanted = Annotated[list[str | Finite | None], Field(min_length=1)]


class Slices(Group):
    """Where the candidate may be bad: searched over all features, and the user's own.

    A declared slice names its columns, each with the levels or the [low, high) that belong to it.
    """

    min_rows: Annotated[int, Field(ge=2)]  # one row alone has no spread
    bins: Annotated[int, Field(ge=2)]
    declared: dict[Name, dict[str, Wanted]]

    def faults(self, numbers: Collection[str], others: Collection[str]) -> Iterator[str]:
        """Yield what is wrong with declared slices beside the columns that there are.

        Args:
            numbers: Features that are numbers.
            others: Features that are categories, and sensitive attributes.
        """
        for name, columns in self.declared.items():
            for column, values in columns.items():
                key = f"evaluation.slices.declared.{name}.{column}"
                if column in numbers:
                    if wrong := _no_range(values):
                        yield f"{key}: a number needs [low, high), null for an open end; {wrong}"
                elif column not in others:
                    yield f"{key}: neither a feature nor among `sensitive`"


def _no_range(values: Sequence[str | float | None]) -> str | None:
    """Say why values are no [low, high); None if they are."""
    if len(values) != 2:
        return f"it has {len(values)} value" + "s" * (len(values) > 1)
    texts = [value for value in values if isinstance(value, str)]
    if texts:
        return f"{texts[0]!r} is text"
    low, high = (value for value in values if not isinstance(value, str))
    if low is None and high is None:
        return "both ends are open, which is every row"
    if low is not None and high is not None and low >= high:
        return f"{low:g} is not below {high:g}"
    return None
