"""What `init` found out about how the user's rows are written, for the rows that come later."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from perennial.adapters import files
from perennial.errors import InputError

NOTES = Path("data/intake.json")


@dataclass(frozen=True)
class Notes:
    """How rows are written.

    Attributes:
        time: The column that says when a row is of; None where files do, or nothing.
        unit: What a period is, as `periods.Periods` has it.
        comma_is_decimal: Whether `1,234` is one and a bit, where nothing else says so.
        dates: How the dates of a column are written.
        missing: Texts that stand for a missing number or date, by column.
    """

    time: str | None = None
    unit: str | None = None
    comma_is_decimal: bool = False
    dates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return {"schema_version": 1, **asdict(self)}


def read() -> Notes:
    """Return the notes of this project; empty ones where `init` has written none.

    Raises:
        InputError: they can't be read.
    """
    if not NOTES.is_file():
        return Notes()
    remedy = "Put back what Git has (`git checkout data/intake.json`)."
    found = dict(files.read_json(NOTES, remedy))
    found.pop("schema_version", None)
    try:
        return Notes(**found)
    except TypeError as error:
        raise InputError(f"{NOTES}: not what `perennial init` writes", remedy) from error
