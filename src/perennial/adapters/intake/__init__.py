"""Intake: the user's rows, from a file, a folder or a database, as one table.

Text stays text, so that what it says can be looked at. Nothing is written but temporary files of
what was compressed, which are gone when the table is read.
"""

from perennial.adapters.intake.notes import NOTES, Notes
from perennial.adapters.intake.notes import read as notes
from perennial.adapters.intake.reading import read
from perennial.adapters.intake.table import Table

__all__ = ["NOTES", "Notes", "Table", "notes", "read"]
