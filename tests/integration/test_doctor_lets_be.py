"""What the doctor lets be: what is well, what takes a person's judgement, what others work on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.pipelines import Pipeline
from tests.integration.released import commit
from tests.integration.spoilt import edit_champion, edit_history, lose_files, old, tree

from perennial import paths
from perennial.adapters import runlock
from perennial.commands.doctor import doctor
from perennial.errors import UnreachableError

pytestmark = pytest.mark.usefixtures("released")


def test_where_all_is_well_it_says_so_and_changes_nothing() -> None:
    before = tree()
    found = doctor()
    assert (found.findings, found.exit_code) == ([], 0)
    assert tree() == before


def no_git() -> None:
    shutil.rmtree(".git")


def lose_everything() -> None:
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    shutil.rmtree(".dvc/cache")
    lose_files()


LEFT: dict[str, tuple[Callable[[], object], str]] = {
    "an edited history that Git has no other of": (
        lambda: (
            edit_history(lambda t: [t[0].replace("as told", "as I"), *t[1:]]),
            commit("x"),
            no_git(),
        ),
        "line 1: was edited",
    ),
    "a cut history that Git has no other of": (
        lambda: (edit_history(lambda t: t[:1]), no_git()),
        "was cut after line 1",
    ),
    "a torn champion.json that Git has no other of": (
        lambda: (paths.CHAMPION.write_text("{"), no_git()),
        "can't tell who is champion",
    ),
    "a champion whom the history never had": (
        lambda: edit_champion(digest="d" * 64, history=None),
        "names dddddddddddd",
    ),
    "a bundle that is nowhere": (lose_everything, "can't be had as it was"),
    "a dvc.lock with a conflict": (
        lambda: Path("dvc.lock").write_text("<<<<<<< HEAD\nstages: {}\n=======\n"),
        "dvc.lock: torn",
    ),
}


@pytest.mark.parametrize("fault", LEFT)
def test_what_takes_judgement_is_said_and_left(fault: str) -> None:
    """Nothing is guessed: champion.json and history stay byte for byte as they are."""
    plant, said = LEFT[fault]
    plant()
    before = {p: p.read_bytes() for p in (paths.CHAMPION, paths.HISTORY)}
    found = doctor()
    assert found.exit_code == 3
    assert any(said in each.what and not each.mended for each in found.findings), found.findings
    assert {p: p.read_bytes() for p in (paths.CHAMPION, paths.HISTORY)} == before


def test_a_file_that_is_being_written_is_let_be() -> None:
    path = Path("reports/.gate.json.ab12cd34.json")
    path.write_text("half")
    assert doctor().findings == []
    assert path.exists()


def test_it_does_not_work_beside_a_run() -> None:
    with runlock.alone():
        for only_look in (True, False):
            with pytest.raises(UnreachableError, match="another run is at work"):
                doctor(only_look)


def test_a_user_s_own_hidden_files_are_let_be(released: Pipeline) -> None:
    """Only names that Perennial gives what isn't whole yet, and only where it writes."""
    kept = [".env", ".gitignore", "docs/.page.md.ab12cd34.md", ".notes.2024.txt"]
    for path in kept:
        old(path)
    assert doctor().findings == []
    assert all((released.folder / path).exists() for path in kept)
