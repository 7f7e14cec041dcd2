"""Bundles: a folder of artefacts with a manifest of their SHA-256. The digest of a bundle is that
of its manifest. Nothing is returned that was not checked; there is no other way to load one."""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from perennial import names
from perennial.adapters import files
from perennial.errors import InputError, IntegrityError

MANIFEST = "manifest.json"
REMEDY = "Nothing was loaded. Fetch it again (`dvc pull`), or build it again (`dvc repro`)."


def write(folder: Path, artefacts: Mapping[str, bytes]) -> str:
    """Write artefacts and their manifest into a new `folder`, in place of an old one.

    Returns:
        The bundle's digest.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in sorted(artefacts.items()):
        files.write_bytes(folder / name, content)
    files.write_bytes(folder / MANIFEST, _manifest(artefacts))
    return digest(folder)


def digest_of(artefacts: Mapping[str, bytes]) -> str:
    """Return the digest that a bundle of these artefacts has, without writing it."""
    return hashlib.sha256(_manifest(artefacts)).hexdigest()


def seal(folder: Path, manifest: str) -> str:
    """Write a manifest of all files that are in `folder` now, under that name.

    Returns:
        The manifest's digest.
    """
    there = {name: (folder / name).read_bytes() for name in _files(folder) if name != manifest}
    files.write_bytes(folder / manifest, _manifest(there))
    return files.sha256(folder / manifest)


def leave_out(folder: Path, manifest: str, names: Collection[str]) -> str:
    """Take files, and all below folders, of these names out of a manifest; the others' digests stay
    as they were taken.

    Returns:
        The manifest's digest.
    """
    entries = {
        name: entry
        for name, entry in _entries(folder / manifest).items()
        if not any(name == gone or name.startswith(f"{gone}/") for gone in names)
    }
    files.write_json(folder / manifest, {"schema_version": 1, "artefacts": entries})
    return files.sha256(folder / manifest)


def _manifest(artefacts: Mapping[str, bytes]) -> bytes:
    entries = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in artefacts.items()
    }
    return files.json_bytes({"schema_version": 1, "artefacts": entries})


def digest(folder: Path) -> str:
    """Return the digest of the bundle in `folder`: the SHA-256 of its manifest.

    Raises:
        IntegrityError: there is no manifest.
    """
    if not (folder / MANIFEST).is_file():
        raise IntegrityError(f"{folder / MANIFEST}: no such file", REMEDY)
    return files.sha256(folder / MANIFEST)


def faults(
    folder: Path,
    expected: str | None = None,
    manifest: str = MANIFEST,
    beside: Collection[str] = (),
) -> list[str]:
    """Return what differs between `folder`, its manifest and the `expected` digest; all of it.

    Args:
        folder: A bundle, or a folder that was sealed.
        expected: The manifest's digest, where it is known from elsewhere.
        manifest: The manifest's name.
        beside: Files that may be there though the manifest has no entry for them.
    """
    path = folder / manifest
    if path.is_symlink() or not path.is_file():
        return [f"{path}: no such file"]
    found = files.sha256(path)
    if expected is not None and found != expected:
        return [f"{path}: digest is {found[:12]}…, expected {expected[:12]}…"]
    entries = _entries(path)
    extra = sorted(set(_files(folder)) - set(entries) - {manifest, *beside})
    checked = [_differs(folder, name, entry) for name, entry in sorted(entries.items())]
    differing = [fault for fault in checked if fault is not None]
    return [f"{folder / name}: not in the manifest" for name in extra] + differing


def _files(folder: Path) -> Iterator[str]:
    """Yield all that is in a folder, however deep, by name: files, links, folders with nothing
    in them. A link is not followed."""
    for where, folders, plain in os.walk(folder):
        here = Path(where).relative_to(folder)
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        yield from ((here / name).as_posix() for name in [*plain, *links])
        if not folders and not plain and where != str(folder):
            yield f"{here.as_posix()}/"


def is_whole(folder: Path, expected: str) -> bool:
    """Return whether the bundle of that digest is in `folder`, every artefact as it was."""
    return not faults(folder, expected)


def read(folder: Path, expected: str | None = None) -> dict[str, bytes]:
    """Return every artefact of a bundle by name, each checked against the manifest.

    Args:
        folder: Where the bundle is.
        expected: The bundle's digest, where it is known from elsewhere.

    Raises:
        IntegrityError: anything is missing, extra or differs; all faults at once.
    """
    found = faults(folder, expected)
    if found:
        raise IntegrityError(found, REMEDY)
    entries = _entries(folder / MANIFEST)
    return {name: _checked(folder, name, entry) for name, entry in entries.items()}


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries = files.read_json(path, REMEDY).get("artefacts")
    except InputError as error:
        raise IntegrityError(error.faults, REMEDY) from error
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.items())):
        raise IntegrityError(f"{path}: not a manifest", REMEDY)
    return entries


def _is_entry(named: tuple[str, Any]) -> bool:
    """Return whether a manifest's entry stays in its folder and has a digest."""
    name, entry = named
    return (
        not names.path_fault(name)
        and isinstance(entry, dict)
        and isinstance(entry.get("sha256"), str)
    )


def _checked(folder: Path, name: str, entry: Mapping[str, Any]) -> bytes:
    content = (folder / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise IntegrityError(f"{folder / name}: changed while it was read", REMEDY)
    return content


def _differs(folder: Path, name: str, entry: Mapping[str, Any]) -> str | None:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        return f"{path}: no such file"
    found = files.sha256(path)
    if found == entry["sha256"]:
        return None
    return f"{path}: digest is {found[:12]}…, the manifest has {entry['sha256'][:12]}…"
