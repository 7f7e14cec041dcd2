"""Kills one after the other: each killed run is followed by the same command."""

import random
import re
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from tests.e2e.chaos import state
from tests.e2e.chaos.killing import Kill, Outcome, run
from tests.e2e.chaos.state import State
from tests.e2e.conftest import ROOT, Project, clone, name_nobody

DVC = ("dvc", "repro")
PERENNIAL = (sys.executable, "-m", "perennial.cli", "run")
STATUS = (sys.executable, "-m", "perennial.cli", "status")
PROMOTE = (sys.executable, "-m", "perennial.cli", "promote")
STAGES = tuple(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])  # in their order
# what DVC says of a file that it was killed in the middle of writing in place
IN_PLACE = re.compile(r"dvc\.lock' (validation failed|is invalid)|Unable to read RWLock-file")
LOOSE = {  # a year of rows makes no good model, and what is killed here is no gate
    "quality_floor": 0.4,
    "better_than_simple": 0.4,
    "slices": 10.0,
    "declared_slices": 10.0,
    "dependence": 0.9,
}
PROMOTIONS = 4
LATER = 0.03  # seconds after an operation began, at most: files here are written in less


@dataclass(frozen=True)
class Killed:
    """One kill: what was run, where it hit, what it left, and whether all was well."""

    chain: str
    command: str
    wanted: str
    hit: str
    torn_lock: bool
    temporary_files: int
    faults: Sequence[str]


@dataclass
class Undisturbed:
    """What a run leaves that nobody kills: at the start, judged, and promoted and converged."""

    start: State
    judged: State
    done: State
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    planned_trials: int = 4

    @property
    def known(self) -> list[State]:
        return [self.start, self.judged, self.done]


