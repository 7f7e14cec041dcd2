"""Signatures (Ed25519, RFC 8032) of what was registered: who made it, where digests say only what.

The private key comes from the environment alone. A signature changes no digest: it lies beside.
"""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters import files
from perennial.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE = "PERENNIAL_SIGNING_KEY"  # the PEM itself, or the name of a file that has it
PUBLIC = "PERENNIAL_PUBLIC_KEYS"  # where the registered model is loaded: keys with commas between
REMEDY = "Nothing was loaded. If you trust it, sign it: `perennial sign`; docs/safe-to-load.md."


def bundle_statement(digest: str) -> dict[str, str]:
    """Return what is signed of a bundle."""
    return {"signed": "perennial bundle 1", "digest": digest}


def version_statement(model: str, digest: str, manifest: str) -> dict[str, str]:
    """Return what is signed of a version: its bundle, and the manifest of all its files."""
    return {
        "signed": "perennial version 1",
        "model": model,
        "digest": digest,
        "files": manifest,
    }


def new_key() -> tuple[bytes, str]:
    """Return a new private key as PEM, and its public key as params.yaml has it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem, base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(statement: Mapping[str, str]) -> str | None:
    """Return a signature; None where the environment has no key.

    Raises:
        InputError: what it has is no key.
    """
    key = _private()
    return None if key is None else base64.b64encode(key.sign(_bytes(statement))).decode()


def fault(
    statement: Mapping[str, str], signature: str | None, trusted: Sequence[str]
) -> str | None:
    """Return why a statement can't be trusted; None if it can, or no key is asked for."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not trusted:
        return None
    if signature is None:
        return "is not signed, and registry.public_keys asks for it"
    for text in trusted:
        try:
            raw = base64.b64decode(signature, validate=True)
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
            key.verify(raw, _bytes(statement))
        except (InvalidSignature, binascii.Error, ValueError):
            continue
        return None
    return "has a signature of none of the trusted keys"


def require(what: str, statement: Mapping[str, str], signature: str | None) -> None:
    """Check a signature by the keys that the environment trusts, if it names any.

    Raises:
        IntegrityError: it is missing, or none of theirs.
    """
    trusted = [key.strip() for key in os.environ.get(PUBLIC, "").split(",") if key.strip()]
    if trusted and (found := fault(statement, signature, trusted)):
        raise IntegrityError(f"{what}: {found}", REMEDY)


def read(path: Path) -> str | None:
    """Return the signature that a file has; None if there is no such file, or none in it."""
    try:
        found = files.read_json(path, REMEDY).get("signature")
    except InputError:
        return None
    return found if isinstance(found, str) else None


def _private() -> "Ed25519PrivateKey | None":
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    told = os.environ.get(PRIVATE, "").strip()
    if not told:
        return None
    remedy = "Set it to the PEM of an Ed25519 key, or the name of its file; `perennial keygen`."
    try:
        pem = told.encode() if told.startswith("-----BEGIN") else Path(told).read_bytes()
        key = serialization.load_pem_private_key(pem, None)
    except (OSError, ValueError, TypeError) as error:  # never its words: they may quote the key
        raise InputError(
            f"{PRIVATE}: holds no private key ({type(error).__name__})", remedy
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{PRIVATE}: holds a key of another kind than Ed25519", remedy)
    return key


def _bytes(statement: Mapping[str, str]) -> bytes:
    return files.json_bytes(statement)
