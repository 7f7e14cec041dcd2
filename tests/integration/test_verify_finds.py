"""`perennial verify` finds whatever was done to the champion, its registered version or DVC's
cache: each kind of change, to each file, at places drawn by a seed."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.registered import Project
from tests.integration.tampered import (
    CACHE,
    Mutate,
    adds,
    append,
    edit_manifest,
    files_of,
    flip,
    folder,
    link,
    links,
    remove,
    swap,
    truncate,
)

from perennial import paths
from perennial.commands.verify import verify

CHANGES: list[Mutate] = [flip, truncate, append, remove, link, folder, swap, edit_manifest]
ADDITIONS: list[Mutate] = [
    *(adds(name) for name in ("added.json", ".hidden", "deep/er/added.py", "manifest.json.bak")),
    adds("registered_model_meta", b"model_name: another\n"),
    adds("empty", None),
    *(links(target) for target in ("/etc/hostname", "/etc", "nowhere", ".")),
]


def places(project: Project) -> list[Path]:
    model, kept = project.model_folder(), project.kept_folder()
    registry = [folder.relative_to(project.folder) for folder in (model, kept)]
    return [paths.CHAMPION_BUNDLE, *registry, CACHE]


def cases(project: Project, each: int, draw: random.Random) -> Iterator[tuple[Path, Path, Mutate]]:
    """Yield what is changed: every file by every kind `each` times, or a draw of them if 0."""
    for place in places(project):
        kinds = CHANGES if place == CACHE else CHANGES + ADDITIONS
        there = files_of(place)
        if each:
            yield from ((place, file, kind) for file in there for kind in kinds * each)
        else:  # each file once, each kind at least once
            drawn = draw.sample(kinds, len(kinds))
            for number in range(max(len(drawn), 14)):
                yield place, draw.choice(there), drawn[number % len(drawn)]


def unfound(project: Project, each: int, seed: int, tmp_path: Path) -> tuple[int, list[str]]:
    """Return how many changes were made, and which of them verify did not find."""
    draw, missed, made = random.Random(seed), [], 0
    for place in places(project):
        shutil.copytree(place, tmp_path / place, symlinks=True)
    for place, file, kind in cases(project, each, draw):
        kind(file, draw)
        made += 1
        if verify().faults == 0:
            missed.append(f"{kind.__qualname__} of {file}")
        shutil.rmtree(place)
        shutil.copytree(tmp_path / place, place)
        Path("elsewhere").unlink(missing_ok=True)
    return made, missed


def test_verify_finds_every_change_that_is_drawn(champion_project: Project, tmp_path: Path) -> None:
    assert [each.faults for each in verify().checked if each.faults] == []
    made, missed = unfound(champion_project, 0, 20101120, tmp_path)
    assert missed == []
    assert made > 40
    assert verify().faults == 0, "what was put back is whole again, so it was the changes"


@pytest.mark.long
def test_verify_finds_every_kind_of_change_of_every_file(
    champion_project: Project, tmp_path: Path
) -> None:
    """The whole proof: every file of registry, cache and champion, each kind three times."""
    made, missed = unfound(champion_project, 3, 20081120, tmp_path)
    print(f"{made} changes, {len(missed)} missed")
    assert missed == []


def test_a_file_that_nobody_names_in_the_cache_is_no_fault(champion_project: Project) -> None:
    """DVC keeps what other commits need; nothing reads it by another name than its digest."""
    (CACHE / "00").mkdir(exist_ok=True)
    (CACHE / "00/11").write_bytes(b"of another branch")
    assert verify().faults == 0
    (CACHE / "00/11").unlink()


def test_a_model_that_was_loaded_in_place_is_still_whole(champion_project: Project) -> None:
    """Python compiles the shipped code and MLflow notes the version there; verify drops the first,
    which can't be judged, and knows the second."""
    code = (
        "import mlflow\n"
        f"mlflow.set_tracking_uri({champion_project.uri!r})\n"
        "mlflow.pyfunc.load_model('models:/bank-deposits/1')\n"
    )
    done = champion_project.run(code, clean=True)
    assert done.returncode == 0, done.stderr
    model = champion_project.model_folder()
    assert (model / "registered_model_meta").is_file()
    assert verify().faults == 0
    planted = model / "code/perennial/__pycache__/errors.cpython-311.pyc"
    planted.parent.mkdir(exist_ok=True)
    planted.write_bytes(b"what somebody wants to be run in place of errors.py")
    assert verify().faults == 0
    assert not planted.exists(), "it can't be run any more"
    (planted.parent / "other.so").parent.mkdir(exist_ok=True)
    (planted.parent / "other.so").write_bytes(b"no compiled Python")
    assert verify().faults == 1
    shutil.rmtree(planted.parent)
    (model / "registered_model_meta").unlink()
