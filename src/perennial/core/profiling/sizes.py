"""How many rows calibrate and are held out, and what of it can't be had."""

import math
from dataclasses import dataclass

ROWS = 1000  # an AUC of 0.75 is then known to about 0.02 either way
RARER = 100  # rows of the rarer class: a rate among them is known to about a tenth either way
CAP = 0.2  # of all rows at most, for each of the two parts
HOLDOUT_SHARE, CALIBRATION_SHARE = 0.2, 0.1
LARGEST_HOLDOUT, LARGEST_CALIBRATION = 20_000, 10_000


@dataclass(frozen=True)
class Sizes:
    """Rows of each part.

    Attributes:
        rows: All.
        calibration: At least so many calibrate.
        holdout: At least so many are held out.
        enough: What it takes to tell: so many rows, with `RARER` of the rarer class.
    """

    rows: int
    calibration: int
    holdout: int
    enough: int

    @property
    def train(self) -> int:
        """The rows that are left to train on."""
        return self.rows - self.calibration - self.holdout

    @property
    def short(self) -> bool:
        """Whether fewer are held out than it takes."""
        return self.holdout < self.enough


def choose(rows: int, rate: float) -> Sizes:
    """Return the sizes of the parts: what it takes to tell, but at most a fifth for each.

    Args:
        rows: All.
        rate: The share of positives.
    """
    enough = max(ROWS, math.ceil(RARER / min(rate, 1 - rate)))
    cap = int(rows * CAP)
    holdout = min(cap, max(enough, min(int(rows * HOLDOUT_SHARE), LARGEST_HOLDOUT)))
    calibration = min(cap, max(enough, min(int(rows * CALIBRATION_SHARE), LARGEST_CALIBRATION)))
    return Sizes(rows, max(1, calibration), max(1, holdout), enough)


def rare_below(train_rows: int) -> int:
    """Return below how many rows a level is rare: 50, or one in 500 of few rows, at least 10."""
    return min(50, max(10, train_rows // 500))
