"""Bundles: nothing is loaded that differs from its manifest in a single byte."""

import hashlib
import json
from pathlib import Path

import pytest
from tests.integration.folders import inside

from perennial.adapters import bundles, files
from perennial.errors import IntegrityError

ARTEFACTS = {"model.json": b'{"a": 1}\n', "member-00.ubj": bytes(range(40)), "empty": b""}
REAL = [name for name, content in ARTEFACTS.items() if content]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    bundles.write(tmp_path / "bundle", ARTEFACTS)
    return tmp_path / "bundle"


def refused(bundle: Path, expected: str | None = None) -> list[str]:
    """Return the faults for which a bundle is not loaded."""
    with pytest.raises(IntegrityError) as caught:
        bundles.read(bundle, expected)
    assert caught.value.exit_code == 3
    assert bundles.faults(bundle, expected) == caught.value.faults
    return caught.value.faults


def test_a_bundle_comes_back_as_it_was_written(bundle: Path) -> None:
    digest = bundles.digest(bundle)
    assert bundles.read(bundle) == bundles.read(bundle, digest) == ARTEFACTS
    assert bundles.is_whole(bundle, digest)
    assert digest == hashlib.sha256((bundle / bundles.MANIFEST).read_bytes()).hexdigest()


def test_a_digest_stands_for_names_and_contents_and_nothing_else(tmp_path: Path) -> None:
    def digest(artefacts: dict[str, bytes]) -> str:
        return bundles.write(tmp_path / "other", artefacts)

    first = digest(ARTEFACTS)
    assert digest(dict(reversed(ARTEFACTS.items()))) == first
    assert digest({**ARTEFACTS, "empty": b" "}) != first
    assert digest({**ARTEFACTS, "more": b""}) != first
    assert digest({f"x{name}": content for name, content in ARTEFACTS.items()}) != first


def test_a_bundle_written_over_another_keeps_nothing_of_it(bundle: Path) -> None:
    bundles.write(bundle, {"only": b"this"})
    assert bundles.read(bundle) == {"only": b"this"}
    assert inside(bundle) == {"only", bundles.MANIFEST}


@pytest.mark.parametrize("name", [*REAL, bundles.MANIFEST])
def test_every_single_flipped_byte_is_found(bundle: Path, name: str) -> None:
    expected, path = bundles.digest(bundle), bundle / name
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not bundles.is_whole(bundle, expected)
        assert len(refused(bundle, expected)) == 1
        if name != bundles.MANIFEST:  # found though the digest is not known from elsewhere
            assert len(refused(bundle)) == 1


@pytest.mark.parametrize("name", [*REAL, bundles.MANIFEST])
def test_every_truncation_is_found(bundle: Path, name: str) -> None:
    expected, path = bundles.digest(bundle), bundle / name
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert str(path) in refused(bundle, expected)[0]


@pytest.mark.parametrize("name", ["more.json", ".hidden", "deeper/model.json"])
def test_a_file_that_was_added_is_found(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_bytes(b"")
    assert refused(bundle) == [f"{bundle / name}: not in the manifest"]


@pytest.mark.parametrize("name", [*ARTEFACTS, bundles.MANIFEST])
def test_a_file_that_was_removed_is_found(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert refused(bundle) == [f"{bundle / name}: no such file"]


def test_files_that_were_swapped_are_found(bundle: Path) -> None:
    first, second = (bundle / name for name in REAL)
    first.rename(bundle / "between")
    second.rename(first)
    (bundle / "between").rename(second)
    assert len(refused(bundle)) == 2


def test_a_whole_bundle_in_place_of_another_is_found(bundle: Path, tmp_path: Path) -> None:
    expected = bundles.digest(bundle)
    bundles.write(bundle, {**ARTEFACTS, "model.json": b'{"a": 2}\n'})
    assert bundles.read(bundle)  # whole in itself
    assert "digest" in refused(bundle, expected)[0]


def test_an_artefact_and_its_entry_changed_together_are_found_by_the_digest(bundle: Path) -> None:
    expected = bundles.digest(bundle)
    manifest = json.loads((bundle / bundles.MANIFEST).read_bytes())
    (bundle / "model.json").write_bytes(b"evil")
    manifest["artefacts"]["model.json"]["sha256"] = hashlib.sha256(b"evil").hexdigest()
    files.write_json(bundle / bundles.MANIFEST, manifest)
    assert len(refused(bundle, expected)) == 1


def test_an_entry_taken_out_of_the_manifest_leaves_a_file_too_many(bundle: Path) -> None:
    manifest = json.loads((bundle / bundles.MANIFEST).read_bytes())
    del manifest["artefacts"]["model.json"]
    files.write_json(bundle / bundles.MANIFEST, manifest)
    assert refused(bundle) == [f"{bundle / 'model.json'}: not in the manifest"]


def test_a_symbolic_link_is_refused_though_it_leads_to_the_same_bytes(
    bundle: Path, tmp_path: Path
) -> None:
    (bundle / "model.json").rename(tmp_path / "elsewhere")
    (bundle / "model.json").symlink_to(tmp_path / "elsewhere")
    assert len(refused(bundle)) == 1


@pytest.mark.parametrize("name", ["{outside}", "../outside", "deeper/../../outside"])
def test_a_manifest_that_leads_out_of_the_bundle_is_refused_though_its_digest_is_right(
    bundle: Path, name: str
) -> None:
    outside = bundle.parent / "outside"
    outside.write_bytes(b"secret")
    (bundle / "deeper").mkdir()
    manifest = json.loads((bundle / bundles.MANIFEST).read_bytes())
    entry = {"bytes": 6, "sha256": hashlib.sha256(b"secret").hexdigest()}
    manifest["artefacts"][name.format(outside=outside)] = entry
    files.write_json(bundle / bundles.MANIFEST, manifest)
    with pytest.raises(IntegrityError):
        bundles.read(bundle)


def test_all_that_differs_is_said_at_once(bundle: Path) -> None:
    (bundle / "model.json").write_bytes(b"evil")
    (bundle / "member-00.ubj").unlink()
    (bundle / "more").write_bytes(b"")
    assert len(refused(bundle)) == 3


@pytest.mark.parametrize("content", [b"{}", b'{"artefacts": []}', b'{"artefacts": null}'])
def test_a_manifest_without_artefacts_is_none(bundle: Path, content: bytes) -> None:
    (bundle / bundles.MANIFEST).write_bytes(content)
    with pytest.raises(IntegrityError, match="not a manifest"):
        bundles.read(bundle)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"artefacts": {"mo',
        b"[]",
        b'{"artefacts": {"model.json": 5}}',
        b'{"artefacts": {"model.json": {"bytes": 9}}}',
        b'{"artefacts": {"model.json": {"sha256": null}}}',
    ],
)
def test_a_manifest_that_is_none_is_an_integrity_failure(bundle: Path, content: bytes) -> None:
    (bundle / bundles.MANIFEST).write_bytes(content)
    with pytest.raises(IntegrityError):
        bundles.read(bundle)
