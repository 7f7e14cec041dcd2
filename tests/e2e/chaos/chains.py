"""A chain of kills, each followed by the same command, and the report of all chains."""

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.chaos import state
from tests.e2e.chaos.killing import Kill, Outcome, run
from tests.e2e.chaos.state import State

DVC = ("dvc", "repro")
STATUS = (sys.executable, "-m", "perennial.cli", "status")
# what DVC says of a file that it was killed in the middle of writing in place
IN_PLACE = re.compile(r"dvc\.lock' (validation failed|is invalid)|Unable to read RWLock-file")


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
