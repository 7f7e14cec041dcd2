"""An earlier champion, had again and tried: bundle, plan, today's rows. Nothing is moved here.

What its bytes must be is in the history, whose chain was checked: the bundle's digest and the
plan's SHA-256. So it doesn't matter where they come from: registry, DVC's cache or its remote.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import bundles, dag, files, registry
from perennial.adapters.parquet import batches
from perennial.commands import entries
from perennial.core import takes
from perennial.core.model.candidate import from_artefacts
from perennial.errors import InputError, IntegrityError, PerennialError, UnreachableError

if TYPE_CHECKING:
    from perennial.core.model.candidate import Candidate

FOLDER = paths.STATE / "rollback"
MOVED = "Nothing was moved."


@dataclass(frozen=True)
class Earlier:
    """A version that was champion, as it was then. `promotion` is its entry of the history."""

    promotion: Mapping[str, Any]
    model: str
    version: str | None  # in today's registry; None if that has lost it
    digest: str
    bundle: Path
    plan: Mapping[str, Any]
    newest: str  # the period that it was tried on


@contextlib.contextmanager
def tried(promotion: Mapping[str, Any], model: str, uri: str) -> Iterator[Earlier]:
    """Yield an earlier champion that is whole, loads, and takes the newest batch's rows.

    Args:
        promotion: The entry of the history that made it champion.
        model: Its name in the registry.
        uri: The registry, resolved.

    Raises:
        InputError: it doesn't take today's rows, or there are none to try it on.
        IntegrityError: bundle or plan can't be had as they were, or don't load.
        UnreachableError: the registry can't be reached.
    """
    digest = promotion["to"]["digest"]
    known = [v for v in registry.versions(uri, model) if v.digest == digest]
    shutil.rmtree(FOLDER, ignore_errors=True)  # of one that was killed
    try:
        bundle = fetched(promotion, model, uri, known)
        plan = plan_of(promotion, uri, known)
        newest = _takes_today(_load(bundle, digest), promotion)
        version = registry.find_version(uri, model, digest)
        yield Earlier(promotion, model, version, digest, bundle, plan, newest)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def fetched(
    promotion: Mapping[str, Any], model: str, uri: str, known: list[registry.Version]
) -> Path:
    """Return where its bundle is now, whole: from the registry or else from DVC.

    Raises:
        IntegrityError: neither has it.
    """
    digest, md5 = promotion["to"]["digest"], promotion["objects"]["bundle"]["md5"]
    sources = [(f"registry, version {v.version}", v.version) for v in known]
    faults = []
    for number, (source, version) in enumerate([*sources, ("DVC", None)]):
        folder = FOLDER / f"bundle-{number}"
        try:
            if version is not None:
                registry.download(uri, model, version, folder)
            elif md5 is None:
                raise IntegrityError("nobody noted where DVC has it", MOVED)
            else:
                dag.restore(md5, folder)
            found = [f.removeprefix(f"{folder}/") for f in bundles.faults(folder, digest)]
        except IntegrityError as error:
            found = error.faults
        if not found:
            return folder
        faults += [f"{source}: {fault}" for fault in found]
    raise IntegrityError(
        [f"the bundle of {digest[:12]} can't be had as it was", *faults],
        f"{MOVED} `dvc pull` with the remote that it was pushed to, or choose another version.",
    )


def plan_of(
    promotion: Mapping[str, Any], uri: str, known: list[registry.Version]
) -> Mapping[str, Any]:
    """Return the plan that it was promoted under, exactly.

    Raises:
        IntegrityError: nobody has it.
    """
    wanted = promotion["objects"]["plan"]
    for content in _plans(wanted["md5"], uri, known):
        plan: dict[str, Any] = json.loads(content)
        if entries.plan_digest(plan) == wanted["sha256"]:
            return plan
    raise IntegrityError(
        f"the plan of {promotion['to']['digest'][:12]}, SHA-256 {wanted['sha256'][:12]}, is "
        "neither in DVC's cache or remote nor in the registry",
        f"{MOVED} `dvc pull` with the remote that it was pushed to, or choose another version.",
    )


def _plans(md5: str | None, uri: str, known: list[registry.Version]) -> Iterator[bytes]:
    if md5 is not None:
        with contextlib.suppress(IntegrityError, UnreachableError):  # the registry may have it
            yield dag.read_object(md5)
    for version in known:
        plan = registry.kept_file(uri, version, f"origin/{paths.PLAN.name}")
        if plan is not None:
            yield plan
        champion = registry.kept_file(uri, version, f"origin/{paths.CHAMPION.name}")
        if champion is not None:  # of one that was registered anew from its bytes
            yield files.exact_json_bytes(json.loads(champion)["plan"] or {})


def _load(bundle: Path, digest: str) -> "Candidate":
    try:
        return from_artefacts(bundles.read(bundle, digest))
    except (KeyError, TypeError, ValueError, PerennialError) as error:
        raise IntegrityError(
            f"{digest[:12]}: is no model that this version of Perennial can load: {error!r}",
            f"{MOVED} Check out the version that promoted it, or choose another one.",
        ) from error


def _takes_today(model: "Candidate", promotion: Mapping[str, Any]) -> str:
    """Have it predict the newest batch; return that batch's period."""
    folder = paths.ACCEPTED
    there = batches.find(folder) if folder.is_dir() and any(folder.glob("*.parquet")) else []
    if not there:
        raise InputError(
            f"{folder}: no accepted batch, so nothing to try {_named(promotion)} on",
            f"{MOVED} `dvc pull {folder}`, or `dvc repro validate`, then run again.",
        )
    newest = there[-1]
    if faults := takes.faults(model, batches.read(newest.path)):
        raise InputError(
            [f"{newest.path}: {fault}" for fault in faults],
            f"{MOVED} {_named(promotion)} does not take today's rows; choose another one.",
        )
    return newest.period


def _named(promotion: Mapping[str, Any]) -> str:
    return f"version {promotion['to']['version']} ({promotion['to']['digest'][:12]})"
