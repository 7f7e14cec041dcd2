"""What a version was made from: as the registry has it, or else as Git has it.

`register` keeps it with each version. A clone has no registry of its own yet, and a champion that
was put back into one from its bytes has no record there; but a commit that has a champion.json and
the dvc.lock that goes with it says all that is needed to make it again.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial import paths
from perennial.adapters import files, git, lockfile, registry
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.adapters.registry import Version
from perennial.errors import InputError, IntegrityError
from perennial.stages.recording import DAG
from perennial.stages.register import LOCK, MADE_FROM, POINTER

FOLDER = "origin"
NEEDED = {paths.PLAN.name, paths.PARAMS.name, LOCK.name, paths.CHAMPION.name}
DIGEST = re.compile("[0-9a-f]{6,64}")
CHAMPION = "champion"


@dataclass(frozen=True)
class Meant:
    """A version that is meant. `version` is None where the registry hasn't it; `number` is that of
    the registry, or else of the champion.json that names it."""

    uri: str
    model: str
    digest: str
    number: str | None
    version: Version | None = None


@dataclass(frozen=True)
class Origin:
    """All that a version can be derived from.

    `plan`, `params`, `champion` and `pointer` are the bytes of data/plan.json, params.yaml,
    champion.json and models/champion.dvc as they were; `lock` what dvc.lock said of each stage.
    `commit` is None where there was no Git; `difference` is what then differed from it.
    """

    meant: Meant
    source: str
    commit: str | None
    difference: bytes
    plan: bytes
    params: bytes
    champion: bytes
    pointer: bytes | None
    lock: dict[str, dict[str, Any]]
    code: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """What people call the version."""
        return f"version {self.meant.number}" if self.meant.number else self.meant.digest[:12]


def meant(wanted: str | None) -> Meant:
    """Return which version is meant.

    Args:
        wanted: A version's number, the start of its digest, or `champion`; None is the champion.

    Raises:
        InputError: there is none such, or nobody is champion.
        IntegrityError: who is champion can't be told.
        UnreachableError: the registry can't be reached.
    """
    settings = read_params("registry").registry
    uri = registry.resolve(settings.uri)
    known = registry.versions(uri, settings.model)
    if wanted is None or wanted == CHAMPION:
        champion = champions.read()
        if champion is None:
            raise InputError(
                "nobody is champion yet",
                f"Name a version: there is {_listed(known)}. `perennial run` makes a champion.",
            )
        version = next((v for v in known if v.digest == champion.digest), None)
        number = version.version if version else champion.version
        return Meant(uri, settings.model, champion.digest, number, version)
    version = next((v for v in known if v.version == wanted), None) or _by_digest(known, wanted)
    if version is not None:
        if version.digest is None:
            raise IntegrityError(
                f"registry: {settings.model} version {version.version} has no digest",
                "It was not registered by this project, which can't tell what it was made from.",
            )
        return Meant(uri, settings.model, version.digest, version.version, version)
    for _, champion_json in champions_of_commits():
        if wanted == champion_json["version"] or _starts(champion_json["digest"], wanted):
            digest, number = champion_json["digest"], champion_json["version"]
            return Meant(uri, settings.model, digest, number)
    raise InputError(
        f"{settings.model} has no version {wanted}: the registry has {_listed(known)}, and no "
        "champion.json of this repository's commits names it",
        "Name a version, the start of a digest, or `champion`.",
    )


def find(wanted: Meant) -> Origin:
    """Return what a version was made from.

    Raises:
        IntegrityError: it is not recorded, or the record was changed.
        UnreachableError: the registry can't be reached.
    """
    found = known(wanted)
    if found is None:
        raise IntegrityError(
            f"{wanted.model} {wanted.number or ''} ({wanted.digest[:12]}): what it was made from "
            "is recorded neither in the registry nor by a commit with its champion.json and "
            "dvc.lock",
            "Fetch the commits (`git fetch --all --unshallow`), or name the registry that it was "
            "first registered in (registry.uri in params.yaml).",
        )
    return found


def known(wanted: Meant) -> Origin | None:
    """Return what a version was made from; None if that is not recorded anywhere.

    Raises:
        IntegrityError: the record was changed.
        UnreachableError: the registry can't be reached.
    """
    version = wanted.version
    if version is not None:
        kept = registry.kept(wanted.uri, version, FOLDER)
        if set(kept) >= NEEDED:
            return _registered(wanted, version, kept)
    return _committed(wanted)


def _registered(wanted: Meant, version: Version, kept: Mapping[str, bytes]) -> Origin:
    (remembered,) = registry.remembered(wanted.uri, wanted.model, [version])
    digests = {
        tag.removeprefix(MADE_FROM): digest
        for tag, digest in remembered.tags.items()
        if tag.startswith(MADE_FROM)
    }
    faults = [
        f"registry: {FOLDER}/{name} of {wanted.model} version {version.version}: "
        + ("is gone" if name not in kept else "was changed since it was registered")
        for name, digest in digests.items()
        if hashlib.sha256(kept.get(name, b"")).hexdigest() != digest
    ]
    if faults:
        raise IntegrityError(faults, "Restore the registry's files from where they are backed up.")
    code = _json(kept.get("code.json"))
    return Origin(
        wanted,
        "the registry",
        (code or {}).get("commit", remembered.tags.get("git_commit")),
        kept.get("code.diff", b""),
        kept[paths.PLAN.name],
        kept[paths.PARAMS.name],
        kept[paths.CHAMPION.name],
        kept.get(POINTER.name),
        _of_the_dag(
            lockfile.stages(kept[LOCK.name], f"{FOLDER}/{LOCK}"), (code or {}).get("stages")
        ),
        code,
        _json(kept.get("environment.json")),
    )


def _committed(wanted: Meant) -> Origin | None:
    """Return what the newest commit has where the version is champion and dvc.lock is its own.

    After a challenge that failed, dvc.lock is the challenger's.
    """
    for commit, champion in champions_of_commits():
        if champion["digest"] != wanted.digest:
            continue
        content, pointer = git.show(commit, LOCK), git.show(commit, POINTER)
        params = git.show(commit, paths.PARAMS)
        if content is None or pointer is None or params is None:
            continue
        lock = lockfile.stages(content, f"{LOCK} of commit {commit[:12]}")
        if lockfile.md5_of(lock, paths.CANDIDATE, "outs") != lockfile.pointed(pointer):
            continue
        definition = git.show(commit, DAG)
        lock = _of_the_dag(lock, list(lockfile.stages(definition)) if definition else None)
        plan = files.exact_json_bytes(champion["plan"])
        snapshot = git.show(commit, paths.CHAMPION) or b""
        source = f"commit {commit[:12]}"
        return Origin(wanted, source, commit, b"", plan, params, snapshot, pointer, lock)
    return None


def _of_the_dag(
    lock: dict[str, dict[str, Any]], stages: Sequence[str] | None
) -> dict[str, dict[str, Any]]:
    """Return the entries of the stages of dvc.yaml: a lock keeps those of stages that are gone."""
    return {
        name: entry
        for name, entry in lock.items()
        if stages is None or name.partition("@")[0] in stages
    }


def champions_of_commits() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the commits that changed who is champion or dvc.lock, with champion.json, newest first;
    those in which somebody is champion."""
    for commit in git.commits_of((paths.CHAMPION, LOCK)):
        content = _json(git.show(commit, paths.CHAMPION))
        if content is not None and isinstance(content.get("digest"), str):
            yield commit, {"version": None, "plan": {}, **content}


def _json(content: bytes | None) -> dict[str, Any] | None:
    try:
        parsed = json.loads(content or b"null")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _by_digest(known: Sequence[Version], wanted: str) -> Version | None:
    return next((v for v in known if v.digest is not None and _starts(v.digest, wanted)), None)


def _starts(digest: str, wanted: str) -> bool:
    return DIGEST.fullmatch(wanted) is not None and digest.startswith(wanted)


def _listed(known: Sequence[Version]) -> str:
    return ", ".join(version.version for version in known) or "none"
