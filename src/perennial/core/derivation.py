"""What each row of a batch says alone: derived features, target and groups. Needs no other row, so
it is computed once a batch, here or on another machine."""

import numpy as np
import pandas as pd

from perennial.core.dataset import features, labels
from perennial.errors import InputError
from perennial.params import Features, Sensitive, Target


def derive(
    raw: pd.DataFrame,
    period: str,
    target: Target,
    sensitive: dict[str, Sensitive],
    settings: Features,
    key: str | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the derived features of a batch's rows, shape (rows, features), and its rows: period,
    number in the batch, target, groups and, with one, the key.

    Raises:
        InputError: a column is missing, or the target is not binary.
    """
    rows = pd.DataFrame({"period": period, "row": np.arange(len(raw))}, index=raw.index)
    rows["target"] = labels.binary(raw, target, period)
    rows[list(sensitive)] = features.groups(raw, sensitive)
    if key is not None:
        if key not in raw:
            raise InputError(
                f"{period}: column {key}: missing, and it is split.key",
                "Add the column to the batch, or name another in params.yaml.",
            )
        rows["key"] = features.text_of(raw[key])
    return features.derive(raw, settings.columns), rows
