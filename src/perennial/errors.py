"""Errors that reach the user: what is wrong, where, and what to do. Each carries its exit code."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class PerennialError(Exception):
    """An error with a message for the user, a remedy and an exit code.

    Args:
        faults: One sentence a fault; all faults found, not the first.
        remedy: What the user can do about it.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, faults: str | Sequence[str], remedy: str) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        self.remedy = remedy
        super().__init__("\n".join([*self.faults, f"→ {remedy}"]))

    def __reduce__(self) -> tuple[type["PerennialError"], tuple[list[str], str]]:
        return type(self), (self.faults, self.remedy)  # one that a worker raised arrives here


class InputError(PerennialError):
    """The user's input or configuration is wrong (exit 2)."""

    exit_code = 2


class IntegrityError(PerennialError):
    """Bytes are not what their digest says, or are not to be had at all (exit 3)."""

    exit_code = 3


class UnreachableError(PerennialError):
    """A server, registry or engine can't be reached (exit 4)."""

    exit_code = 4


class BusyError(UnreachableError):
    """Another run is at work here (exit 4); it may be for minutes, so nobody waits for it."""


def for_each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function for each of the items; return the results.

    Raises:
        InputError: the function raised it for some; all their faults at once, each remedy once.
    """
    results: list[Result] = []
    faults: list[str] = []
    remedies: dict[str, None] = {}  # keeps their order
    for item in items:
        try:
            results.append(function(item))
        except InputError as error:
            faults += error.faults
            remedies[error.remedy] = None
    if faults:
        raise InputError(faults, " ".join(remedies))
    return results
