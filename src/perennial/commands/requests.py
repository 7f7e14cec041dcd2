"""A request to retrain or retune, for one run: `policy.request` of params.yaml, set and put back.

The parameter is what the DAG depends on, so it has to be set where DVC reads it. What was there is
noted first; a run that was killed in between is undone by the next one.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from perennial import paths
from perennial.adapters import files
from perennial.adapters.files.configuration import read_params
from perennial.errors import InputError

Request = Literal["none", "retrain", "retune"]
NOTE = paths.STATE / "request.json"
REMEDY = f"Put policy.request of {paths.PARAMS} right by hand, and remove {NOTE}; then run again."


@contextmanager
def asked(request: Request) -> Iterator[None]:
    """Have params.yaml ask for it as long as this lasts; `none` leaves what the file says.

    Raises:
        InputError: params.yaml is wrong, or its `policy.request` can't be set in place.
    """
    before = read_params("policy").policy.request if request != "none" else request
    if request == before:
        yield
        return
    files.write_json(NOTE, {"schema_version": 1, "before": before, "set": request})
    try:
        _set(request)
        yield
    finally:
        restore()


def restore() -> bool:
    """Put back what a request replaced, and return whether there was anything to put back.

    What a person has written there since stays.

    Raises:
        InputError: params.yaml or the note of it is wrong.
    """
    if not NOTE.exists():
        return False
    note = files.read_json(NOTE, REMEDY)
    if read_params("policy").policy.request == note["set"]:
        _set(note["before"])
    NOTE.unlink()
    return True


def _set(request: str) -> None:
    """Replace the one word, so that every other byte of the file stays."""
    from ruamel.yaml import YAML

    content = paths.PARAMS.read_bytes()
    line, column = YAML().load(content)["policy"].lc.value("request")
    lines = content.decode().splitlines(keepends=True)
    word = re.match(r"none|retrain|retune", lines[line][column:])
    if word is None:  # quoted, or on a line of its own in a way that nobody writes
        raise InputError(
            f"{paths.PARAMS}, line {line + 1}, policy.request: not a plain word",
            "Write `none`, `retrain` or `retune` without quotes, so that a run can set it.",
        )
    lines[line] = lines[line][:column] + request + lines[line][column + word.end() :]
    files.write_bytes(paths.PARAMS, "".join(lines).encode())
