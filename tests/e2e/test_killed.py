"""Killed anywhere, finished by the same command. The whole campaign is `make chaos`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.chaos import campaign, state
from tests.e2e.chaos.chains import Chain, Report, Undisturbed
from tests.e2e.chaos.killing import Kill
from tests.e2e.conftest import Project, name_nobody

pytestmark = pytest.mark.slow


def test_a_run_killed_anywhere_is_finished_by_the_same_command(
    project: Project, tmp_path: Path
) -> None:
    """No half file, no stale lock, one version, one entry, and the hashes of an undisturbed run."""
    seed = int(os.environ.get("CHAOS_SEED", "1"))
    report = campaign.brief(project, tmp_path, seed)
    assert report.ok, f"CHAOS_SEED={seed}: {report.summary()}"
    assert len(report.kills) == 4


PLANTED = {
    "lock_that_stays": ("promote", Kill("begin", "os.chmod .champion.json", None), "exit 4"),
    "another_entry": ("promote", Kill("begin", "os.chmod .champion.json", None), "2 entries"),
    "write_in_place": ("gate", Kill("gate'", "os.chmod reports/gate.json", None), "half a file"),
    "registered_again": ("register", Kill("register'", -1, None), "2 registered versions"),
    "uncounted_trials": ("tune", Kill("tune'", -1, None), "trials: 5, not 4"),
}


@pytest.mark.long
@pytest.mark.parametrize("plant", PLANTED)
def test_kills_find_the_fault_they_are_for(project: Project, plant: str) -> None:
    """The campaign itself fails on a write in place, a lock that stays, anything done twice."""
    what, kill, told = PLANTED[plant]
    command: tuple[str, ...] = ("dvc", "repro", "--force", "--single-item", what)
    if what == "promote":
        command = campaign.PROMOTE
        name_nobody(project)
        shutil.rmtree(project.folder / "models/champion")
        assert project.dvc("repro").returncode == 0
    start = state.look(project.folder)
    known, report = Undisturbed(start, start, start), Report(1)
    chain = Chain(plant, project.folder, command, known, report, plant)
    assert chain.kill(kill)
    chain.finish(start)
    assert told in report.summary() + " ".join(state.wounds(project.folder, [start]))


WOUNDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "half a report": (lambda f: cut(f / "reports/gate.json"), "reports/gate.json: half a file"),
    "half a fit": (lambda f: cut(next((f / ".perennial/studies").glob("*/*.npz"))), "half a file"),
    "a spoilt cache": (
        lambda f: cut(next(p for p in (f / state.OBJECTS).glob("*/*") if p.stat().st_size > 9)),
        "not what its name says",
    ),
    "a second entry": (
        lambda f: (f / "history.jsonl").write_text(2 * (f / "history.jsonl").read_text()),
        "2 entries of one promotion",
    ),
    "half a champion": (lambda f: cut(f / "champion.json"), "champion.json: "),
    "a lock of another run": (
        lambda f: (f / "dvc.lock").write_text(
            (f / "dvc.lock").read_text().replace("size: ", "size: 1")
        ),
        "an entry that no undisturbed run has",
    ),
}


@pytest.mark.parametrize("wound", WOUNDS)
def test_what_a_kill_may_leave_is_found_right_after_it(project: Project, wound: str) -> None:
    """By what looks at a project after each kill; nothing is found where nothing is wrong."""
    start = state.look(project.folder)
    assert state.wounds(project.folder, [start]) == []
    hurt, told = WOUNDS[wound]
    hurt(project.folder)
    found = state.wounds(project.folder, [start])
    assert found
    assert all(told in each for each in found), found


def cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-7])
