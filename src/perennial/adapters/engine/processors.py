"""How many processes work at once on this machine, and with how many threads each.

The number is a property of the machine, not of the result, so it is no parameter: the environment
variable PERENNIAL_WORKERS sets it, and all processors are used without it.
"""

import os

from perennial.errors import InputError


def count() -> int:
    """Return how many workers there are to be.

    Raises:
        InputError: PERENNIAL_WORKERS is no positive number.
    """
    wanted = os.environ.get("PERENNIAL_WORKERS")
    if wanted is None:
        return len(os.sched_getaffinity(0))
    if not wanted.isdigit() or int(wanted) < 1:
        raise InputError(
            f"PERENNIAL_WORKERS is {wanted!r}, not a number from 1 on",
            "Set it to how many processes may fit at once, or unset it.",
        )
    return int(wanted)


def threads_of(workers: int) -> int:
    """Return how many threads each of so many workers has, the processors shared out."""
    return max(1, len(os.sched_getaffinity(0)) // workers)
