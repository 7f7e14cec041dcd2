"""Contents: what of a batch's rows is compared with other batches."""

import hashlib
import re
from collections.abc import Collection

import numpy as np
import pandas as pd

# ISO 8601 with a time of day; the offset is Z, ±hh, ±hhmm or ±hh:mm, or there is none
TIME = re.compile(
    r"\s*\d{4}-?\d\d-?\d\d[T ]\d\d(?::?\d\d){0,2}(?:[.,]\d+)?"
    r"\s*(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?\s*"
)
TEXT_TIMES = "str, times with "


def rows_digest(batch: pd.DataFrame) -> str | None:
    """Return one digest for the same rows, whatever the order of rows and columns or the encoding.

    Columns without any value don't count, nor does whether text is stored as categories.

    Returns:
        The SHA-256 of the sorted row hashes; None where there are no rows.
    """
    if batch.empty:
        return None
    there = batch.set_axis([str(name) for name in batch.columns], axis=1)
    there = there.loc[:, there.notna().any()].sort_index(axis=1)
    try:
        hashes = pd.util.hash_pandas_object(there, index=False)
    except TypeError:  # lists or structs, which have no hash
        hashes = pd.util.hash_pandas_object(there.astype(str), index=False)
    zones = [str(getattr(kind, "tz", "")) for kind in there.dtypes]  # the hashes know none
    digest = hashlib.sha256("\0".join([*there.columns, *zones]).encode())
    digest.update(np.sort(hashes.to_numpy()).tobytes())
    return digest.hexdigest()


def types(batch: pd.DataFrame, wanted: Collection[str]) -> dict[str, str]:
    """Return the types of those columns of a batch that are wanted, as pandas calls them.

    Text that holds times is told by their offsets from UTC: `str, times with +02:00 and Z`, `str,
    times with no offset`.
    """
    return {str(n): _type(batch[n]) for n in batch.columns if str(n) in wanted}


def _type(values: pd.Series) -> str:
    if not pd.api.types.is_string_dtype(values.dtype):
        return str(values.dtype)
    there = values.dropna().astype(str)
    if there.empty or not TIME.fullmatch(there.iloc[0]):  # most text is no time: one look is cheap
        return str(values.dtype)
    found = [TIME.fullmatch(value) for value in there.unique()]
    if not all(found):
        return str(values.dtype)
    offsets = {match["offset"] or "no offset" for match in found if match}
    return TEXT_TIMES + " and ".join(sorted(offsets))
