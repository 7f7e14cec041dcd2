"""Privacy: columns that say who somebody is are checked, and then taken out of all that follows."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from perennial.core.dataset.features import text_of
from perennial.core.incoming.joining import chosen_by

COUNTS = {"element_count", "missing_count", "missing_percent", "unexpected_count"}
COUNTS |= {f"unexpected_percent{suffix}" for suffix in ("", "_total", "_nonmissing")}
WITHHELD = "withheld, as data.pii names the column"
COLUMN_KEYS = ("column", "column_A", "column_B")


def without(rows: pd.DataFrame, pii: Collection[str], key: str | None) -> pd.DataFrame:
    """Return rows without the columns that say who somebody is.

    The key of a split by group is needed, so it becomes a pseudonym. Whoever has a list of possible
    keys can still tell which of them it was: it is not anonymous.
    """
    kept = rows.drop(columns=[name for name in pii if name != key], errors="ignore")
    kept.attrs = {}  # Parquet would keep what somebody noted there
    if key in pii and key in kept:
        kept = kept.assign(**{str(key): text_of(kept[key]).map(_pseudonym, na_action="ignore")})
    return kept


def _pseudonym(value: str) -> str:
    return hashlib.sha256(f"perennial pseudonym\0{value}".encode()).hexdigest()[:32]


def withhold(result: Mapping[str, Any], pii: Collection[str]) -> dict[str, Any]:
    """Return a validation result that has no values of those columns: counts only.

    Args:
        result: Great Expectations' own, as JSON values.
        pii: The columns.
    """
    results = [_counts(item) if _is_about(item, pii) else item for item in result["results"]]
    return {**result, "results": results}


def _is_about(item: Mapping[str, Any], pii: Collection[str]) -> bool:
    """Return whether an expectation looks at the values of such a column, or at rows chosen by
    one. The names of columns, which some compare, are no secret."""
    kwargs = item["expectation_config"]["kwargs"]
    named = {kwargs.get(key) for key in COLUMN_KEYS} | set(kwargs.get("column_list") or ())
    condition = kwargs.get("row_condition")
    return any(name in named or chosen_by(condition, name) for name in pii)


def _counts(item: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in item["result"].items() if key in COUNTS}
    if found.get("unexpected_count") is not None:
        found["partial_unexpected_list"] = []
    return {**item, "result": found, "exception_info": _silent(item["exception_info"])}


def _silent(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an expectation raised without its words, which may quote a value."""
    if "raised_exception" not in info:  # one for each metric
        return {name: _silent(part) for name, part in info.items()}
    raised = info["raised_exception"]
    told = {"exception_message": WITHHELD if raised else None, "exception_traceback": None}
    return {"raised_exception": raised, **told}
