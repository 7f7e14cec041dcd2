"""Plants in the rows: leaks, wrong labels, rows where they must not be."""

from typing import Any

import numpy as np
import pandas as pd

from perennial.core.case import Rows
from perennial.core.dataset.features import groups
from perennial.core.proof.plant import Plant
from perennial.core.proof.population import by_time
from perennial.params import Params

PLANTED = "planted"


def attribute(params: Params) -> str:
    """Return the sensitive attribute that plants use: the first that fairness is judged by."""
    return params.fairness.attributes[0]


def nobody_named(params: Params) -> str | None:
    """Return what is missing for a fault of groups: someone to be treated fairly."""
    return None if params.fairness.attributes else "fairness.attributes names nobody"


def group_of(rows: Rows, params: Params) -> np.ndarray:
    """Return which rows are of the second largest group of that attribute, shape (rows,)."""
    name = attribute(params)
    found = groups(rows.raw, {name: params.sensitive[name]})[name]
    return (found == found.value_counts().index[1]).to_numpy()


def with_feature(params: Params, name: str, source: str, kind: str) -> Params:
    """Return parameters with one more feature."""
    content: dict[str, Any] = params.model_dump(by_alias=True, exclude_unset=True)
    feature = {"from": source, "as": kind, "missing": None, "why": "planted"}
    content["features"]["columns"][name] = feature
    content["features"]["drop"].pop(source, None)
    return Params.model_validate(content)


def _with_column(rows: Rows, values: np.ndarray) -> Rows:
    raw = rows.raw.assign(**{PLANTED: values})
    return Rows(raw, rows.target, rows.part, rows.period, rows.place, rows.by_time)


def _with_target(rows: Rows, target: np.ndarray) -> Rows:
    return Rows(rows.raw, target, rows.part, rows.period, rows.place, rows.by_time)


def leaked_feature(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Give a feature that is the answer with some noise."""
    noise = np.random.default_rng(seed).normal(size=len(rows.target))
    changed = _with_column(rows, rows.target + 0.3 * noise)
    return changed, with_feature(params, PLANTED, PLANTED, "number")


def future_feature(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Give a feature that was measured after the fact and mostly follows from it."""
    noise = np.random.default_rng(seed).normal(size=len(rows.target))
    changed = _with_column(rows, rows.target + 0.5 * noise)
    return changed, with_feature(params, PLANTED, PLANTED, "number")


def renamed_target(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Give a category whose levels follow from the target under other names."""
    random = np.random.default_rng(seed)
    known = np.where(random.random(len(rows.target)) < 0.9, rows.target, 1 - rows.target)
    codes = np.array(["K7", "M2"], dtype=object)[known]
    return _with_column(rows, codes), with_feature(params, PLANTED, PLANTED, "category")


def identifier(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Give the row's own number as a feature."""
    numbers = np.random.default_rng(seed).permutation(len(rows.target)) + 1_000_000
    return _with_column(rows, numbers), with_feature(params, PLANTED, PLANTED, "number")


def shuffled_labels(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Learn from labels in random order."""
    random, target = np.random.default_rng(seed), rows.target.copy()
    learned = rows.of("train", "calibration")
    target[learned] = random.permutation(target[learned])
    return _with_target(rows, target), params


def inverted_labels(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Learn from labels that say the opposite."""
    learned = rows.of("train", "calibration")
    return _with_target(rows, np.where(learned, 1 - rows.target, rows.target)), params


def labels_flipped_for_one_group(
    rows: Rows,
    params: Params,
    seed: int,
) -> tuple[Rows, Params]:
    """Learn from labels that say the opposite for one group."""
    wrong = rows.of("train", "calibration") & group_of(rows, params)
    return _with_target(rows, np.where(wrong, 1 - rows.target, rows.target)), params


def group_removed_from_training(
    rows: Rows,
    params: Params,
    seed: int,
) -> tuple[Rows, Params]:
    """Train without the rows of one group."""
    return rows.take(~(rows.of("train") & group_of(rows, params))), params


def training_rows_in_holdout(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Hold out some rows that are trained on too."""
    random = np.random.default_rng(seed)
    again = random.choice(np.flatnonzero(rows.of("train")), 200, replace=False)
    part = np.append(rows.part, np.full(len(again), "holdout"))
    both = rows.take(np.append(np.arange(len(rows.part)), again))
    return Rows(both.raw, both.target, part, both.period, both.place, rows.by_time), params


def future_rows_in_training(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Train on some rows of the last period."""
    rows = by_time(rows)
    random, part = np.random.default_rng(seed), rows.part.copy()
    last = np.flatnonzero(rows.period == max(set(rows.period)))
    part[random.choice(last, len(last) // 2, replace=False)] = "train"
    return Rows(rows.raw, rows.target, part, rows.period, rows.place, by_time=True), params


def proxy(rows: Rows, params: Params, seed: int) -> tuple[Rows, Params]:
    """Let the answer follow the group, and give a column that follows the group too."""
    random, group = np.random.default_rng(seed), group_of(rows, params)
    target = np.where(random.random(len(group)) < 0.9, group, ~group).astype("int64")
    codes = np.where(random.random(len(group)) < 0.97, group, ~group)
    named = pd.Series(codes).map({True: "north", False: "south"}).to_numpy(dtype=object)
    changed = _with_column(_with_target(rows, target), named)
    return changed, with_feature(params, PLANTED, PLANTED, "category")


def forbidden_feature(
    rows: Rows,
    params: Params,
    seed: int,
) -> tuple[Rows, Params]:
    """Use a column that the user forbids."""
    source = params.gates.forbidden_features.columns[0]
    kind = "number" if pd.api.types.is_numeric_dtype(rows.raw[source]) else "category"
    return rows, with_feature(params, PLANTED, source, kind)


def _nothing_forbidden(params: Params) -> str | None:
    forbidden = params.gates.forbidden_features.columns
    return None if forbidden else "gates.forbidden_features.columns names no column"


PLANTS = (
    Plant("leaked_feature", lambda _: "leakage", rows=leaked_feature),
    Plant("future_feature", lambda _: "dependence", rows=future_feature),
    Plant("renamed_target", lambda _: "single_feature", rows=renamed_target),
    Plant("identifier_as_feature", lambda _: "identifier", rows=identifier),
    Plant("shuffled_labels", lambda _: "quality_floor", rows=shuffled_labels),
    Plant("inverted_labels", lambda _: "better_than_prior", rows=inverted_labels),
    Plant(
        "labels_flipped_for_one_group",
        lambda _: "slices",
        rows=labels_flipped_for_one_group,
        needs=nobody_named,
    ),
    Plant(
        "group_removed_from_training",
        lambda _: "group_coverage",
        rows=group_removed_from_training,
        needs=nobody_named,
    ),
    Plant("training_rows_in_holdout", lambda _: "overlap", rows=training_rows_in_holdout),
    Plant("future_rows_in_training", lambda _: "time_order", rows=future_rows_in_training),
    Plant(
        "proxy_of_a_group",
        lambda params: f"proxies_{attribute(params)}",
        rows=proxy,
        needs=nobody_named,
    ),
    Plant(
        "forbidden_feature",
        lambda _: "forbidden_features",
        rows=forbidden_feature,
        needs=_nothing_forbidden,
    ),
)
