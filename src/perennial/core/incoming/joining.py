"""Joining: rows and the labels that came later, by key; and the contract until they come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.core.incoming.findings import EXAMPLES, finding


@dataclass(frozen=True)
class Joined:
    """What came of joining labels to a batch.

    Attributes:
        rows: The batch's rows that have a label, in their order, with the target as last column;
            None while labels are not used.
        counts: `rows` of the batch, how many `matched` a label, how many are `unlabelled`; of the
            labels, `unknown_keys` that no row has and rows with `duplicate_keys` said before.
        why: Why labels are not used; None if they are.
    """

    rows: pd.DataFrame | None
    counts: Mapping[str, int]
    why: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the report's lines about a batch's labels."""
        return {**self.counts, "why": self.why}


def key_faults(batch: pd.DataFrame, key: str, shown: bool = True) -> list[dict[str, Any]]:
    """Return what keeps labels from being joined to a batch, as findings.

    A row without a key is no fault: it gets no label.

    Args:
        batch: Its rows.
        key: What tells them apart.
        shown: Whether keys may be told as examples.
    """
    if key not in batch:
        note = "is missing, and data.labels.key joins labels by it"
        return [finding("key_is_there", key, note)]
    keys = batch[key].dropna()
    again = keys.duplicated(keep=False)
    if not again.any():
        return []
    count, percent = int(again.sum()), 100 * float(again.sum()) / len(batch)
    examples = sorted(map(str, keys[again].unique()))[:EXAMPLES] if shown else []
    such = f", such as {examples[0]}" if shown else ""
    note = (
        f"{count:,} of {len(batch):,} ({percent:.3g} %) rows share their key with another{such}, "
        "so a label has no one row"
    )
    return [finding("keys_are_unique", key, note, count, percent, examples)]


def join(
    batch: pd.DataFrame,
    labels: pd.DataFrame | None,
    key: str,
    target: str,
    min_share: float,
    shown: bool = True,
) -> Joined:
    """Join labels to a batch.

    Args:
        batch: Its rows, whose keys are unique.
        labels: Columns `key` and `target`; None if they haven't come. A null target is no label.
        key: What tells the rows of a batch apart.
        target: The column that labels bring.
        min_share: The share of rows that must have a label before any is used.
        shown: Whether keys may be told as examples.
    """
    none = {"rows": len(batch), "matched": 0, "unlabelled": len(batch)}
    none |= {"unknown_keys": 0, "duplicate_keys": 0}
    if labels is None:
        return Joined(None, none, "no labels yet")
    labels = labels[[key, target]]
    if labels[key].isna().any():
        return Joined(None, none, f"{int(labels[key].isna().sum()):,} labels have no {key}")
    said = labels.dropna(subset=[target]).drop_duplicates()
    unlike = said[key].duplicated(keep=False)
    if unlike.any():
        examples = ", ".join(sorted(map(str, said[key][unlike].unique()))[:EXAMPLES])
        such = f", such as {examples}" if shown else ""
        return Joined(None, none, f"keys have different labels{such}")
    place = pd.Index(said[key]).get_indexer(pd.Index(batch[key]))
    matched = place >= 0
    counts = {
        "rows": len(batch),
        "matched": int(matched.sum()),
        "unlabelled": int((~matched).sum()),
        "unknown_keys": int((~np.isin(np.arange(len(said)), place)).sum()),
        "duplicate_keys": int(labels[key].duplicated().sum()),
    }
    if matched.sum() < min_share * len(batch) or not matched.any():
        why = f"{matched.sum():,} of {len(batch):,} rows have a label, under {min_share:g} of them"
        if not matched.any() and batch[key].dtype != labels[key].dtype:
            why += f"; {key} is {batch[key].dtype} in the batch and {labels[key].dtype} here"
        return Joined(None, counts, why)
    rows = batch.loc[matched].reset_index(drop=True)
    return Joined(rows.assign(**{target: said[target].array.take(place[matched])}), counts, None)


def without(expected: Sequence[Mapping[str, Any]], column: str) -> list[dict[str, Any]]:
    """Return expectations as they are where a column has not come yet.

    Those about the column alone, or of rows chosen by it, are left out; from lists of columns it
    is taken.
    """
    kept = []
    for item in expected:
        kwargs = dict(item["kwargs"])
        about = {kwargs.get(name) for name in ("column", "column_A", "column_B")}
        if column in about or chosen_by(kwargs.get("row_condition"), column):
            continue
        for name in ("column_set", "column_list"):
            if column in kwargs.get(name, ()):
                kwargs[name] = [other for other in kwargs[name] if other != column]
        if "column_list" not in kwargs or len(kwargs["column_list"]) > 1:
            kept.append({**item, "kwargs": kwargs})
    return kept


def chosen_by(condition: Any, column: str) -> bool:
    """Say whether a row condition names a column, however deep."""
    if isinstance(condition, Mapping):
        named = condition.get("column")
        return (isinstance(named, Mapping) and named.get("name") == column) or any(
            chosen_by(part, column) for part in condition.values()
        )
    if isinstance(condition, list):
        return any(chosen_by(part, column) for part in condition)
    return isinstance(condition, str) and f'col("{column}")' in condition
