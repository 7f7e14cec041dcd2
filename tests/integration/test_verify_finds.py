"""`perennial verify` finds whatever was done to the champion, its registered version or DVC's
cache: each kind of change, to each file, at places drawn by a seed."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.registered import Project

from perennial import paths
from perennial.adapters import bundles, files
from perennial.adapters.registry.records import BUNDLE, FILES, KEPT
from perennial.commands.verify import verify

Mutate = Callable[[Path, random.Random], None]
CACHE = Path(".dvc/cache/files/md5")


def write(path: Path, content: bytes | bytearray) -> None:
    """Also to what DVC protects, which stays protected: nothing else is to give the change away."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(mode)


def flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    write(path, content)


def truncate(path: Path, draw: random.Random) -> None:
    write(path, path.read_bytes()[: draw.randrange(path.stat().st_size)])


def append(path: Path, draw: random.Random) -> None:
    write(path, path.read_bytes() + draw.randbytes(1 + draw.randrange(8)))


def remove(path: Path, draw: random.Random) -> None:
    path.unlink()


def link(path: Path, draw: random.Random) -> None:
    """The same bytes, but where somebody else may change them later."""
    path.rename(Path("elsewhere"))
    path.symlink_to(Path("elsewhere").resolve())


def folder(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()


def swap(path: Path, draw: random.Random) -> None:
    """With another file of that folder that is not the same."""
    other = draw.choice(
        [p for p in _files(_root(path)) if p.read_bytes() != path.read_bytes() and p != path]
    )
    content = path.read_bytes()
    write(path, other.read_bytes())
    write(other, content)


def _adds(name: str, content: bytes | None = b"") -> Mutate:
    def add(path: Path, draw: random.Random) -> None:
        new = path.parent / name
        new.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            new.mkdir()
        else:
            new.write_bytes(content)

    return add


def _links(target: str) -> Mutate:
    def add(path: Path, draw: random.Random) -> None:
        (path.parent / "added").symlink_to(target)

    return add


def edit_manifest(path: Path, draw: random.Random) -> None:
    """Change a file and its entries in every manifest of its folder, so that all agree again."""
    append(path, draw)
    root = _root(path)
    manifests = (f"{BUNDLE}/{bundles.MANIFEST}", bundles.MANIFEST, FILES, KEPT)
    for manifest in (root / name for name in manifests):
        if manifest.is_file() and manifest != path and path.is_relative_to(manifest.parent):
            content = json.loads(manifest.read_bytes())
            name = path.relative_to(manifest.parent).as_posix()
            if name in content["artefacts"]:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                content["artefacts"][name] = {"bytes": path.stat().st_size, "sha256": digest}
                files.write_json(manifest, content)


CHANGES: list[Mutate] = [flip, truncate, append, remove, link, folder, swap, edit_manifest]
ADDITIONS: list[Mutate] = [
    *(_adds(name) for name in ("added.json", ".hidden", "deep/er/added.py", "manifest.json.bak")),
    _adds("registered_model_meta", b"model_name: another\n"),
    _adds("empty", None),
    *(_links(target) for target in ("/etc/hostname", "/etc", "nowhere", ".")),
]


def places(project: Project) -> list[Path]:
    model, kept = project.model_folder(), project.kept_folder()
    registry = [folder.relative_to(project.folder) for folder in (model, kept)]
    return [paths.CHAMPION_BUNDLE, *registry, CACHE]


def _files(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*") if p.is_file() and p.stat().st_size)


def _root(path: Path) -> Path:
    parents = [path, *path.parents]
    marked = [
        p
        for p in parents
        if (p / "MLmodel").is_file() or (p / KEPT).is_file() or p in (CACHE, paths.CHAMPION_BUNDLE)
    ]
    return marked[-1]


def cases(project: Project, each: int, draw: random.Random) -> Iterator[tuple[Path, Path, Mutate]]:
    """Yield what is changed: every file by every kind `each` times, or a draw of them if 0."""
    for place in places(project):
        kinds = CHANGES if place == CACHE else CHANGES + ADDITIONS
        there = _files(place)
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
