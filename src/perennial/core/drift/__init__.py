"""Drift: has the newest data moved from what the champion was checked on, and does it do harm.

`comparison` judges all univariate tests together. `domain` sees what no single feature shows.
`label_shift` and `performance` say what it does to the champion, without labels and with them;
`concept` watches the labelled rows in their order.
"""

from perennial.core.drift.comparison import Comparison, compare
from perennial.core.drift.result import PREDICTION, Test

__all__ = ["PREDICTION", "Comparison", "Test", "compare"]
