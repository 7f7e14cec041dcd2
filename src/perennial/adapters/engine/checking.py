"""A task is only done by a worker that runs this code. This is what a worker runs: no Dask here."""

from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import perennial
from perennial.adapters import files
from perennial.adapters.engine import devices
from perennial.errors import InputError

CODE = ("core", "params", "adapters/engine", "errors.py", "names.py")  # what tasks reach
PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy")  # and what they compute with
REMEDY = "Start the workers from the same commit and lock as this: one image for all."


@cache
def code() -> str:
    """Return the digest of what decides a task's result besides its arguments."""
    package = Path(str(perennial.__file__)).parent
    found = [
        file
        for part in CODE
        for file in sorted([package / part, *(package / part).rglob("*.py")])
        if file.is_file()
    ]
    return files.digest_of(
        *(f"{file.relative_to(package).as_posix()} {files.sha256(file)}" for file in found),
        devices.wheel()[1],
        *(metadata.version(name) for name in PACKAGES),
    )


def checked(wanted: str, device: str, function: Callable[..., Any], *given: Any) -> Any:
    """Call the function, if this worker runs the code that is wanted and has the device.

    Raises:
        InputError: it runs other code.
        PerennialError: as `devices.require`; or what the function raised.
    """
    if code() != wanted:
        raise InputError("a worker that has joined since has another version of the code", REMEDY)
    _require(device)
    return function(*given)


@cache
def _require(device: str) -> None:
    devices.require(device)


def same(value: Any) -> Any:
    """Return what is given: the task by which a value is kept on the cluster."""
    return value
