"""Concept drift: whether the champion's errors change over labelled rows, in order of arrival."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Change:
    """A change of the mean error.

    Attributes:
        found: Number of the row at which it was noticed, from 0.
        start: Number of the row at which it most likely began.
        before: Mean error of the rows before `start`, since the last change.
        after: Mean error from `start` up to `found`.
    """

    found: int
    start: int
    before: float
    after: float

    @property
    def harmful(self) -> bool:
        """Whether the errors went up."""
        return self.after > self.before

    def to_json(self) -> dict[str, Any]:
        """Return the change as JSON values."""
        return {**asdict(self), "harmful": self.harmful}


def changes(errors: np.ndarray, delta: float) -> list[Change]:
    """Return where the mean error changes, by adaptive windowing (ADWIN; Bifet and Gavaldà 2007).

    A change is found when two parts of the window of the last rows have means that differ by more
    than chance allows. The detector then starts anew. When it began is estimated by itself: the
    detector knows that only roughly.

    Args:
        errors: Of one row each, 0 to 1, in order of arrival, shape (rows,): (probability -
            target)², or whether the decision was wrong. A log loss has no upper bound.
        delta: How likely a cut may be at one check, if nothing changed.

    Raises:
        ValueError: an error is missing, below 0 or above 1.
    """
    if not ((errors >= 0) & (errors <= 1)).all():
        raise ValueError("adaptive windowing needs errors of 0 to 1")
    from river.drift import ADWIN  # a second to import

    window, found, first = ADWIN(delta=delta), [], 0
    for row, error in enumerate(errors.tolist()):
        window.update(error)
        if window.drift_detected:
            start = first + _split(errors[first : row + 1])
            before, after = errors[first:start], errors[start : row + 1]
            found.append(Change(row, start, float(before.mean()), float(after.mean())))
            first = start
    return found


def _split(errors: np.ndarray) -> int:
    """Return where a single change of the mean most likely is (Hinkley 1970): the two parts' means
    differ the most, in standard errors. No part is empty."""
    n, size = len(errors), np.arange(1, len(errors))
    apart = np.cumsum(errors)[:-1] - size * errors.mean()
    return int(np.argmax(np.abs(apart) / np.sqrt(size * (n - size)))) + 1
