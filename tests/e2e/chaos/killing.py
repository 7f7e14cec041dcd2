"""One run, and the SIGKILL of all of its processes at a stated moment of it."""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

HOOK = Path(__file__).parent / "hook"
MARK = "CHAOS_RUN"  # in the environment of each process of a run, whatever group it is in
LONGEST = 900  # seconds of one run


@dataclass(frozen=True)
class Kill:
    """When to kill.

    Attributes:
        segment: Of the run; see hook/sitecustomize.py.
        operation: On files, counted from 0, which is the start of the segment; -1 is its end. Or
            how it starts, as `os.rename data/plan.json`.
        later: Seconds after that operation began, or after the segment did; None is just before
            the operation: the process is stopped there.
    """

    segment: str
    operation: int | str
    later: float | None

    def __str__(self) -> str:
        where = f"{self.segment} {'end' if self.operation == -1 else f'#{self.operation}'}"
        return where if self.later is None else f"{where} + {self.later * 1000:.0f} ms"


@dataclass
class Outcome:
    """What became of a run: `hit` says where it was killed, None that it ended by itself."""

    code: int
    output: str
    hit: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def run(folder: Path, command: Sequence[str], kill: Kill | None = None, **own: str) -> Outcome:
    """Run a command in a project's folder; kill it and all that it started where `kill` says."""
    mark = uuid4().hex
    with _pipe() as (name, reading), tempfile.TemporaryFile("w+") as output:
        which = "" if kill is None else "end" if kill.operation == -1 else str(kill.operation)
        at = f"{kill.segment}:{which}" if kill else ""
        stop = "1" if kill and kill.later is None else "0"
        home = folder.parent / "home"
        home.mkdir(exist_ok=True)
        # nothing of what tests are run with, such as a lock that is held
        theirs = ("PERENNIAL_", "PREFECT_", "DVC_", "MLFLOW_")
        env = {k: v for k, v in os.environ.items() if not k.startswith(theirs)} | {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{HOOK}{os.pathsep}{folder / 'src'}",
            "CHAOS_PIPE": name,
            "CHAOS_ROOT": str(folder.resolve()),
            "CHAOS_AT": at,
            "CHAOS_STOP": stop,
            MARK: mark,
            **own,
        }
        process = subprocess.Popen(
            command, cwd=folder, env=env, text=True, stdout=output, stderr=output
        )
        told = _Told(reading)
        hit = _watch(process, told, kill)
        if hit is not None or process.poll() is None:
            end(mark)
        code = process.wait()
        end(mark)  # what a run that ended has left running
        told.read(0)
        output.seek(0)
        return Outcome(code, output.read(), hit, told.counts, told.seconds)


class _Told:
    """What the processes of a run have told so far."""

    def __init__(self, reading: int) -> None:
        self.reading = reading
        self.counts: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self.started: dict[str, float] = {}
        self.hit: str | None = None

    def read(self, patience: float) -> None:
        if not select.select([self.reading], [], [], patience)[0]:
            return
        for line in os.read(self.reading, 65536).decode().splitlines():
            what, segment, *rest = line.split("\t")
            if what == "start":
                self.started[segment] = time.monotonic()
            elif what == "end":
                self.counts[segment] = int(rest[0])
                self.seconds[segment] = time.monotonic() - self.started[segment]
            else:
                self.hit = f"{segment} #{' '.join(rest).strip()}"


def _watch(process: "subprocess.Popen[str]", told: _Told, kill: Kill | None) -> str | None:
    """Return where to kill when it is time to; None when the run has ended before."""
    until = time.monotonic() + LONGEST
    while process.poll() is None:
        told.read(0.02)
        if time.monotonic() > until:
            return f"it did not end in {LONGEST} s"
        if kill is not None and told.hit is not None:
            if kill.later is not None:
                time.sleep(kill.later)
                return f"{told.hit} + {kill.later * 1000:.0f} ms"
            return told.hit
    return None


@contextmanager
def _pipe() -> Iterator[tuple[str, int]]:
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/told"
        os.mkfifo(name)
        reading = os.open(name, os.O_RDWR | os.O_NONBLOCK)
        try:
            yield name, reading
        finally:
            os.close(reading)


def end(mark: str) -> None:
    """Kill every process that has the mark in its environment, until there is none."""
    wanted = f"{MARK}={mark}".encode()
    while alive := [pid for pid in _processes() if wanted in _environment(pid)]:
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.005)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment(pid: int) -> bytes:
    try:  # a zombie has none
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