@dataclass
class Report:
    """All kills, what was wrong at the end of each chain of them, and what never came to be hit.

    `mended` are kills after which plain `dvc repro` needed `perennial status`: DVC writes dvc.lock
    and its rwlock in place, and does not read half of one.
    """

    seed: int
    kills: list[Killed] = field(default_factory=list)
    ends: dict[str, list[str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [
            *(f"{k.chain}, killed at {k.hit}: {fault}" for k in self.kills for fault in k.faults),
            *(
                f"{chain}, at the end: {fault}"
                for chain, told in self.ends.items()
                for fault in told
            ),
        ]

    @property
    def ok(self) -> bool:
        return bool(self.kills) and bool(self.ends) and not self.faults

    def to_json(self) -> dict[str, Any]:
        return {"schema_version": 1, "ok": self.ok, **asdict(self)}

    def summary(self) -> str:
        torn = sum(kill.torn_lock for kill in self.kills)
        counts = f"{len(self.kills)} kills in {len(self.ends)} chains, dvc.lock torn by {torn}"
        counts += f", {len(self.mended)} of them mended by `perennial status`"
        verdict = "all finished by the same command" if self.ok else "\n".join(self.faults)
        return f"{counts}, {len(self.missed)} not reached: {verdict}"


class Chain:
    """A project that is killed again and again while one command is run in it."""

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Sequence[str],
        known: Undisturbed,
        report: Report,
        plant: str = "",
    ) -> None:
        self.name, self.folder, self.command = name, folder, command
        self.known, self.report = known, report
        self.own = {"CHAOS_PLANT": plant} if plant else {}

    def kill(self, kill: Kill) -> bool:
        """Run until the kill; return whether it came to that."""
        outcome = self._run(kill)
        if outcome.hit is None:
            self.report.missed.append(f"{self.name}: {kill}")
            print(f"    {self.name}: {kill} not reached", flush=True)
            if outcome.code:
                self._blame(outcome)
            return False
        torn = state.torn_lock(self.folder)
        killed = Killed(
            self.name,
            " ".join(Path(word).name for word in self.command),
            str(kill),
            outcome.hit,
            torn,
            len(state.leftovers(self.folder)),
            state.wounds(self.folder, self.known.known),
        )
        self.report.kills.append(killed)
        said = "; ".join(killed.faults) or "ok"
        print(f"{len(self.report.kills):3} {self.name}: {killed.hit}: {said}", flush=True)
        return True

    def finish(self, expected: State) -> Outcome:
        """Run it once more, undisturbed, and compare what is there with what should be."""
        outcome = self._run()
        if outcome.code:
            self._blame(outcome)
        told = self.report.ends.setdefault(self.name, [])
        told += state.differences(state.look(self.folder), expected)
        told += [f"{name}: left behind" for name in state.leftovers(self.folder)]
        print(f"    {self.name}: {'; '.join(told) or 'as if nothing had happened'}", flush=True)
        return outcome

    def _run(self, kill: Kill | None = None) -> Outcome:
        outcome = run(self.folder, self.command, kill, **self.own)
        if outcome.code and self.command == DVC and IN_PLACE.search(outcome.output):
            self.report.mended.append(self.report.kills[-1].hit)
            run(self.folder, STATUS)
            outcome = run(self.folder, self.command, kill, **self.own)
        return outcome

    def _blame(self, outcome: Outcome) -> None:
        last = self.report.kills[-1].hit if self.report.kills else "nothing"
        fault = f"exit {outcome.code} after a kill at {last}: {outcome.output.strip()[-600:]}"
        self.report.ends.setdefault(self.name, []).append(fault)
        print(f"    {self.name}: {fault}", flush=True)


def small(folder: Path) -> Project:
    """Clone the project and make it smaller than the other tests have it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    project = clone(folder)
    for batch in (folder / "data/batches").iterdir():
        if batch.name < "2009-08":
            batch.unlink()
    file, yaml_ = folder / "params.yaml", YAML()
    params = yaml_.load(file)
    params["explanation"]["rows"], params["behaviour"]["rows"] = 300, 200
    params["search"]["simpler_within_errors"] = 0.0  # a boosted candidate
    gates = params["gates"]
    for name, limit in LOOSE.items():
        gates[name]["margin" if "margin" in gates[name] else "threshold"] = limit
    for gate in gates.values():
        if isinstance(gate, dict) and "insufficient" in gate:
            gate["insufficient"] = "tolerate"
    yaml_.dump(params, file)
    return project


def undisturbed(folder: Path) -> tuple[Project, Undisturbed]:
    """Run a clone to its verdict, keep a copy, promote; return the copy and all states."""
    project = small(folder / "undisturbed/project")
    shutil.copytree(project.folder, folder / "fresh", symlinks=True)
    start = state.look(project.folder)
    first = _well(run(project.folder, DVC))
    judged, copy = state.look(project.folder), project.copy(folder / "judged")
    second = _well(run(project.folder, PERENNIAL))
    found = Undisturbed(start, judged, state.look(project.folder))
    # the second run passes the stages by until there is a champion
    found.counts = {
        **second.counts,
        **first.counts,
        "after register": second.counts["after register"],
    }
    found.seconds = {**second.seconds, **first.seconds}
    assert found.done.versions == (found.done.champion["digest"],), "nobody was promoted"
    return copy, found


def _well(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome.output
    return outcome


def inside(segment: str, known: Undisturbed, random_: random.Random) -> Kill:
    """Draw a moment inside a segment: before an operation, while one goes on, or any time."""
    how = random_.choice(("before", "during", "any time"))
    count = known.counts.get(segment, 2)
    if how == "any time" and not segment.startswith("after"):
        return Kill(segment, 0, random_.random() * known.seconds.get(segment, 1.0))
    number = random_.randrange(1, max(count - 1, 2))
    return Kill(segment, number, None if how == "before" else random_.random() * LATER)


def boundary(stage: str, after: bool) -> Kill:
    """The start of a stage's process, or its end, before anything is committed."""
    return Kill(stage, -1 if after else 0, None)


def brief(project: Project, folder: Path, seed: int) -> Report:
    """Kill a few times where it is cheap: in a finished project that nobody is champion of by now.

    Args:
        project: Finished; its champion is forgotten, its registry and DVC's cache of runs emptied.
        folder: For a copy of it.
        seed: Of where it kills.
    """
    draw, report = random.Random(f"{seed} brief"), Report(seed)
    name_nobody(project)
    for name in (".dvc/cache/runs", ".perennial/mlflow", "models/champion"):
        shutil.rmtree(project.folder / name, ignore_errors=True)
    killed = project.copy(folder / "killed/project")
    start = state.look(project.folder)
    first = _well(run(project.folder, DVC))
    judged = state.look(project.folder)
    second = _well(run(project.folder, PROMOTE))
    known = Undisturbed(start, judged, state.look(project.folder))
    known.counts, known.seconds = second.counts | first.counts, second.seconds | first.seconds
    known.counts["begin"] = second.counts["begin"]
    chain = Chain("dvc repro", killed.folder, DVC, known, report)
    chain.kill(inside("monitor", known, draw))
    chain.kill(boundary("gate", after=draw.random() < 0.5))
    chain.kill(inside("register", known, draw))
    chain.finish(known.judged)
    chain = Chain("perennial promote", killed.folder, PROMOTE, known, report)
    chain.kill(inside("begin", known, draw))
    chain.finish(known.done)
    return report


def whole(folder: Path, seed: int, kills: int, jobs: int = 2) -> Report:
    """Kill at every boundary and inside every stage, in both ways to run, often enough.

    Args:
        folder: To work in.
        seed: Of where it kills; each chain draws for itself.
        kills: At least so many.
        jobs: Chains at once.
    """
    report = Report(seed)
    judged, known = undisturbed(folder)
    print(f"operations, undisturbed: {known.counts}", flush=True)

    def chain(name: str, start: Path, command: Sequence[str]) -> tuple[Chain, random.Random]:
        project = folder / name.replace(" ", "-") / "project"
        shutil.copytree(start, project, symlinks=True)
        return Chain(name, project, command, known, report), random.Random(f"{seed} {name}")

    def by_dvc() -> None:
        killed, draw = chain("dvc repro", folder / "fresh", DVC)
        for stage in STAGES:
            killed.kill(boundary(stage, after=False))
            killed.kill(inside(stage, known, draw))
            killed.kill(boundary(stage, after=True))
            killed.kill(inside(f"after {stage}", known, draw))
        killed.finish(known.judged)

    def by_flow() -> None:
        killed, draw = chain("perennial run", folder / "fresh", PERENNIAL)
        for stage in STAGES:
            killed.kill(boundary(stage, after=draw.random() < 0.5))
            killed.kill(inside(stage, known, draw))
        killed.finish(known.done)

    def promotion(number: int) -> None:
        """Kill what follows the verdict: the promotion, then the run that converges."""
        killed, draw = chain(f"promotion {number}", judged.folder, PERENNIAL)
        killed.kill(inside("after register", known, draw))
        killed.kill(inside(draw.choice(("monitor'", "gate'", "after gate'")), known, draw))
        killed.finish(known.done)

    with ThreadPoolExecutor(jobs) as pool:
        for_all = [pool.submit(by_dvc), pool.submit(by_flow)]
        for_all += [pool.submit(promotion, number) for number in range(PROMOTIONS)]
        for done in for_all:
            done.result()
    number = PROMOTIONS
    while len(report.kills) < kills and number < 5 * PROMOTIONS:
        promotion(number)
        number += 1
    return report
