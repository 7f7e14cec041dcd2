"""verify: every digest of one version, or of all of them and of the champion."""

from dataclasses import asdict, dataclass
from typing import Any

from perennial import paths
from perennial.adapters import bundles, dag, histories, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.commands import entries, pending, trust
from perennial.commands.aliases import CHAMPION
from perennial.errors import InputError, IntegrityError


@dataclass(frozen=True)
class Checked:
    """What was checked, and what is wrong with it."""

    what: str
    digest: str | None
    faults: list[str]


@dataclass(frozen=True)
class Verification:
    """Everything that was checked."""

    checked: list[Checked]

    @property
    def faults(self) -> int:
        """How many faults there are."""
        return sum(len(each.faults) for each in self.checked)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema_version": 1, "faults": self.faults, **asdict(self)}


def verify(wanted: str | None = None) -> Verification:
    """Check a registered version, or all of them, the champion and what names it.

    Args:
        wanted: A version; None for everything.

    Raises:
        InputError: there is no such version.
        IntegrityError: champion.json can't be read.
        UnreachableError: the registry can't be reached.
    """
    params = read_params("registry").registry
    uri = registry.resolve(params.uri)
    versions = registry.versions(uri, params.model)
    if wanted is not None:
        versions = [version for version in versions if version.version == wanted]
        if not versions:
            raise InputError(
                f"registry: {params.model} has no version {wanted}",
                "`perennial verify` without a version checks, and names, all there are.",
            )
    checked = [_cache()] if wanted is None else []  # first: DVC drops damaged objects it meets
    checked += [_version(uri, params.model, version) for version in versions]
    champion = champions.read()
    if champion is not None and wanted in (None, champion.version):
        checked += [_bundle(champion), _alias(uri, champion, shared=params.uri is not None)]
    if wanted is None:
        checked.append(_history(champion))
    return Verification(checked)


def _version(uri: str, model: str, version: registry.Version) -> Checked:
    """Check a version's files, code and all, against the digests that it is registered under."""
    what = f"{model} version {version.version}"
    found = registry.faults(uri, model, version)
    found += [fault] if (fault := trust.version_fault(model, version)) else []
    return Checked(what, version.digest, [f"{what}: {fault}" for fault in found])


def _bundle(champion: Champion) -> Checked:
    faults = bundles.faults(paths.CHAMPION_BUNDLE, champion.digest)
    if not faults and not dag.is_tracked(paths.CHAMPION_BUNDLE):
        faults = [f"{paths.CHAMPION_BUNDLE}.dvc: tracks other bytes, or is missing"]
    if fault := trust.champion_fault(champion.digest):
        faults.append(f"{paths.CHAMPION_BUNDLE}: {fault}")
    return Checked(f"the champion's bundle, {paths.CHAMPION_BUNDLE}", champion.digest, faults)


def _cache() -> Checked:
    found, objects = dag.cache_faults()
    return Checked(f"DVC's cache, {objects} objects that dvc.lock and .dvc files name", None, found)


def _alias(uri: str, champion: Champion, shared: bool) -> Checked:
    """Check that the registry and champion.json name the same champion.

    A registry of this folder's own numbers its versions itself, and a fresh clone has none yet:
    what counts there is the digest. One that is shared has to have champion.json's version too.
    """
    what = f"champion.json and alias `{CHAMPION}`"
    alias = registry.alias_version(uri, champion.model, CHAMPION)
    known = {v.version: v.digest for v in registry.versions(uri, champion.model)}
    faults = []
    if not known and not shared:
        empty = "(the registry of this folder is empty: `perennial run` fills it)"
        return Checked(f"{what} {empty}", champion.digest, [])
    if alias is None or known.get(alias) != champion.digest:
        faults.append(
            f"registry: alias `{CHAMPION}` of {champion.model} names "
            + (f"version {alias}, digest {_short(known.get(alias))}" if alias else "no version")
            + f", champion.json digest {_short(champion.digest)}"
        )
    elif shared and alias != champion.version:
        faults.append(
            f"registry: the champion is version {alias}, champion.json says {champion.version}; "
            "a registry made anew counts from 1 (`perennial promote` sets champion.json right)"
        )
    return Checked(what, champion.digest, faults)


def _history(champion: Champion | None) -> Checked:
    """Check the history's chain, and that its last entry made the champion."""
    what = f"{paths.HISTORY} and champion.json"
    digest = champion.digest if champion else None
    if pending.DECISION.exists():
        said = "a promotion or rollback was killed halfway: run `perennial promote`"
        return Checked(what, digest, [said])
    try:
        known = histories.read()
        faults = histories.end_faults(known, champion) or entries.plan_faults(known, champion)
    except IntegrityError as error:
        faults = error.faults
    return Checked(what, digest, faults)


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "nobody"
