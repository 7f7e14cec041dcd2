"""The campaign: where it kills, in which projects, and the chains of kills at once."""

import random
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from ruamel.yaml import YAML

from tests.e2e.chaos import state
from tests.e2e.chaos.chains import DVC, Chain, Report, Undisturbed
from tests.e2e.chaos.killing import Kill, Outcome, run
from tests.e2e.conftest import ROOT, Project, clone, name_nobody

PERENNIAL = (sys.executable, "-m", "perennial.cli", "run")
PROMOTE = (sys.executable, "-m", "perennial.cli", "promote")
STAGES = tuple(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])  # in their order
LOOSE = {  # a year of rows makes no good model, and what is killed here is no gate
    "quality_floor": 0.4,
    "better_than_simple": 0.4,
    "slices": 10.0,
    "declared_slices": 10.0,
    "dependence": 0.9,
}
PROMOTIONS = 4
LATER = 0.03  # seconds after an operation began, at most: files here are written in less


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
