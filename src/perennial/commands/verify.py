"""verify: every digest of a version, or of all of them and of the champion."""

import tempfile
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import bundles, champions, registry
from perennial.adapters.champions import Champion
from perennial.adapters.configuration import read_params
from perennial.errors import InputError, IntegrityError


def verify(wanted: str | None) -> dict[str, Any]:
    """Check digests; return what was checked and every fault found, as JSON values.

    Args:
        wanted: A registered version, or None for all and for the champion.

    Raises:
        InputError: there is no such version.
        IntegrityError: champion.json can't be read.
        UnreachableError: the registry can't be reached.
    """
    params = read_params("registry").registry
    uri = registry.resolve(params.uri)
    versions = registry.versions(uri, params.model)
    chosen = [v for v in versions if wanted in (None, v.version)]
    if wanted is not None and not chosen:
        known = ", ".join(v.version for v in versions) or "none"
        raise InputError(f"{params.model} has no version {wanted}", f"Versions there are: {known}.")
    checked: list[dict[str, Any]] = [
        {
            "what": f"version {v.version}",
            "digest": v.digest,
            "faults": _version(uri, v, params.model),
        }
        for v in chosen
    ]
    champion = champions.read()
    if wanted is None and champion is not None:
        found = bundles.faults(paths.CHAMPION_BUNDLE, champion.digest)
        found += _alias(uri, champion, versions)
        checked.append({"what": "champion", "digest": champion.digest, "faults": found})
    return {"checked": checked, "faults": sum(len(item["faults"]) for item in checked)}


def _version(uri: str, version: registry.Version, model: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            bundle = registry.download(uri, model, version.version, Path(folder))
        except IntegrityError as error:
            return error.faults
        return bundles.faults(bundle, version.digest)


def _alias(uri: str, champion: Champion, versions: list[registry.Version]) -> list[str]:
    alias = registry.alias_version(uri, champion.model, "champion")
    if alias != champion.version:
        return [
            f"the registry's alias `champion` is version {alias or 'none'}, "
            f"champion.json names version {champion.version}"
        ]
    named = next((v.digest for v in versions if v.version == champion.version), None)
    if named != champion.digest:
        return [f"version {champion.version} has digest {named}, champion.json {champion.digest}"]
    return []
