"""Columns of a file as the model takes them: numbers and categories, whatever holds them.

Every cell is read by itself, so that a row says the same in whichever piece it is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# What pandas takes for missing in a CSV file.
NULLS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)


@dataclass(frozen=True)
class Column:
    """A column that the model asks for.

    Attributes:
        is_number: Or else a category.
        sentinels: Text that stands for a missing number.
        levels: A category's known levels.
    """

    is_number: bool
    sentinels: frozenset[str] = field(default_factory=frozenset)
    levels: frozenset[str] = field(default_factory=frozenset)


def unfit(kind: "pa.DataType", column: Column) -> bool:
    """Return whether no value of an Arrow type can be what the model asks for."""
    import pyarrow as pa

    known = pa.types
    plain = kind.value_type if known.is_dictionary(kind) else kind
    fine: list[Callable[[pa.DataType], bool]] = [
        *(known.is_integer, known.is_floating, known.is_decimal, known.is_boolean),
        *(known.is_timestamp, known.is_null, is_text),
        *([] if column.is_number else [known.is_date]),
    ]
    return not any(is_one(plain) for is_one in fine)


def is_text(kind: "pa.DataType") -> bool:
    """Return whether an Arrow type is text."""
    import pyarrow as pa

    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def to_frame(
    piece: "pa.Table", columns: Mapping[str, Column], from_text: bool
) -> "tuple[pd.DataFrame, dict[str, np.ndarray]]":
    """Return the model's columns of a piece, and where a cell is no number, by column.

    Args:
        piece: Rows of a file.
        columns: What the model asks for.
        from_text: Whether they are from a file without types, in which NA and the like are missing.
    """
    import pandas as pd

    found, bad = {}, {}
    for name, column in columns.items():
        cells = piece[name].combine_chunks()
        cells = _without_nulls(_plain(cells), column, from_text)
        if column.is_number:
            found[name], wrong = _numbers(cells)
            if len(wrong):
                bad[name] = wrong
        else:
            found[name] = _category(cells, column.levels, from_text)
    return pd.DataFrame(found, copy=False), bad


def _plain(cells: "pa.Array") -> "pa.Array":
    """Return cells without a dictionary, and text as one type."""
    import pyarrow as pa

    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    kind = pa.string() if is_text(kind) else kind
    return cells if kind == cells.type else cells.cast(kind)


def _without_nulls(cells: "pa.Array", column: Column, from_text: bool) -> "pa.Array":
    """Return text cells with those null that stand for a missing value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(cells.type):
        return cells
    if column.is_number:
        cells = pc.utf8_trim_whitespace(cells)
    named = [*(NULLS if from_text or column.is_number else ()), *column.sentinels]
    if not named:
        return cells
    missing = pc.is_in(cells, value_set=pa.array(named, pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), cells)


def _numbers(cells: "pa.Array") -> "tuple[pd.Series, np.ndarray]":
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_timestamp(cells.type):
        return cells.to_pandas(), np.array([], dtype="int64")
    bad = np.array([], dtype="int64")
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int8())
    try:
        numbers = cells.cast(pa.float64(), safe=False)
    except pa.ArrowInvalid:  # text, and some of it no number
        each = [_number(text) for text in cells.to_pylist()]
        bad = np.flatnonzero([number is None for number in each])
        numbers = pa.array(each, pa.float64())
    return pd.Series(numbers.to_numpy(zero_copy_only=False)), bad


def _number(text: str | None) -> float | None:
    """Return a number, NaN for a missing one, None for text that is none. As exact as Arrow's."""
    if text is None:
        return float("nan")
    try:
        return None if "_" in text else float(text)  # Python alone takes 1_000
    except ValueError:
        return None


def _category(cells: "pa.Array", levels: frozenset[str], from_text: bool) -> "pd.Series":
    import pandas as pd
    import pyarrow as pa

    kind = cells.type
    if pa.types.is_null(kind):
        return pd.Series([None] * len(cells), dtype=object)
    if not (is_text(kind) or pa.types.is_integer(kind)):
        return cells.to_pandas()
    coded = cells.dictionary_encode()
    distinct = coded.dictionary.cast(pa.string()).to_pylist()
    if from_text:
        distinct = [_level(text, levels) for text in distinct]
    names, place = np.unique(np.array(distinct, dtype=object), return_inverse=True)
    codes = np.append(place, -1)[coded.indices.fill_null(len(distinct)).to_numpy()]
    return pd.Series(
        pd.Categorical.from_codes(codes.astype("int64"), categories=pd.Index(names, dtype="str"))
    )


def _level(text: str, levels: frozenset[str]) -> str:
    """Return a level as the model knows it: 1.0 is 1, if that is a level and 1.0 is none.

    Codes become fractions where pandas writes a column of them that has missing values.
    """
    if text in levels:
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    plain = str(int(number)) if number.is_integer() else text
    return plain if plain in levels else text
