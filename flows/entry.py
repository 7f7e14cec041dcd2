"""How a file of this folder starts and ends. Prefect, which reads its settings when it is
imported, has to come after it.

What is told is `perennial.commands.events`; the exit codes are those of `perennial`.
"""

import sys
import traceback
from collections.abc import Callable

from perennial.commands import environment
from perennial.commands.events import tell
from perennial.commands.faults import explained
from perennial.errors import PerennialError

try:
    environment.prepare()
except PerennialError as missing:
    print(missing, file=sys.stderr)
    sys.exit(missing.exit_code)


def finish(run: Callable[[], object], quiet: bool = False) -> int:
    """Run a flow, tell how it ended (unless `quiet`), and return the exit code."""
    error: PerennialError | None = None
    try:
        environment.require_server()
        run()
    except Exception as raised:
        error = explained(raised)
        if not isinstance(raised, PerennialError):
            traceback.print_exc()
    faults, remedy = (error.faults, error.remedy) if error else ([], None)
    code = error.exit_code if error else 0
    if not quiet:
        tell("end", exit_code=code, faults=faults, remedy=remedy)
    if error:
        print(error, file=sys.stderr)
    return code
