"""What Prefect is to know before it is imported, which is when it reads its settings."""

import os
from importlib.util import find_spec
from pathlib import Path

from perennial import paths
from perennial.errors import InputError

HOME = paths.STATE / "prefect"
EVENTS = "PERENNIAL_EVENTS"  # set to `json`: the flow tells what it does as JSON lines on stdout


def for_flows(folder: Path) -> dict[str, str]:
    """Return the environment of a flow: what is set already counts, but for telemetry.

    Without PREFECT_API_URL Prefect starts a server of its own for the time of the flow. Its state
    is in the project's folder, and only warnings come to the terminal, while the server is told all.
    """
    home = str((folder / HOME).resolve())
    defaults = {
        "PREFECT_HOME": home,
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
    }
    silent = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}
    return {**defaults, **os.environ, **silent}


def prepare() -> None:
    """Set it for this process.

    Raises:
        InputError: Prefect is not installed.
    """
    require_prefect()
    os.environ.update(for_flows(Path.cwd()))


def require_prefect() -> None:
    """Check that Prefect is installed, without importing it.

    Raises:
        InputError: it isn't.
    """
    if find_spec("prefect") is None:
        raise InputError(
            "Prefect is not installed, which runs the stages as a flow",
            "pip install 'perennial[flows]'; without it, `dvc repro` runs the same stages and "
            "`perennial promote` acts on their verdict.",
        )
