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
from perennial.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE = "PERENNIAL_SIGNING_KEY"  # the PEM itself, or the name of a file that has it
PUBLIC = "PERENNIAL_PUBLIC_KEYS"  # where the registered model is loaded: keys with commas between
REMEDY = "Nothing was loaded. If you trust it, sign it: `perennial sign`; docs/safe-to-load.md."


def statement(model: str, digest: str, manifest: str) -> dict[str, str]:
    """Return what is signed of a version: its name, its bundle, and the manifest of its files."""
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


def sign(signed: Mapping[str, str]) -> str | None:
    """Return a signature; None where the environment has no key.

    Raises:
        InputError: what it has is no key.
    """
    key = _private()
    return None if key is None else base64.b64encode(key.sign(_bytes(signed))).decode()


def fault(signed: Mapping[str, str], signature: str | None, trusted: Sequence[str]) -> str | None:
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
            key.verify(raw, _bytes(signed))
        except (InvalidSignature, binascii.Error, ValueError):
            continue
        return None
    return "has a signature of none of the trusted keys"


def fault_of_file(
    path: Path, digest: str, trusted: Sequence[str], manifest: str | None = None
) -> str | None:
    """Return why a bundle can't be trusted by the signature that a file has; None if it can.

    Args:
        path: As `write` wrote it, of the version that the bundle was registered as.
        digest: The bundle's.
        trusted: Public keys.
        manifest: The digest of the version's manifest, where its files are there too.
    """
    if not trusted:
        return None
    try:
        said = files.read_json(path, REMEDY)
    except InputError:  # as good as none
        said = {}
    signature = said.get("signature")
    of_files = manifest or str(said.get("files"))
    signed = statement(str(said.get("model")), digest, of_files)
    return fault(signed, signature if isinstance(signature, str) else None, trusted)


def write(path: Path, signed: Mapping[str, str], signature: str) -> None:
    """Write a signature with what it is of."""
    files.write_bytes(path, content(signed, signature))


def content(signed: Mapping[str, str], signature: str) -> bytes:
    """Return what `write` writes."""
    return files.json_bytes({**signed, "signature": signature})


def trusted_here() -> list[str]:
    """Return the public keys that the environment names."""
    return [key.strip() for key in os.environ.get(PUBLIC, "").split(",") if key.strip()]


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


def _bytes(signed: Mapping[str, str]) -> bytes:
    return files.json_bytes(signed)
