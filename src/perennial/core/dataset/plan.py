"""The plan: which periods train, calibrate and are held out, and what is to be done."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

import numpy as np

from perennial.errors import InputError
from perennial.params import Split

Action = Literal["bootstrap", "keep", "retrain", "retune", "recalibrate"]
PARTS = ("train", "calibration", "holdout")
SPLIT_REMEDY = "Add rows, change split.key, or lower split.holdout_rows and calibration_rows."


class BatchRef(TypedDict):
    """A batch by name, content and size."""

    period: str
    sha256: str
    rows: int


def make_plan(
    batches: Sequence[BatchRef],
    split: Split,
    action: Action,
    because: str,
    hyperparameters: Mapping[str, Any] | None = None,
    train: Sequence[BatchRef] | None = None,
) -> dict[str, Any]:
    """Return the plan for accepted batches, in order of their periods.

    Args:
        batches: The accepted batches, oldest first.
        split: How rows are held out.
        action: What the run is to do: `bootstrap`, `retrain`, `retune` or `recalibrate`.
        because: What it follows from: `bootstrap`, `drift`, `harmful`, `request` or `forgotten`.
        hyperparameters: Under `retrain` and `recalibrate`, the champion's, so that nothing is
            searched.
        train: Under `recalibrate`, what the champion was trained on: the same rows and recipe give
            the same trees, and only calibration and thresholds are new. Or the part of the history
            that was chosen.

    Raises:
        InputError: nothing would be left to train on.
    """
    parts = _by_time(batches, split) if split.kind == "time" else _all_in_all(batches, split)
    if split.kind == "time":
        parts["train"] = list(train) if train is not None else history(parts["train"], split)
    return {
        "schema_version": 1,
        "action": action,
        "because": because,
        "split": split.model_dump(),
        "parts": parts,
        "hyperparameters": hyperparameters,
    }


def history(train: Sequence[BatchRef], split: Split) -> list[BatchRef]:
    """Return the part of the history that `split.history` trains on, newest batches first in line.

    Whole batches: the fewest that total `last` rows. `chosen` is all, until it is chosen.
    """
    if split.history.kind == "periods":
        return list(train[-(split.history.last or 0) :])
    if split.history.kind == "rows":
        return _last(train, split.history.last or 0)[1]
    return list(train)


def shares(train: Sequence[BatchRef]) -> dict[str, list[BatchRef]]:
    """Return what `chosen` chooses from: all of the history, its newest half and quarter of rows.

    A share that is no shorter than a larger one is left out.
    """
    rows = sum(ref["rows"] for ref in train)
    found: dict[str, list[BatchRef]] = {}
    for name, share in (("all", 1.0), ("half", 0.5), ("quarter", 0.25)):
        part = _last(train, round(rows * share))[1]
        if part not in found.values():
            found[name] = part
    return found


def newest(batches: Sequence[BatchRef], rows: int) -> list[BatchRef]:
    """Return the newest batch, with those before it until there are `rows` rows."""
    return _last(batches, rows)[1]


def newest_period(plan: Mapping[str, Any]) -> str:
    """Return the last period that a plan names."""
    return str(max(ref["period"] for part in PARTS for ref in plan["parts"][part]))


def batches_of(plan: Mapping[str, Any]) -> list[BatchRef]:
    """Return every batch a plan names, once, oldest first."""
    refs = {ref["period"]: ref for part in PARTS for ref in plan["parts"][part]}
    return [refs[period] for period in sorted(refs)]


def _by_time(batches: Sequence[BatchRef], split: Split) -> dict[str, list[BatchRef]]:
    rest, holdout = _last(batches, split.holdout_rows)
    train, calibration = _last(rest, split.calibration_rows)
    if not train:
        rows = sum(b["rows"] for b in batches)
        raise InputError(
            f"nothing is left to train on: {len(batches)} batches with {rows:,} rows, of which the "
            f"last periods with {split.holdout_rows:,} rows are held out and those before with "
            f"{split.calibration_rows:,} calibrate",
            "Add batches, move data.as_of on, or lower split.holdout_rows and calibration_rows.",
        )
    return {"train": train, "calibration": calibration, "holdout": holdout}


def _last(batches: Sequence[BatchRef], rows: int) -> tuple[list[BatchRef], list[BatchRef]]:
    """Cut before the last periods that total at least `rows` rows."""
    total = 0
    for index in range(len(batches) - 1, -1, -1):
        total += batches[index]["rows"]
        if total >= rows:
            return list(batches[:index]), list(batches[index:])
    return [], list(batches)


def _all_in_all(batches: Sequence[BatchRef], split: Split) -> dict[str, list[BatchRef]]:
    rows = sum(b["rows"] for b in batches)
    if rows < 2 * (split.holdout_rows + split.calibration_rows):
        raise InputError(
            f"nothing is left to train on: {rows:,} rows, of which {split.holdout_rows:,} are held "
            f"out and {split.calibration_rows:,} calibrate, and at least as many must train",
            "Add rows, or lower split.holdout_rows and split.calibration_rows.",
        )
    return {part: list(batches) for part in PARTS}


def assign(split: Split, target: np.ndarray, key: np.ndarray | None, seed: int) -> np.ndarray:
    """Return each row's part under a split by row: "train", "calibration" or "holdout".

    Args:
        split: A split of kind `stratified` or `group`.
        target: Each row's class, shape (rows,).
        key: Under `group`, whose rows stay together, shape (rows,).
        seed: Of the draw.

    Raises:
        InputError: the rows can't be split so: too few of a class or of groups, or no key.
    """
    part = np.full(len(target), "train", dtype=object)
    wanted = (("holdout", split.holdout_rows), ("calibration", split.calibration_rows))
    if key is not None:
        _assign_groups(part, key, wanted, seed)
        return part
    from sklearn.model_selection import train_test_split

    left = np.arange(len(target))
    try:
        for name, rows in wanted:
            left, taken = train_test_split(
                left, test_size=rows, random_state=seed, stratify=target[left]
            )
            part[taken] = name
    except ValueError as error:
        raise InputError(f"the rows can't be split: {error}", SPLIT_REMEDY) from error
    return part


def _assign_groups(
    part: np.ndarray, key: np.ndarray, wanted: Sequence[tuple[str, int]], seed: int
) -> None:
    """Give whole groups, in an order drawn by `seed`, to each part until it has its rows."""
    import pandas as pd

    if pd.isna(key).any():
        raise InputError("rows without a value of split.key can't be kept together", SPLIT_REMEDY)
    names, member, sizes = np.unique(key.astype(str), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    start = 0
    for name, rows in wanted:
        reached = np.cumsum(sizes[order[start:]]) >= rows
        end = start + int(np.argmax(reached)) + 1
        if not reached.any() or end >= len(order):
            raise InputError(
                f"split.key has {len(names):,} values, too few to hold out {rows:,} rows as "
                f"{name} and still train on others",
                SPLIT_REMEDY,
            )
        part[np.isin(member, order[start:end])] = name
        start = end
