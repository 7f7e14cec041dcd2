"""How every stage is run: its outcome is left in a status file, which `perennial` reads because
DVC itself answers 255 for whatever went wrong."""

import atexit
import contextlib
import errno
import gc
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from perennial import paths
from perennial.adapters import files
from perennial.errors import InputError, PerennialError

SYSTEM_REMEDIES = {
    errno.ENOSPC: "The disk is full: make room, then run the same command again.",
    errno.EDQUOT: "The disk quota is used up: make room, then run the same command again.",
    errno.EROFS: "The folder is read-only: run in a folder that you may write to.",
    errno.EACCES: "No permission: run as the folder's owner, or change its permissions.",
    errno.EPERM: "No permission: run as the folder's owner, or change its permissions.",
}


def run(stage: Callable[[], int | None]) -> None:
    """Run a stage, leave its outcome in the status file and exit with its code.

    A traceback is shown only where PERENNIAL_DEBUG is set (`perennial --debug` sets it), or for a
    fault of our own.
    """
    _set_environment()
    # a stage lives for seconds: collecting at every 700 objects is a tenth of what imports cost
    gc.set_threshold(100_000)
    name = os.environ.get("DVC_STAGE") or Path(sys.argv[0]).stem
    code, message = 0, ""
    try:
        code = stage() or 0
    except (PerennialError, OSError) as error:
        known = _explained(error)
        if known is None:
            raise
        code, message = known.exit_code, str(known)
        print(message, file=sys.stderr)
        if os.environ.get("PERENNIAL_DEBUG"):
            traceback.print_exc()
    _leave_status(name, code, message)
    if stage.__module__ == "__main__":
        _end(code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    """End the process, all that asked for it done and all that was printed out.

    Python would take down every object first, which takes up to half a second after an import of
    pandas, SciPy and XGBoost: a tenth of what the stages take beside their own work.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _set_environment() -> None:
    """Set what libraries read when a stage first imports them, which is after this."""
    # a cache of fonts, which would otherwise go to the home directory
    os.environ.setdefault("MPLCONFIGDIR", str(paths.MATPLOTLIB.resolve()))
    # pydantic would read what every package declares, for plugins, in each stage
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")


def _explained(error: Exception) -> PerennialError | None:
    """Return the error as one for the user, or None if it is a fault of our own."""
    if isinstance(error, PerennialError):
        return error
    remedy = SYSTEM_REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None
    if remedy is None or not isinstance(error, OSError):
        return None
    return InputError(f"{error.filename or Path.cwd()}: {error.strerror}", remedy)


def _leave_status(name: str, code: int, message: str) -> None:
    status = {"stage": name, "exit_code": code, "message": message}
    with contextlib.suppress(OSError):  # a full or read-only disk: said already
        files.write_json(paths.STATUS / f"{name}.json", status)
