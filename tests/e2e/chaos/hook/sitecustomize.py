"""Tells the harness where a run is, and stops it there: in each process of a run that writes.

A run is cut into segments: `begin` until its first stage starts; each stage by its name, which is
its own process; `after <stage>`, in which the process above it commits what it left. An apostrophe
says that champion.json named somebody by then. What is counted are operations on files of the
project, as Python's audit hooks see them: between two of them nothing on the disk changes but the
content of a file that is open.
"""

import atexit
import os
import signal
import sys
from pathlib import Path

PIPE = os.environ.get("CHAOS_PIPE", "")
AT = os.environ.get("CHAOS_AT", "")  # "<segment>:" and an operation: its number, or how it starts
STOP = os.environ.get("CHAOS_STOP") == "1"
ROOT = os.environ.get("CHAOS_ROOT", "")
NOISE = tuple(f"{ROOT}/{name}" for name in (".perennial/prefect", ".perennial/logs", ".git/"))
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def role() -> str | None:
    """Return the stage that this process is; "" for a process above stages; None for others."""
    words = sys.orig_argv[1:]
    for word in words:
        if word.startswith("perennial.stages."):
            return word.removeprefix("perennial.stages.")
    above = any(Path(word).name in ("dvc", "training.py") for word in words[:1])
    return "" if above or words[-1:] == ["promote"] else None


class Segments:
    def __init__(self, stage: str) -> None:
        self.pid, self.count, self.hit = os.getpid(), 0, False
        self.name = self.marked(stage or "begin")
        self.say("start")
        self.step("start", "")

    def marked(self, name: str) -> str:
        nobody = '"digest": null' in Path(ROOT, "champion.json").read_text("utf-8")
        return name if nobody else f"{name}'"

    def say(self, *words: object) -> None:
        line = "\t".join(str(word) for word in (words[0], self.name, *words[1:]))
        handle = os.open(PIPE, os.O_WRONLY)
        os.write(handle, f"{line}\n".encode())
        os.close(handle)

    def step(self, what: str, path: str) -> None:
        wanted, _, which = AT.partition(":")
        path = path.removeprefix(f"{ROOT}/")
        said = f"{what} {path}"
        # one that has fewer operations this time is hit at its end
        named = which.startswith("os.") and said.startswith(which)
        here = what == "end" or which == str(self.count) or named
        if wanted == self.name and not self.hit and here:
            self.hit = True
            self.say("hit", self.count, what, path)
            if STOP:
                os.kill(os.getpid(), signal.SIGSTOP)
        self.count += 1

    def next(self, stage: str) -> None:
        self.end()
        self.name, self.count = self.marked(f"after {stage}"), 0
        self.say("start")

    def end(self) -> None:
        if self.pid == os.getpid():
            self.step("end", "")
            self.say("end", self.count)

    def heard(self, event: str, arguments: tuple) -> None:  # type: ignore[type-arg]
        if self.pid != os.getpid():
            return
        if event == "subprocess.Popen":
            words = " ".join(str(part) for part in (arguments[1] or [arguments[0]]))
            if "perennial.stages." in words:
                self.next(words.rpartition("perennial.stages.")[2].split()[0].strip("'\""))
        elif event in CHANGES or (event == "open" and self.writes(*arguments[1:])):
            if not self.named(arguments[0]):
                return
            path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100  a link stays one
            inside = path.startswith(f"{ROOT}/") and not path.startswith(NOISE)
            if inside and "__pycache__" not in path:
                self.step(event, path)

    @staticmethod
    def named(path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike)

    @staticmethod
    def writes(mode: str | None, flags: int) -> bool:
        return bool(mode and set(mode) & set("wax+")) or bool(flags & WRITING)


def begin() -> None:
    stage = role()
    if stage is None:
        return
    segments, busy = Segments(stage), []

    def hook(event: str, arguments: tuple) -> None:  # type: ignore[type-arg]
        if not busy and (event in CHANGES or event in ("open", "subprocess.Popen")):
            busy.append(1)  # what it does itself is no operation of the run
            try:
                segments.heard(event, arguments)
            finally:
                busy.pop()

    sys.addaudithook(hook)
    atexit.register(segments.end)


if PIPE:
    begin()
    if plant := os.environ.get("CHAOS_PLANT"):
        import planted

        planted.plant(plant)
