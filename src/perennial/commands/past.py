"""The past: every batch with its labels, in memory, once in each process."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from perennial import paths
from perennial.adapters.parquet import batches
from perennial.core.dataset.plan import BatchRef
from perennial.params import Params, Target

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from perennial.core.monitoring.finding import Read


@dataclass(frozen=True)
class Past:
    """All batches, oldest first; those with labels; and a function that reads them."""

    accepted: Sequence[BatchRef]
    labelled: Sequence[BatchRef]
    read: "Read"

    def until(self, period: str) -> tuple[list[BatchRef], list[BatchRef]]:
        """Return what was accepted, and what was labelled, when a period had arrived."""
        accepted, labelled = (
            [ref for ref in refs if ref["period"] <= period]
            for refs in (self.accepted, self.labelled)
        )
        return accepted, labelled


def past(params: Params) -> Past:
    """Return the past of the project in this folder."""
    return _past(Path.cwd(), params.target, tuple(params.data.pii), params.split.key)


def found() -> list[batches.Batch]:
    """Return the accepted batches, and those later than all of them, which are still to come.

    So the replay does not end at `data.as_of`, and what was quarantined stays out of it.
    """
    whole = batches.find(paths.BATCHES)
    if not paths.ACCEPTED.is_dir():
        return whole
    accepted = batches.find(paths.ACCEPTED)
    return [*accepted, *(batch for batch in whole if batch.period > accepted[-1].period)]


@lru_cache(maxsize=1)
def _past(_folder: Path, target: Target, pii: tuple[str, ...], key: str | None) -> Past:
    import numpy as np
    import pandas as pd

    from perennial.core.dataset import labels
    from perennial.core.incoming import privacy

    refs, rows, known = [], {}, {}
    for batch in found():
        refs.append(batches.describe(batch))
        rows[batch.period] = batches.read(batch.path)
        if batch.path.parent == paths.BATCHES:  # not accepted yet
            rows[batch.period] = privacy.without(rows[batch.period], pii, key)
        if target.column in rows[batch.period]:
            known[batch.period] = labels.binary(rows[batch.period], target, batch.period)

    def read(wanted: Sequence[BatchRef]) -> "tuple[pd.DataFrame, np.ndarray | None]":
        periods = [ref["period"] for ref in wanted]
        raw = pd.concat([rows[period] for period in periods], ignore_index=True)
        if not all(period in known for period in periods):
            return raw, None
        return raw, np.concatenate([known[period] for period in periods])

    return Past(refs, [ref for ref in refs if ref["period"] in known], read)
