"""From a choice to a plan: which batches train, calibrate and are held out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial import paths
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.parquet import batches
from perennial.core.dataset import labels
from perennial.core.dataset.plan import BatchRef
from perennial.core.monitoring.finding import Known, Read
from perennial.core.monitoring.planning import follow as follow_choice
from perennial.core.monitoring.policy import Choice
from perennial.params import Params, Target
from perennial.stages import incumbent

if TYPE_CHECKING:
    import pandas as pd


def reader(target: Target) -> Read:
    """Return a function that reads batches, by digest, with their labels where these are there."""

    def read(refs: Sequence[BatchRef]) -> "tuple[pd.DataFrame, np.ndarray | None]":
        import pandas as pd

        raw = batches.read_verified(refs, (paths.ACCEPTED, paths.BATCHES))
        whole = all(target.column in frame for frame in raw.values())
        rows = pd.concat(raw.values(), ignore_index=True)
        if not whole:
            return rows, None
        known = [labels.binary(frame, target, period) for period, frame in raw.items()]
        return rows, np.concatenate(known)

    return read


def follow(
    choice: Choice, champion: Champion, known: Known, read: Read, params: Params
) -> tuple[Mapping[str, Any], dict[str, Any] | None]:
    """Return the plan that a choice asks for, and how its history was chosen, if it was."""
    if choice.action == "keep":
        return champion.plan, None
    recipe = None if choice.action == "retune" else incumbent.load(champion).recipe
    return follow_choice(choice, known, recipe, read, params)
