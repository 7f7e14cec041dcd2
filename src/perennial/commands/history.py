"""history: who is in charge, since when and why."""

from typing import Any

from perennial import paths
from perennial.adapters import files


def history() -> list[dict[str, Any]]:
    """Return every change of champion, oldest first.

    Raises:
        IntegrityError: the history can't be read.
    """
    return files.read_json_lines(paths.HISTORY)
