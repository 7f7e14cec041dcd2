"""A folder in which a version is derived again: its code, parameters, plan, batches and the
champion that it was compared with, and nothing else of this project.

It has a DVC cache of its own, which is empty: whatever comes out has been computed here.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from perennial import paths
from perennial.adapters import bundles, dag, files, git, lockfile, registry
from perennial.adapters.parquet import batches
from perennial.commands.origins import Origin
from perennial.core.dataset.plan import BatchRef, batches_of
from perennial.errors import IntegrityError
from perennial.stages.recording import CODE
from perennial.stages.register import LOCK

DAMAGED = "The record of the version is damaged: restore it from where it is backed up."
LISTED = Path(".dvc/tmp/listed")
# all in DVC's own folder, so that nothing of it is left when the folder goes
CONFIG = """[core]
    no_scm = true
    analytics = false
    check_update = false
    autostage = false
    site_cache_dir = {folder}/.dvc/tmp/site
[cache]
    dir = {folder}/.dvc/cache
"""


def prepare(origin: Origin, folder: Path, remote: str | None) -> None:
    """Fill a new folder.

    Args:
        origin: What the version was made from.
        folder: A folder that is not there.
        remote: DVC's remote for what its cache hasn't; None for none.

    Raises:
        IntegrityError: the commit, a batch or the champion's bundle is not to be had; every batch
            is named.
        UnreachableError: the remote or the registry can't be reached.
    """
    # first: a DVC project of its own, which the outer one leaves alone
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config.local").write_text(CONFIG.format(folder=folder.resolve()))
    _write_code(origin, folder)
    (folder / ".dvc/config").touch()
    (folder / LOCK).unlink(missing_ok=True)
    files.write_bytes(folder / paths.PARAMS, origin.params)
    files.write_bytes(folder / paths.CHAMPION, origin.champion)
    files.write_bytes(folder / paths.PLAN, origin.plan)
    with dag.store(remote) as store:
        _bring_batches(origin, folder, store)
        _bring_champion(origin, folder, store)


def _write_code(origin: Origin, folder: Path) -> None:
    if origin.commit is not None:
        git.extract(origin.commit, folder)
        if origin.difference:
            git.apply(origin.difference, folder)
        return
    # no Git where it was made: the code that is here, which the lock's digests are held against
    for path in filter(Path.exists, CODE):
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, folder / path, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, folder / path)


def _bring_batches(origin: Origin, folder: Path, store: dag.Store) -> None:
    """Put each batch that the plan names where `features` looks for it, or name all missing."""

    @cache
    def objects() -> list[dict[str, str]]:
        """Return the MD5 of each batch, by what the lock says of the folders that they are in."""
        places = ((paths.ACCEPTED, "outs"), (paths.BATCHES, "deps"))
        known = [lockfile.md5_of(origin.lock, place, kind) for place, kind in places]
        return [store.folder(md5, folder / LISTED) for md5 in known]

    missing = []
    for ref in batches_of(files.read_json(folder / paths.PLAN, DAMAGED)):
        if batches.PERIOD.fullmatch(ref["period"]) is None:
            raise IntegrityError(f"plan: {ref['period']!r} is no period", DAMAGED)
        target = folder / paths.ACCEPTED / _name(ref)
        if not _found(ref, folder, target) and not _fetched(ref, objects(), store, target):
            missing.append(ref)
    if missing:
        raise IntegrityError(
            [_absent(ref, origin) for ref in missing],
            "Put each back as it was, or name the remote of DVC that has it (--remote).",
        )


def _found(ref: BatchRef, folder: Path, target: Path) -> bool:
    """Copy a batch from where this project or the commit has it, if that is the one."""
    for place in (paths.ACCEPTED, paths.BATCHES, folder / paths.BATCHES):
        path = place / _name(ref)
        if path.is_file() and files.sha256(path) == ref["sha256"]:
            batches.copy(path, target)
            return True
    return False


def _fetched(
    ref: BatchRef, objects: Sequence[Mapping[str, str]], store: dag.Store, target: Path
) -> bool:
    """Copy a batch from DVC's objects."""
    for listed in objects:
        md5 = listed.get(_name(ref))
        if md5 is not None and store.copy(md5, target):
            if files.sha256(target) == ref["sha256"]:
                return True
            target.unlink()
    return False


def _absent(ref: BatchRef, origin: Origin) -> str:
    path = paths.BATCHES / _name(ref)
    there = f"other content ({files.sha256(path)[:12]}…)" if path.is_file() else "missing"
    return (
        f"{path}: {there}; {origin.name} was made with SHA-256 {ref['sha256'][:12]}…, which "
        "neither DVC's cache nor its remote has"
    )


def _name(ref: BatchRef) -> str:
    return f"{ref['period']}.parquet"


def _bring_champion(origin: Origin, folder: Path, store: dag.Store) -> None:
    """Put the bundle of the champion that the version was compared with there, if there was one."""
    digest = files.read_json(folder / paths.CHAMPION, DAMAGED).get("digest")
    target = folder / paths.CHAMPION_BUNDLE
    shutil.rmtree(target, ignore_errors=True)
    if digest is None or _from_here(digest, origin, target):
        return
    md5 = lockfile.pointed(origin.pointer) if origin.pointer else None
    listed = store.folder(md5, folder / LISTED)
    for name in listed:
        if Path(name).name == name:  # else it would leave its folder
            store.copy(listed[name], target / name)
    if not bundles.is_whole(target, digest):
        raise IntegrityError(
            f"the champion that {origin.name} was compared with ({digest[:12]}): its bundle is "
            "neither in the registry, nor in DVC's cache, nor on its remote",
            "Name the remote of DVC that has it (--remote), or restore the registry's files.",
        )


def _from_here(digest: str, origin: Origin, target: Path) -> bool:
    """Copy a bundle of that digest from this project or the registry; return whether it was one."""
    for place in (paths.CHAMPION_BUNDLE, paths.CANDIDATE):
        if bundles.is_whole(place, digest):
            shutil.copytree(place, target)
            return True
    meant = origin.meant
    for version in registry.versions(meant.uri, meant.model):
        if version.digest == digest:
            with suppress(IntegrityError):  # its files are gone: DVC may have them
                registry.download(meant.uri, meant.model, version.version, target)
            return bundles.is_whole(target, digest)
    return False
