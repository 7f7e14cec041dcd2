"""Text columns: which values mean nothing, and which are numbers written as people write them."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

# what stands for no value; `none` and `unknown` may be answers, so they stay levels
NULLS = frozenset(
    {"", "?", ".", "-", "--", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN"}
    | {"NULL", "null", "Null", "NaT", "#NULL!", "#DIV/0!", "#VALUE!"}
)
MOSTLY = 0.95  # of the values must be numbers, if the rest are only a few words
FEW_WORDS = 5
CURRENCY = r"[$€£¥₹₽₩]|\b(?:USD|EUR|GBP|CHF|JPY)\b"
COMMA_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
DOT_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
COMMA_DECIMAL = re.compile(r"[-+]?\d*,\d+")
LEADING_ZERO = re.compile(r"0\d+")


@dataclass(frozen=True)
class Numbers:
    """A text column read as numbers.

    Attributes:
        cells: float64, missing where there was no number, shape (rows,).
        written: How they were written, where not plainly; None if they were.
        words: Values that are no numbers and became missing.
    """

    cells: pd.Series
    written: str | None
    words: tuple[str, ...]


def levels_of(values: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """Return each row's code and the distinct texts, stripped; -1 is no value.

    What is done to a text is done once for each distinct one.
    """
    codes, distinct = pd.factorize(values)
    texts = pd.Series(np.asarray(distinct, dtype=object), dtype="str").str.strip()
    again, stripped = pd.factorize(texts.mask(texts.isin(NULLS)))
    together = np.where(codes >= 0, again[codes], -1) if len(again) else codes
    return together, pd.Series(np.asarray(stripped, dtype=object), dtype="str")


def spread(per_level: pd.Series, codes: np.ndarray) -> pd.Series:
    """Return what each level has for each row; missing where the row has none."""
    cells = pd.api.extensions.take(per_level.array, codes, allow_fill=True)
    return pd.Series(cells)


def is_code(levels: pd.Series) -> bool:
    """Say whether digits are a code, such as a postcode: a number has no leading zero."""
    return bool(levels.str.fullmatch(LEADING_ZERO.pattern).any())


def numbers(codes: np.ndarray, levels: pd.Series, comma_is_decimal: bool = False) -> Numbers | None:
    """Return a text column as numbers, or None where it is something else.

    Args:
        codes: Of each row, as `levels_of` returns them.
        levels: The distinct texts.
        comma_is_decimal: Whether `1,234` is one and a bit, where nothing else says so.
    """
    if levels.empty:
        return None
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    plain = pd.to_numeric(levels, errors="coerce").astype("float64")
    written, found = None, plain
    if plain.isna().any():
        looked = levels if len(levels) <= 1000 else levels.iloc[:: len(levels) // 1000]
        if not looked.str.contains(r"\d").mean() > MOSTLY / 2:
            return None  # most distinct values have no digit: words
        found, written = _as_people_write(levels, plain, comma_is_decimal)
    unread = found.isna()
    share = 1 - counts[unread.to_numpy()].sum() / counts.sum()
    if share < MOSTLY or unread.sum() > FEW_WORDS:
        return None
    found = found.where(np.isfinite(found))
    words = tuple(sorted(levels[unread]))
    return Numbers(spread(found, codes), written, words)


def _as_people_write(
    levels: pd.Series, plain: pd.Series, comma_is_decimal: bool
) -> tuple[pd.Series, str | None]:
    """Return levels read with currencies, per cent, thousands and brackets taken off; and which."""
    bare = levels.str.replace(CURRENCY, "", regex=True).str.strip()
    marks = ["with a currency"] if (bare != levels).any() else []
    percent = bare.str.endswith("%")
    bare = bare.str.removesuffix("%").str.strip()
    marks += ["in per cent"] if percent.any() else []
    bracketed = bare.str.fullmatch(r"\([^()]*\)|[\d.,]+-")
    bare = bare.where(~bracketed, "-" + bare.str.strip("()-"))
    bare = bare.str.replace(r"(?<=\d)[\s\u00a0\u202f'’](?=\d{3})", "", regex=True)
    bare = bare.str.replace("\u2212", "-")
    commas = bare[bare.str.contains(",", regex=False)]
    if not commas.empty:
        thousands = commas.str.fullmatch(COMMA_THOUSANDS.pattern).mean()
        pattern = f"{DOT_THOUSANDS.pattern}|{COMMA_DECIMAL.pattern}"
        decimal = commas.str.fullmatch(pattern).mean()
        if decimal > thousands or (decimal == thousands and comma_is_decimal):
            marks.append("with a decimal comma")
            dotted = bare.str.replace(".", "", regex=False)
            bare = dotted.str.replace(",", ".", regex=False)
        else:
            marks.append("with commas between thousands")
            bare = bare.where(
                ~bare.str.fullmatch(COMMA_THOUSANDS.pattern), bare.str.replace(",", "", regex=False)
            )
    read = pd.to_numeric(bare, errors="coerce").astype("float64")
    return (read, " and ".join(marks) or None) if read.notna().any() else (plain, None)
