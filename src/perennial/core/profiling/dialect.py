"""Dialects: how a text file separates and quotes its fields."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|", ":", " ")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", ":": "colons", " ": "spaces"}
LARGEST_FIELD = 1 << 20  # characters


@dataclass(frozen=True)
class Dialect:
    """How fields are set apart.

    Attributes:
        delimiter: Between two fields.
        quote: Around a field that holds a delimiter.
        escape: Before a quote within a field; None where it is doubled.
        skip: Lines before the header: 1 where the first says `sep=`.
    """

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    skip: int = 0

    def rows(self, text: "io.TextIOBase | io.StringIO") -> "csv.Reader":  # type: ignore[name-defined]
        """Return a reader of a text's rows."""
        csv.field_size_limit(LARGEST_FIELD)
        return csv.reader(
            text,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            doublequote=self.escape is None,
        )


def sniff(text: str, whole: bool) -> Dialect:
    """Return the dialect of a text by its first lines.

    The delimiter is the one with which most rows have the same number of fields, and more than one;
    the csv module's own Sniffer takes letters for delimiters.

    Args:
        text: The start of the file.
        whole: Whether it is all of it; else the last line is cut off.
    """
    skip = 0
    first = text.split("\n", 1)[0].strip().strip('"')
    if len(first) == 5 and first.startswith("sep="):
        return Dialect(first[4], skip=1)
    best, score = Dialect(","), (0.0, 0)
    for quote in ('"', "'"):
        if quote == "'" and '"' in text:
            continue
        escape = "\\" if f"\\{quote}" in text else None
        for delimiter in DELIMITERS:
            tried = Dialect(delimiter, quote, escape, skip)
            found = _score(tried, text, whole)
            if found > score:
                best, score = tried, found
    return best


def _score(dialect: Dialect, text: str, whole: bool) -> tuple[float, int]:
    """Return the share of rows as wide as the usual one, and how wide that is."""
    try:
        rows = [len(row) for row in dialect.rows(io.StringIO(text, newline="")) if row]
        rows = rows[dialect.skip :]
    except csv.Error:
        return 0.0, 0
    if not whole and len(rows) > 1:
        rows = rows[:-1]
    if not rows:
        return 0.0, 0
    (width, count), *_ = Counter(rows).most_common(1)
    if width < 2:
        return 0.0, 0
    penalty = 0.5 if dialect.delimiter in ": " else 1.0  # of times, and of words
    penalty *= 1.0 if rows[0] == width else 0.5  # the header knows best
    quoted = 1e-6 if dialect.quote == "'" else 0.0
    return round(penalty * count / len(rows) - quoted, 3 if not quoted else 7), width
