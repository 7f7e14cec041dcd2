"""Trust: who signed a version and the champion's bundle, and whether that is enough."""

import os
from dataclasses import replace
from pathlib import Path

from perennial import paths
from perennial.adapters import files, registry
from perennial.adapters.bundles import champions, signing
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params, trusted_keys
from perennial.errors import InputError, IntegrityError


def version_fault(model: str, version: registry.Version) -> str | None:
    """Return why a version's signature is not enough; None if it is, or none is asked for."""
    return signing.fault(_statement(model, version), version.signature, trusted_keys())


def champion_fault(digest: str) -> str | None:
    """Return why the signature of the champion's bundle is not enough, likewise."""
    return signing.fault_of_file(paths.CHAMPION_SIGNATURE, digest, trusted_keys())


def _statement(model: str, version: registry.Version) -> dict[str, str]:
    return signing.statement(model, version.digest or "", version.files or "")


def require_version(uri: str, model: str, number: str) -> None:
    """Check that a version may become champion.

    Raises:
        IntegrityError: a signature is asked for, and it has none of a trusted key.
    """
    for version in registry.versions(uri, model):
        if version.version == number and (found := version_fault(model, version)):
            raise IntegrityError(f"registry: {model} version {number} {found}", signing.REMEDY)


def keep_signature(uri: str, champion: Champion) -> None:
    """Put the signature of the champion's version beside its bundle; one of another is removed."""
    found = {version.version: version for version in registry.versions(uri, champion.model)}
    version = found.get(champion.version)
    if version is not None and version.signature and version.digest == champion.digest:
        signed = _statement(champion.model, version)
        signing.write(paths.CHAMPION_SIGNATURE, signed, version.signature)
    elif not _is_of(champion.digest):
        paths.CHAMPION_SIGNATURE.unlink(missing_ok=True)


def _is_of(digest: str) -> bool:
    try:
        return files.read_json(paths.CHAMPION_SIGNATURE, "").get("digest") == digest
    except InputError:
        return False


def sign(number: str) -> str:
    """Sign a registered version, and the champion's bundle if it is the champion.

    Returns:
        Its digest.

    Raises:
        InputError: there is no such version, or no key.
        IntegrityError: it is not as it was registered, so it is not signed.
        UnreachableError: the registry can't be reached.
    """
    params = read_params("registry").registry
    uri = registry.resolve(params.uri)
    version = next((v for v in registry.versions(uri, params.model) if v.version == number), None)
    if version is None:
        raise InputError(
            f"registry: {params.model} has no version {number}", "`perennial history` names them."
        )
    if found := registry.faults(uri, params.model, version):
        raise IntegrityError(found, "It was not signed: it is not as it was registered.")
    registry.sign(uri, params.model, version)
    champion = champions.read()
    assert version.digest is not None  # it has no fault
    if champion is not None and champion.digest == version.digest:
        keep_signature(uri, replace(champion, version=number))
    return version.digest


def keygen(path: Path) -> str:
    """Write a new private key, readable by its owner alone, and return its public key.

    Raises:
        InputError: there is such a file, or it can't be written.
    """
    private, public = signing.new_key()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "Name a new file, outside of Git.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(private)
    return public
