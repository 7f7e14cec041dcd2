"""What Prefect is to know before it is imported, which is when it reads its settings."""

import http.client
import os
import shutil
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

from perennial import paths
from perennial.errors import InputError, UnreachableError

HOME = paths.STATE / "prefect"
ROOM = 64 * 2**20  # the states of registry and server, and a candidate, with some to spare


def for_flows(folder: Path) -> dict[str, str]:
    """Return the environment of a flow: what is set already counts, but for telemetry.

    Without PREFECT_API_URL Prefect starts a server of its own for as long as the flow runs. Its
    state is in the project's folder. The terminal sees warnings only, the server every line.
    """
    home = str((folder / HOME).resolve())
    defaults = {
        "PREFECT_HOME": home,
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_LEVEL": "INFO",
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
    # without it Prefect's own server can't open its database, and is waited for in vain
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)


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


def require_room(folder: Path) -> None:
    """Check that there is room to work in: on a full disk Prefect's server hangs for minutes.

    Raises:
        InputError: there is less than `ROOM`.
    """
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        raise InputError(
            f"{folder}: the disk is full: {free / 2**20:,.0f} MiB free, "
            f"a run needs {ROOM // 2**20:,} MiB",
            "Make room, then run the same command again.",
        )


def require_server() -> None:
    """Check that the server that PREFECT_API_URL names is there: Prefect would retry for minutes.

    Raises:
        UnreachableError: it isn't.
    """
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return
    try:
        urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=10).close()  # noqa: S310
    except urllib.error.HTTPError:
        return  # an answer, if not a kind one: Prefect knows what to do with it
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UnreachableError(
            f"Prefect's server {url} can't be reached: {getattr(error, 'reason', error)}",
            "Start it, correct PREFECT_API_URL, or unset that to do without a server.",
        ) from error
