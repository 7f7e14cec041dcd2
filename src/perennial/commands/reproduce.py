"""reproduce: a version derived again from what it was made from, and held against its digests."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, dag, lockfile, machine, runlock
from perennial.commands import origins, scratch
from perennial.commands.differing import detail
from perennial.commands.events import Listener
from perennial.commands.origins import Origin
from perennial.core import reproduction
from perennial.core.reproduction import Difference
from perennial.errors import PerennialError
from perennial.stages.register import LOCK

FOLDER = paths.STATE / "reproduce"
BUNDLE = "the candidate's bundle"


@dataclass(frozen=True)
class Derived:
    """A stage as it was derived: `outputs` is how many it made, `fault` why it failed."""

    stage: str
    seconds: float
    outputs: int
    differences: list[Difference]
    fault: str | None = None


@dataclass(frozen=True)
class Reproduction:
    """What came of it. `environment` is what differs in it, None where it was not recorded;
    `folder` is where the derivation is, if it was kept."""

    name: str
    digest: str
    source: str
    commit: str | None
    stages: list[Derived]
    environment: list[str] | None
    folder: str | None = None
    equal: bool = field(init=False)

    def __post_init__(self) -> None:
        sound = all(not each.differences and each.fault is None for each in self.stages)
        object.__setattr__(self, "equal", bool(self.stages) and sound)

    @property
    def first(self) -> str | None:
        """The first difference in a sentence, in the order of the DAG; None if there is none."""
        for each in self.stages:
            if each.differences:
                return in_words(each.differences[0])
            if each.fault is not None:
                return f"{each.stage}: failed: {each.fault}"
        return None

    @property
    def cause(self) -> str | None:
        """What the first difference most likely comes from."""
        first = next((each for each in self.stages if each.differences or each.fault), None)
        if first is None:
            return None
        if first.differences and first.differences[0].kind != "output":
            return "the stage was not given what is recorded: the code, or the record, is another"
        if self.environment:
            return f"another environment: {'; '.join(self.environment)}"
        if self.environment is None:
            return "unknown: the environment of the version was not recorded"
        return "code that does not give the same bytes twice: the environment is the same"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told = {"first": self.first, "cause": self.cause}
        return {"schema_version": 1, **asdict(self), **told}


def reproduce(
    wanted: str | None,
    keep: bool,
    remote: str | None,
    listen: Listener,
    say: Callable[[str], None],
) -> Reproduction:
    """Derive a version again, from its plan to its gates, and compare every digest.

    Args:
        wanted: A version's number, the start of its digest, or `champion`; None is the champion.
        keep: Whether the folder it is derived in is kept although nothing differs.
        remote: DVC's remote for what its cache hasn't; None is its default.
        listen: Is given an event for each stage.
        say: Is given what there is to say before the first of them.

    Raises:
        InputError: there is no such version.
        IntegrityError: something that it was made from is not to be had, or was changed.
        UnreachableError: the registry or the remote can't be reached, or somebody derives it now.
    """
    origin = origins.find(origins.meant(wanted))
    folder = FOLDER / origin.meant.digest[:12]
    differing = _environment(origin)
    say(f"{origin.name} ({origin.meant.digest[:12]}), recorded by {origin.source}")
    say(_told(differing))
    with runlock.alone(folder.with_name(f"{folder.name}.lock")) as held:
        shutil.rmtree(folder, ignore_errors=True)
        kept = keep
        try:
            scratch.prepare(origin, folder, dag.remote_name(remote))
            stages = _derive(origin, folder, held, listen)
            found = _result(origin, stages, differing)
            kept = keep or not found.equal
        finally:
            if not kept:
                shutil.rmtree(folder, ignore_errors=True)
    return replace(found, folder=folder.as_posix() if kept else None)


def in_words(difference: Difference) -> str:
    """Return a difference in a sentence."""
    one, other = difference.recorded, difference.derived
    what = f"{difference.stage}: {difference.kind} {difference.name}"
    if difference.kind == "parameter":
        return f"{what}: recorded {one}, given {other}"
    told = f" ({difference.detail})" if difference.detail else ""
    return f"{what}: recorded {_short(one)}, derived {_short(other)}{told}"


def _environment(origin: Origin) -> list[str] | None:
    if origin.environment is None:
        return None
    return reproduction.environments(origin.environment, machine.describe())


def _told(differing: list[str] | None) -> str:
    if differing is None:
        return "its environment was not recorded"
    return "the environment differs: " + "; ".join(differing) if differing else "same environment"


def _derive(origin: Origin, folder: Path, held: int, listen: Listener) -> list[Derived]:
    """Run what comes after the plan; a stage that fails, or is given something else, is the last.

    Where only an output differs the others still run, so that it is known which are the same.
    """
    found: list[Derived] = []
    made = {each["path"] for entry in origin.lock.values() for each in entry.get("outs", ())}

    def visit(step: dag.Step) -> None:
        if found and _ends(found[-1], made):
            return
        listen({"event": "stage", "stage": step.name, "state": "running"})
        began, last, fault = time.monotonic(), [""], None

        def hear(line: str) -> None:
            last[0] = line
            listen({"event": "line", "stage": step.name, "line": line})

        try:
            step.run(hear)
        except PerennialError as error:
            fault = " ".join(error.faults)
        entry = lockfile.stages(LOCK.read_bytes()).get(step.name) if LOCK.is_file() else None
        differences = (
            [] if fault else reproduction.differences(step.name, origin.lock.get(step.name), entry)
        )
        outputs = len((entry or {}).get("outs", ()))
        seconds = time.monotonic() - began
        found.append(Derived(step.name, seconds, outputs, differences, fault))
        listen(_event(found[-1]))

    with contextlib.chdir(folder), _own_code():
        dag.walk(visit, keep_open=(held,), after=paths.PLAN)
    return found


def _ends(last: Derived, made: set[str]) -> bool:
    return last.fault is not None or bool(reproduction.given(last.differences, sorted(made)))


def _event(done: Derived) -> dict[str, Any]:
    differs = done.fault is not None or bool(done.differences)
    said = done.fault or (
        in_words(done.differences[0]) if differs else f"{done.outputs} as recorded"
    )
    state = "failed" if differs else "ran"
    return {
        "event": "stage",
        "stage": done.stage,
        "state": state,
        "seconds": done.seconds,
        "line": said,
    }


def _result(origin: Origin, stages: list[Derived], differing: list[str] | None) -> Reproduction:
    """Return what came of it, with what in the first difference differs."""
    folder = FOLDER / origin.meant.digest[:12]
    for index, each in enumerate(stages):
        if each.differences:
            first, *rest = each.differences
            told = replace(first, detail=detail(first, origin, folder))
            stages[index] = replace(each, differences=[told, *rest])
            break
    found = Reproduction(
        origin.name,
        origin.meant.digest,
        origin.source,
        origin.commit,
        stages,
        differing,
    )
    if not found.equal:
        return found
    # the lock's digests are DVC's: the one that the version is known by is held as well
    bundle = folder / paths.CANDIDATE
    derived = bundles.digest(bundle) if bundle.is_dir() else None
    if derived == origin.meant.digest:
        return found
    wrong = Difference(stages[-1].stage, "output", BUNDLE, origin.meant.digest, derived)
    return replace(found, stages=[*stages[:-1], replace(stages[-1], differences=[wrong])])


@contextlib.contextmanager
def _own_code() -> Iterator[None]:
    """Have the stages import what is in `src` here, not what is installed."""
    before = os.environ.get("PYTHONPATH")
    source = str(Path("src").resolve())
    os.environ["PYTHONPATH"] = source if not before else f"{source}{os.pathsep}{before}"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "nothing"
