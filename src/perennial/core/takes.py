"""Whether a model takes rows as they are delivered now: columns, types, and a real prediction."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from perennial.core.dataset.features import FeatureSpec, derive
from perennial.core.model.candidate import Candidate
from perennial.errors import InputError


def faults(model: Candidate, raw: pd.DataFrame) -> list[str]:
    """Return what keeps a model from scoring raw rows as it was trained to; all of it.

    A model takes almost anything without a word: text for a number is a missing value to it, and
    codes for names are levels it never saw. So types are compared with what it was fitted on, and
    a category of which not one level is known counts as another column of that name.
    """
    try:
        derived = derive(raw, model.spec.columns)
    except InputError as error:
        return error.faults
    found = [*_not_numbers(model.spec, raw), *_unknown(model.spec, derived)]
    if found:
        return found
    try:
        said = model.predict(raw)
    except (InputError, ValueError, TypeError, KeyError) as error:
        return [f"it can't predict these rows: {error}"]
    probability = said["probability"].to_numpy()
    sound = np.isfinite(probability) & (probability >= 0) & (probability <= 1)
    if len(said) != len(raw) or not sound.all():
        return [f"{len(raw) - int(sound.sum()):,} of {len(raw):,} rows get no probability"]
    return []


def _not_numbers(spec: FeatureSpec, raw: pd.DataFrame) -> list[str]:
    numbers = sorted({f.source for f in spec.columns.values() if f.kind != "category"})
    found = []
    for name in numbers:
        values = raw[name].dropna()
        if is_numeric_dtype(values) or is_bool_dtype(values) or is_datetime64_any_dtype(values):
            continue
        allowed = {str(f.missing) for f in spec.columns.values() if f.source == name}
        text = values[~values.astype(str).isin(allowed)]
        lost = text[pd.to_numeric(text, errors="coerce").isna()]
        if len(lost):
            found.append(
                f"column {name}: was a number, and {len(lost):,} values are none, for example "
                f"{str(lost.iloc[0])!r}"
            )
    return found


def _unknown(spec: FeatureSpec, derived: pd.DataFrame) -> list[str]:
    found = []
    for name, feature in spec.columns.items():
        levels, values = spec.fitted[name].levels, derived[name].dropna()
        if levels is None or not len(values) or values.isin(levels).any():
            continue
        found.append(
            f"column {feature.source}: not one value is a level that it knows, for example "
            f"{values.iloc[0]!r} where it knows {', '.join(map(repr, levels[:3]))}"
        )
    return found
