"""A child process with a log of its own, which ends when its parent does."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from perennial import paths

GRACE = 20  # seconds to end in, once it was told to
PR_SET_PDEATHSIG = 1  # prctl(2)
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None  # looked up before any fork


class Child:
    """A process that is started on entry, and ended with all it started on exit.

    Args:
        name: Of its log.
        command: What to run.
        held: A descriptor that it keeps open.
        environment: What it has beside this process's environment.
    """

    def __init__(
        self, name: str, command: Sequence[str], held: int, environment: Mapping[str, str]
    ) -> None:
        self.log: Path = paths.LOGS / f"prefect-{name}.log"
        self.restarts = 0
        self._command, self._held, self._environment = command, held, environment

    def __enter__(self) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self._process.pid

    def lives(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    def restart(self) -> None:
        """Start it anew, what is left of it ended."""
        self._end()
        self.restarts += 1
        self._start()

    def _start(self) -> None:
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                list(self._command),
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(self._held,),
                start_new_session=True,  # Ctrl-C is for the parent, which ends them in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509  one system call, no lock
            )

    def _end(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                self._process.send_signal(number)
                self._process.wait(GRACE)
                break
            except subprocess.TimeoutExpired:
                continue


def _die_with_parent() -> None:
    """Have the kernel tell this process to end when its parent is killed."""
    if PRCTL is not None:
        PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)
