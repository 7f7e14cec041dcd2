"""shadow: the version that is to be served beside the champion and decides nothing."""

import tempfile
from pathlib import Path
from typing import Any

from perennial.adapters import bundles, registry, runlock
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.commands.aliases import SHADOW
from perennial.errors import InputError, IntegrityError


def shadow(version: str | None, clear: bool = False) -> dict[str, Any]:
    """Set, remove or just return who is shadow.

    Args:
        version: A registered version; None to leave it as it is.
        clear: Whether there is to be none.

    Raises:
        InputError: there is no such version, or it is the champion.
        IntegrityError: its bundle is not what it was registered as.
        UnreachableError: the registry can't be reached, or another run is at work.
    """
    params = read_params("registry").registry
    uri, model = registry.resolve(params.uri), params.model
    if version is not None and clear:
        raise InputError("--clear and a version: only one of them can be meant", "Leave one out.")
    if clear:
        with runlock.alone():
            registry.drop_alias(uri, model, SHADOW)
    elif version is not None:
        with runlock.alone():
            _check(uri, model, version)
            registry.set_alias(uri, model, SHADOW, version)
    return {
        "schema_version": 1,
        "model": model,
        "shadow": registry.alias_version(uri, model, SHADOW),
    }


def _check(uri: str, model: str, version: str) -> None:
    """Refuse what would shadow nothing, or is not what the gates let pass."""
    with tempfile.TemporaryDirectory(prefix="perennial-shadow-") as folder:
        bundle = registry.download(uri, model, version, Path(folder) / "bundle")
        digest = {v.version: v.digest for v in registry.versions(uri, model)}[version]
        faults = bundles.faults(bundle, digest) if digest else ["registered without a digest"]
    if faults:
        found = [f"{model} version {version}: {f.removeprefix(f'{bundle}/')}" for f in faults]
        raise IntegrityError(found, "Nothing was set; choose another version.")
    champion = champions.read()
    if champion is not None and champion.digest == digest:
        raise InputError(
            f"{model} version {version} is the champion, which needs no shadow of itself",
            "Name another version.",
        )
