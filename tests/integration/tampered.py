"""Changes to files of a champion, a registered version or DVC's cache, for the tests of verify."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

from perennial import paths
from perennial.adapters import bundles, files
from perennial.adapters.registry.records import BUNDLE, FILES, KEPT

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
        [p for p in files_of(root_of(path)) if p.read_bytes() != path.read_bytes() and p != path]
    )
    content = path.read_bytes()
    write(path, other.read_bytes())
    write(other, content)


def adds(name: str, content: bytes | None = b"") -> Mutate:
    def add(path: Path, draw: random.Random) -> None:
        new = path.parent / name
        new.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            new.mkdir()
        else:
            new.write_bytes(content)

    return add


def links(target: str) -> Mutate:
    def add(path: Path, draw: random.Random) -> None:
        (path.parent / "added").symlink_to(target)

    return add


def edit_manifest(path: Path, draw: random.Random) -> None:
    """Change a file and its entries in every manifest of its folder, so that all agree again."""
    append(path, draw)
    root = root_of(path)
    manifests = (f"{BUNDLE}/{bundles.MANIFEST}", bundles.MANIFEST, FILES, KEPT)
    for manifest in (root / name for name in manifests):
        if manifest.is_file() and manifest != path and path.is_relative_to(manifest.parent):
            content = json.loads(manifest.read_bytes())
            name = path.relative_to(manifest.parent).as_posix()
            if name in content["artefacts"]:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                content["artefacts"][name] = {"bytes": path.stat().st_size, "sha256": digest}
                files.write_json(manifest, content)


def files_of(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*") if p.is_file() and p.stat().st_size)


def root_of(path: Path) -> Path:
    parents = [path, *path.parents]
    marked = [
        p
        for p in parents
        if (p / "MLmodel").is_file() or (p / KEPT).is_file() or p in (CACHE, paths.CHAMPION_BUNDLE)
    ]
    return marked[-1]
