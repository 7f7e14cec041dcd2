"""DVC's cache: whether the objects that dvc.lock and .dvc files name are what their names say.

DVC trusts an object that it has seen before by its time and size; here every byte is read again.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perennial.adapters.dag.opening import opened


def cache_faults() -> tuple[list[str], int]:
    """Return what is wrong with the objects of the cache, and how many objects were looked at.

    An output that is neither here nor in the cache was not fetched, which is no fault.

    Raises:
        InputError: there is no DVC project here.
        UnreachableError: another run is at work.
    """
    found: dict[str, str] = {}
    looked: set[str] = set()
    with opened() as repo:
        for out in repo.index.outs:
            if not out.use_cache or not out.hash_info:
                continue
            here = Path(out.fs_path)
            missing = here.exists() or here.is_symlink()
            for oid, name in _objects(repo.cache.local, str(out.hash_info.value), str(out)):
                looked.add(oid)
                path = Path(repo.cache.local.oid_to_path(oid))
                fault = _fault(path, oid, missing or oid != out.hash_info.value)
                if fault:
                    found.setdefault(oid, f"{name}: object {oid} of DVC's cache {fault}")
    return list(found.values()), len(looked)


def purge(keep: Path) -> None:
    """Remove what the stages made of rows, here and in the cache, but for outputs below `keep`.

    Objects that other commits name go too, and so does the cache of runs: what was made of which
    rows can't be told from an object. All of it is made again from the batches, or fetched.

    Raises:
        InputError: there is no DVC project here.
        UnreachableError: another run is at work.
    """
    with opened() as repo, repo.lock:
        cache, kept = repo.cache.local, set()
        for out in repo.index.outs:
            path = Path(out.fs_path)
            if path.is_relative_to(keep.resolve()):
                if out.hash_info:
                    kept |= {oid for oid, _ in _objects(cache, str(out.hash_info.value), "")}
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for oid in list(cache.all()):
            if oid not in kept:
                cache.delete(oid)
        shutil.rmtree(Path(cache.path).parent.parent / "runs", ignore_errors=True)


def _objects(cache: Any, oid: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the object of an output and, of a folder, those that its listing names."""
    yield oid, name
    path = Path(cache.oid_to_path(oid))
    if not oid.endswith(".dir") or not path.is_file() or _md5(path) != oid.removesuffix(".dir"):
        return  # its listing can't be believed, so neither can what it names
    for entry in json.loads(path.read_bytes()):
        yield entry["md5"], f"{name}/{entry['relpath']}"


def _fault(path: Path, oid: str, must_be_there: bool) -> str | None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return "is no file"
    if not path.exists():
        return "is missing" if must_be_there else None
    found = _md5(path)
    return None if found == oid.removesuffix(".dir") else f"has the digest {found}"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
