"""Signatures: with a key that is trusted, what it did not sign is neither loaded nor promoted; and
a key, or none, changes no digest."""

import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.registered import NAME, Project, flip, record
from tests.integration.tampered import edit_manifest
from tests.small import edit
from tests.traces import traces

from perennial import paths
from perennial.adapters import bundles, files, registry
from perennial.adapters.bundles import champions, signing
from perennial.adapters.registry.records import FILES, FILES_TAG, SIGNATURE
from perennial.commands import trust
from perennial.commands.verify import verify
from perennial.errors import InputError, IntegrityError
from perennial.stages import incumbent


@pytest.fixture
def here(promoted_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(promoted_project.folder, tmp_path / "p", symlinks=True)
    monkeypatch.chdir(tmp_path / "p")
    monkeypatch.setattr(sys, "path", [*sys.path])  # MLflow adds the code of models it loads
    project = Project(tmp_path / "p", promoted_project.digest, promoted_project.candidate)
    registry.register(project.uri, record(project))  # its database named the folder of old
    return project


def trusting(project: Project, *public: str) -> None:
    keys = ", ".join(public)
    edit(project.folder, (r"(?m)^  public_keys: \[.*?\]", f"  public_keys: [{keys}]"))


def make_key(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a new private key into the environment; return its public key."""
    private, public = signing.new_key()
    monkeypatch.setenv(signing.PRIVATE, private.decode())
    return public


def load() -> None:
    champion = champions.read()
    assert champion is not None
    incumbent.load(champion)


def told() -> str:
    return "\n".join(fault for each in verify().checked for fault in each.faults)


def test_without_a_key_that_is_trusted_nothing_need_be_signed(here: Project) -> None:
    load()
    assert told() == ""


def test_what_is_not_signed_is_neither_loaded_nor_promoted_and_verify_says_so(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(here, make_key(monkeypatch))
    with pytest.raises(IntegrityError, match="is not signed"):
        load()
    with pytest.raises(IntegrityError, match="is not signed"):
        trust.require_version(here.uri, NAME, "1")
    assert told().count("is not signed") == 2
    digest = trust.sign("1")
    assert digest == here.digest, "signing changes no digest"
    load()
    trust.require_version(here.uri, NAME, "1")
    assert told() == ""
    monkeypatch.delenv(signing.PRIVATE)  # who only loads has none
    load()
    assert told() == ""


def test_a_signature_of_another_key_is_none(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    make_key(monkeypatch)
    trust.sign("1")
    first, second = signing.new_key()[1], make_key(monkeypatch)
    trusting(here, first, second)
    with pytest.raises(IntegrityError, match="none of the trusted keys"):
        load()
    assert told().count("none of the trusted keys") == 2
    trust.sign("1")  # by the second
    load()
    assert told() == ""


def test_a_version_is_signed_as_it_is_registered_and_its_bundle_is_the_same(
    registered: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(registered.folder, tmp_path / "p")
    shutil.rmtree(tmp_path / "p" / paths.REGISTRY)
    monkeypatch.chdir(tmp_path / "p")
    public = make_key(monkeypatch)
    project = Project(tmp_path / "p", registered.digest, registered.candidate)
    version = registry.register(project.uri, record(project))
    trusting(project, public)
    assert version.digest == registered.digest
    assert trust.version_fault(NAME, version) is None
    assert registry.faults(project.uri, NAME, version) == []
    flip(project.model_folder())
    restored = registry.register(project.uri, record(project))
    (known,) = registry.versions(project.uri, NAME)
    assert restored.version == known.version
    assert trust.version_fault(NAME, known) is None, "files put back are signed anew"
    assert registry.faults(project.uri, NAME, known) == []


def test_who_can_write_to_the_registry_passes_the_digests_and_not_the_signature(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code that the model runs, its manifest and the digest in the database changed together:
    what signatures are for."""
    public = make_key(monkeypatch)
    trust.sign("1")
    code = here.model_folder() / "code/perennial/adapters/serving.py"
    import random

    edit_manifest(code, random.Random(1))
    sealed = files.sha256(here.model_folder() / FILES)
    _set_tag(here, FILES_TAG, sealed)
    assert "signature.json: not in the manifest" in told()
    (here.model_folder() / SIGNATURE).unlink()
    assert told() == "", "digests alone are fooled"
    trusting(here, public)
    assert "version 1: has a signature of none" in told()


def _set_tag(project: Project, key: str, value: str) -> None:
    with sqlite3.connect(project.folder / paths.REGISTRY / "registry.db") as database:
        database.execute('UPDATE model_version_tags SET value = ? WHERE "key" = ?', (value, key))


def test_the_pyfunc_asks_for_a_signature_where_its_environment_names_keys(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    public, folder = make_key(monkeypatch), str(here.model_folder())
    monkeypatch.setenv(signing.PUBLIC, f"{signing.new_key()[1]}, {public}")
    with pytest.raises(IntegrityError, match="is not signed"):
        mlflow.pyfunc.load_model(folder)
    trust.sign("1")
    mlflow.pyfunc.load_model(folder)
    monkeypatch.setenv(signing.PUBLIC, signing.new_key()[1])
    with pytest.raises(IntegrityError, match="none of the trusted keys"):
        mlflow.pyfunc.load_model(folder)


def test_what_is_damaged_is_not_signed(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    make_key(monkeypatch)
    flip(here.model_folder())
    with pytest.raises(IntegrityError, match="not signed"):
        trust.sign("1")
    assert not list(here.folder.rglob(SIGNATURE))


def test_a_key_comes_from_a_file_or_the_environment_and_goes_nowhere(
    here: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "signing.pem"
    public = trust.keygen(path)
    assert path.stat().st_mode & 0o077 == 0, "its owner's alone"
    with pytest.raises(InputError, match="exists"):
        trust.keygen(path)
    signed = set()
    for told_by in (str(path), path.read_text()):
        monkeypatch.setenv(signing.PRIVATE, told_by)
        signed.add(signing.sign({"a": "b"}))
        trust.sign("1")
    assert len(signed) == 1, "the same, byte for byte"
    secret = path.read_text().splitlines()[1]
    assert traces(here.folder, [secret, secret[16:48]]) == []
    trusting(here, public)
    load()


@pytest.mark.parametrize("told_by", ["no such file", "-----BEGIN PRIVATE KEY-----\nSECRET\n"])
def test_what_is_no_key_is_refused_and_not_repeated(
    told_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.PRIVATE, told_by)
    with pytest.raises(InputError) as caught:
        signing.sign({"a": "b"})
    assert told_by not in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_key_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    pem = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    monkeypatch.setenv(signing.PRIVATE, pem.decode())
    with pytest.raises(InputError, match="another kind"):
        signing.sign({"a": "b"})


def test_the_standard_test_vector_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's own command makes a key and a signature that are taken as ours."""
    if shutil.which("openssl") is None:
        pytest.skip("OpenSSL's command is not installed")
    pem = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True, text=True
    ).stdout
    monkeypatch.setenv(signing.PRIVATE, pem)
    der = subprocess.run(
        ["openssl", "pkey", "-pubout", "-outform", "DER"],
        input=pem.encode(),
        capture_output=True,
        check=True,
    ).stdout
    import base64

    public = base64.b64encode(der[-32:]).decode()
    statement = signing.statement("m", "d" * 64, "f" * 64)
    assert signing.fault(statement, signing.sign(statement), [public]) is None
    other = signing.statement("m", "e" * 64, "f" * 64)
    assert signing.fault(other, signing.sign(statement), [public]) is not None


def test_a_public_key_is_32_bytes(faults: "object") -> None:
    assert callable(faults)
    found = faults(("public_keys: []", "public_keys: [c2hvcnQ=]"))
    assert "registry.public_keys.0" in found[0]


def test_the_signature_of_the_champion_before_does_not_stay(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who promotes, or rolls back, needs no private key: the version has its signature."""
    public = make_key(monkeypatch)
    trust.sign("1")
    monkeypatch.delenv(signing.PRIVATE)
    trusting(here, public)
    champion = champions.read()
    assert champion is not None
    paths.CHAMPION_SIGNATURE.unlink()
    trust.keep_signature(here.uri, champion)
    load()
    other = replace(champion, version="2", digest=bundles.digest_of({"other": b""}))
    trust.keep_signature(here.uri, other)
    assert not paths.CHAMPION_SIGNATURE.exists()
