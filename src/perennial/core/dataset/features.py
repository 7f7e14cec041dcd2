"""Features: raw columns in, model matrix out, by one fitted spec for training, scoring and serving.

Two halves. `derive` looks at one row at a time and knows nothing of other rows, so its result is
kept per batch by content. `fit` and `apply` hold what is learned from the training rows: the
levels of each category and the range of each number.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from perennial.errors import InputError
from perennial.params import Feature, Features, Sensitive

OTHER = "(other)"
MISSING = "(missing)"


@dataclass(frozen=True)
class FittedFeature:
    """What the training rows taught about one feature.

    `levels` are a category's levels in order of name (with "(other)" last if rare ones were
    pooled); `low` and `high` are a number's range.
    """

    levels: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class FeatureSpec:
    """How to make the matrix from raw rows: the features' definitions and what was fitted."""

    columns: Mapping[str, Feature]
    sensitive: Mapping[str, Sensitive]
    fitted: Mapping[str, FittedFeature]

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON values."""
        return {
            "schema_version": 1,
            "columns": {k: v.model_dump(by_alias=True) for k, v in self.columns.items()},
            "order": list(self.columns),
            "sensitive": {k: v.model_dump(by_alias=True) for k, v in self.sensitive.items()},
            "fitted": {k: asdict(v) for k, v in self.fitted.items()},
        }

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "FeatureSpec":
        """Return the spec that `to_json` wrote."""
        columns = {k: Feature.model_validate(content["columns"][k]) for k in content["order"]}
        sensitive = {k: Sensitive.model_validate(v) for k, v in content["sensitive"].items()}
        fitted = {
            k: FittedFeature(v["levels"] and tuple(v["levels"]), v["low"], v["high"])
            for k, v in content["fitted"].items()
        }
        return FeatureSpec(columns, sensitive, fitted)

    def transform(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return the model matrix of raw rows, shape (rows, features).

        The same as `apply(self, derive(raw, self.columns))`, which makes text of each row.

        Raises:
            InputError: a raw column that a feature comes from is missing.
        """
        return self.handle(raw)[0]

    def handle(self, raw: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
        """Return the model matrix of raw rows as `transform` does, and what `audit` counts.

        Raises:
            InputError: a raw column that a feature comes from is missing.
        """
        _require(raw, self.columns)
        columns, counts = {}, {}
        for name, feature in self.columns.items():
            fitted, values = self.fitted[name], raw[feature.source]
            if fitted.levels is None:
                number = _derived(values, feature)
                columns[name] = number.clip(fitted.low, fitted.high)
                counts[name] = _count(number, fitted)
            else:
                columns[name], counts[name] = _by_level(values, feature, fitted.levels)
        return pd.DataFrame(columns, index=raw.index), counts


def raw_columns(columns: Mapping[str, Feature], sensitive: Mapping[str, Sensitive]) -> list[str]:
    """Return the raw columns that features and sensitive attributes come from, sorted."""
    return sorted({f.source for f in columns.values()} | {s.source for s in sensitive.values()})


def derive(raw: pd.DataFrame, columns: Mapping[str, Feature]) -> pd.DataFrame:
    """Return each feature before fitting: float64 numbers, and categories as strings.

    Infinite numbers, text that is no number and the value named `missing` become missing.

    Raises:
        InputError: raw columns are missing; all are named.
    """
    _require(raw, columns)
    return pd.DataFrame(
        {n: _derived(raw[f.source], f) for n, f in columns.items()}, index=raw.index
    )


def _require(raw: pd.DataFrame, columns: Mapping[str, Feature]) -> None:
    absent = sorted({f.source for f in columns.values()} - set(raw.columns))
    if absent:
        raise InputError(
            [f"column {name}: not in the rows, and a feature comes from it" for name in absent],
            "Add the column to the data, or take its features out of features.columns.",
        )


def _derived(values: pd.Series, feature: Feature) -> pd.Series:
    if feature.kind == "category":
        text = text_of(values)
        sentinel = None if feature.missing is None else level_of(feature.missing)
        return text.where(text != sentinel, None)
    number = _number(values)
    if feature.missing is not None:
        number = number.mask((number == feature.missing) | (values == feature.missing))
    if feature.kind == "signed_log":  # log(1 + |x|) with the sign of x: defined at 0 and below
        # six decimals: processors differ in a logarithm's last bit, and matrices are hashed
        plain = number.to_numpy()
        logged = np.round(np.sign(plain) * np.log1p(np.abs(plain)), 6)
        return pd.Series(logged, index=number.index)
    return number


def _number(values: pd.Series) -> pd.Series:
    """Return finite float64 numbers; times as seconds since 1970; what is no number is missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        values = seconds(values)
    number = pd.to_numeric(values, errors="coerce").astype("float64")
    return number.where(np.isfinite(number))


def seconds(times: pd.Series) -> pd.Series:
    """Return times as seconds since 1970, float64. In nanoseconds the year 9999, which often
    stands for no end, could not be counted."""
    start = pd.Timestamp(0, tz=times.dt.tz).as_unit(times.dt.unit)
    return (times - start).dt.total_seconds()


def text_of(values: pd.Series) -> pd.Series:
    """Return levels as text, None where missing. One value reads the same whatever the others
    are, which pandas does not promise: 1 beside a null or a fraction is 1.0 to it."""
    place, names = _distinct(values)
    text = np.array([*names, None], dtype=object)[place]
    return pd.Series(text, index=values.index, dtype=object, name=values.name)


def _distinct(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return the distinct values as text, and each row's place among them: -1 where missing."""
    place, distinct = pd.factorize(values)
    # an index of float32 hands out float64, and 0.1 would be 0.10000000149011612
    each = distinct.to_numpy() if distinct.dtype.kind == "f" else distinct
    return place, [level_of(value) for value in each]


def level_of(value: Any) -> str:
    """Return a level as text: a whole number without its fraction, a time as ISO 8601 has it."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)


def fit(
    derived: pd.DataFrame, features: Features, sensitive: Mapping[str, Sensitive]
) -> FeatureSpec:
    """Learn levels and ranges from the training rows.

    Args:
        derived: The training rows as `derive` returns them.
        features: The definitions, and below how many rows a level is rare.
        sensitive: The sensitive attributes, carried along for thresholds per group.

    Raises:
        InputError: a feature has no value in any training row.
    """
    empty = [name for name in features.columns if derived[name].notna().sum() == 0]
    if empty:
        raise InputError(
            [f"features.columns.{name}: no value in any training row" for name in empty],
            "Take the feature out of params.yaml, or train on periods that have it.",
        )
    fitted = {
        name: _fitted(derived[name], feature, features.rare_below)
        for name, feature in features.columns.items()
    }
    return FeatureSpec(features.columns, sensitive, fitted)


def _fitted(values: pd.Series, feature: Feature, rare_below: int) -> FittedFeature:
    if feature.kind != "category":
        return FittedFeature(low=float(values.min()), high=float(values.max()))
    counts = values.value_counts()
    kept = tuple(sorted(set(counts.index[counts >= rare_below]) - {OTHER}))
    return FittedFeature(levels=kept if len(kept) == len(counts) else (*kept, OTHER))


def apply(spec: FeatureSpec, derived: pd.DataFrame) -> pd.DataFrame:
    """Return the model matrix: float64 numbers within the training range, and categories.

    A level that is rare or unseen is "(other)" if training knew rare levels, else missing.
    """
    columns = {}
    for name in spec.columns:
        fitted = spec.fitted[name]
        if fitted.levels is None:
            columns[name] = derived[name].clip(fitted.low, fitted.high)
        else:
            columns[name] = _coded(derived[name], fitted.levels)
    return pd.DataFrame(columns, index=derived.index)


def _coded(values: pd.Series, levels: tuple[str, ...]) -> pd.Series:
    if OTHER in levels:
        values = values.where(values.isna() | values.isin(levels), OTHER)
    return pd.Series(pd.Categorical(values, categories=list(levels)), index=values.index)


def _by_level(
    values: pd.Series, feature: Feature, levels: tuple[str, ...]
) -> tuple[pd.Series, dict[str, int]]:
    """Return a category's levels, and the counts of `audit`, by one look at each distinct value."""
    place, names = _distinct(values)
    known = {level: code for code, level in enumerate(levels)}
    sentinel = None if feature.missing is None else level_of(feature.missing)
    missing = np.array([name == sentinel for name in names] + [True])  # last: where place is -1
    unknown = np.array([name not in known for name in names] + [False]) & ~missing
    codes = np.array([known.get(name, known.get(OTHER, -1)) for name in names] + [-1])
    codes[missing] = -1
    rows = np.bincount(place + 1, minlength=len(codes))  # -1 first
    rows = np.append(rows[1:], rows[0])
    coded = pd.Categorical.from_codes(codes[place], dtype=pd.CategoricalDtype(list(levels)))
    counts = {"missing": int(rows[missing].sum()), "rare_or_unseen": int(rows[unknown].sum())}
    return pd.Series(coded, index=values.index), counts


def audit(spec: FeatureSpec, derived: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count what `apply` had to handle: missing values, levels not kept, numbers out of range."""
    return {name: _count(derived[name], fitted) for name, fitted in spec.fitted.items()}


def _count(values: pd.Series, fitted: FittedFeature) -> dict[str, int]:
    missing = int(values.isna().sum())
    if fitted.levels is None:
        outside = (values < fitted.low) | (values > fitted.high)
        return {"missing": missing, "out_of_range": int(outside.sum())}
    unknown = values.notna() & ~values.isin(fitted.levels)
    return {"missing": missing, "rare_or_unseen": int(unknown.sum())}


def groups(raw: pd.DataFrame, sensitive: Mapping[str, Sensitive]) -> pd.DataFrame:
    """Return each row's group by each sensitive attribute; no value is a group of its own.

    Raises:
        InputError: raw columns are missing; all are named.
    """
    absent = sorted({s.source for s in sensitive.values()} - set(raw.columns))
    if absent:
        raise InputError(
            [
                f"column {name}: not in the rows, and a sensitive attribute needs it"
                for name in absent
            ],
            "Add the column to the data, or take it out of `sensitive` in params.yaml.",
        )
    found = {n: _group(raw[s.source], s.bins) for n, s in sensitive.items()}
    return pd.DataFrame(found, index=raw.index)


def _group(values: pd.Series, bins: list[float] | None) -> pd.Series:
    if bins is None:
        return text_of(values).where(values.notna(), MISSING)
    edges = [f"{b:.15g}" for b in bins]
    labels = [f"under {edges[0]}"]
    labels += [f"{low} to under {high}" for low, high in pairwise(edges)]
    labels += [f"{edges[-1]} and over"]
    number = pd.to_numeric(values, errors="coerce")
    named = np.array(labels, dtype=object)[np.digitize(number, bins)]
    return pd.Series(np.where(number.isna(), MISSING, named), index=values.index, dtype=object)
