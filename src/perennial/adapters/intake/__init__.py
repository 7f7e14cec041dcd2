"""Intake: the user's rows, from a file, a folder or a database, as one table.

Text stays text, so that what it says can be looked at. However large a table is, in memory are
some of its rows while it is read, and some of its columns after that. What was read, and what it
was found to be, lies in a temporary folder (`TMPDIR` says where) until the table is done with.
"""

from perennial.adapters.intake.batching import write_batch, write_batches
from perennial.adapters.intake.keeping import recognised
from perennial.adapters.intake.notes import NOTES, Notes
from perennial.adapters.intake.notes import read as notes
from perennial.adapters.intake.reading import read
from perennial.adapters.intake.table import Table

__all__ = [
    "NOTES",
    "Notes",
    "Table",
    "notes",
    "read",
    "recognised",
    "write_batch",
    "write_batches",
]
