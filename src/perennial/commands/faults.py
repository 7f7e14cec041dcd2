"""Whatever was raised, as an error for the user with an exit code."""

from pathlib import Path

from perennial.adapters.dag import CrashedError
from perennial.errors import InputError, PerennialError, UnreachableError
from perennial.stages.running import SYSTEM_REMEDIES

SERVER = "Start Prefect's server, or unset PREFECT_API_URL to do without one; then run again."


def explained(error: BaseException) -> PerennialError:
    """Return an error for the user; what nobody foresaw is Perennial's own fault."""
    if isinstance(error, PerennialError):
        return error
    if isinstance(error, OSError) and error.errno in SYSTEM_REMEDIES:
        where = error.filename or Path.cwd()
        return InputError(f"{where}: {error.strerror}", SYSTEM_REMEDIES[error.errno])
    told = " ".join(str(error).split()) or type(error).__name__
    if type(error).__module__.split(".")[0] in ("prefect", "httpx") or "Prefect API" in told:
        return UnreachableError(f"Prefect: {told}", SERVER)
    return CrashedError(
        f"Perennial itself failed: {type(error).__name__}: {told}",
        "This is no fault of your input. Run again with --debug, which shows where, and report it.",
    )
