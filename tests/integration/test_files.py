"""What is on disk: written whole or not at all, and never believed where it differs."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.adapters import batches, bundles, champions, files, matrices
from perennial.adapters.champions import Champion
from perennial.errors import InputError, IntegrityError, PerennialError

SOURCE = Path(__file__).parents[2] / "src"


def inside(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# files


def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    files.write_bytes(path, b"old")

    def write() -> None:
        with files.replacing(path) as temporary:
            temporary.write_bytes(b"half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert path.read_bytes() == b"old"
    assert inside(tmp_path) == {"report.json"}


def test_a_write_that_is_killed_midway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "2020-01.parquet"
    files.write_bytes(path, b"old")
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; from pathlib import Path; from perennial.adapters import files\n"
            "with files.replacing(Path(sys.argv[1])) as temporary:\n"
            "    temporary.write_bytes(b'half'); os.kill(os.getpid(), 9)",
            str(path),
        ],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    # what is left beside it is no batch, and the next write does not mind it
    assert [b.path for b in batches.find(tmp_path)] == [path]
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB, where this machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=65536", "tmpfs", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_file_and_no_half_one(small_disk: Path) -> None:
    path = small_disk / "report.json"
    files.write_bytes(path, b"old" * 10_000)
    with pytest.raises(OSError, match="No space") as caught:
        files.write_bytes(path, b"new" * 20_000)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old" * 10_000
    assert inside(small_disk) == {"report.json"}


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path, whole = tmp_path / "file", {b"a" * 50_000, b"b" * 70_000}
    files.write_bytes(path, b"a" * 50_000)
    done = threading.Event()
    seen = set()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(15):
        for content in whole:
            files.write_bytes(path, content)
    done.set()
    reader.join()
    assert seen <= whole


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_a_file_may_be_read_by_whom_the_umask_says(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        files.write_bytes(tmp_path / "new" / "file", b"content")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "file").stat().st_mode) == mode


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5))
def test_json_bytes_do_not_depend_on_the_order_of_keys_and_are_read_back_to_the_same(
    content: dict[str, Any],
) -> None:
    written = files.json_bytes(content)
    assert files.json_bytes(dict(reversed(content.items()))) == written
    assert files.json_bytes(json.loads(written)) == written


def test_the_same_values_of_other_types_have_the_same_json_bytes() -> None:
    plain = {"b": [1, 2.5, True, None], "a": {"x": 0.1}}
    numpy = {
        "a": {"x": np.float64(0.1)},
        "b": (np.int64(1), np.float32(2.5), np.bool_(True), np.nan),
    }
    assert files.json_bytes(numpy) == files.json_bytes(plain)
    assert files.json_bytes({"a": {3, 1, 2}}) == files.json_bytes({"a": [1, 2, 3]})


def test_json_has_nine_digits_and_no_infinities_and_exact_json_has_all() -> None:
    third = {"a": 1 / 3, "b": float("inf")}
    assert json.loads(files.json_bytes(third)) == {"a": 0.333333333, "b": None}
    assert json.loads(files.exact_json_bytes({"a": 1 / 3})) == {"a": 1 / 3}
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.exact_json_bytes(third)


def test_nothing_has_no_sign_in_json() -> None:
    assert files.json_bytes({"a": -0.0}) == files.json_bytes({"a": 0.0})


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"a": 1', b"\xff\xfe", b"[1]", b"null", b"5"],
    ids=["empty", "torn", "torn later", "no text", "a list", "null", "a number"],
)
def test_json_that_is_no_object_is_said_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(InputError, match=r"plan\.json") as caught:
        files.read_json(tmp_path / "plan.json", "Do this.")
    assert caught.value.remedy == "Do this."


def test_a_missing_json_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plan\.json: no such file"):
        files.read_json(tmp_path / "plan.json", "Do this.")


def test_a_digest_of_parts_keeps_them_apart() -> None:
    assert files.digest_of("ab", "c") != files.digest_of("a", "bc")
    assert files.digest_of("a", "") != files.digest_of("a")
    assert files.digest_of({"a": 1, "b": 2}) == files.digest_of({"b": 2, "a": 1})


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    assert files.sha256(tmp_path / "file") == hashlib.sha256(b"content").hexdigest()


# batches

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})


def batch_folder(folder: Path, *periods: str) -> Path:
    for period in periods:
        batches.write_parquet(folder / f"{period}.parquet", FRAME.assign(period=period))
    return folder


@pytest.mark.parametrize(
    ("as_of", "last"),
    [("latest", "2020-03"), ("2020-02", "2020-02"), ("2020-02x", "2020-02"), ("2021", "2020-03")],
)
def test_batches_are_found_in_order_up_to_the_period_asked_for(
    tmp_path: Path, as_of: str, last: str
) -> None:
    batch_folder(tmp_path, "2020-03", "2020-01", "2020-02")
    found = [batch.period for batch in batches.find(tmp_path, as_of)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == ("2020-01", last)


def test_files_that_are_no_batches_are_all_named(tmp_path: Path) -> None:
    batch_folder(tmp_path, "2020-01")
    for name in ("notes.txt", "2020 02.parquet", "-1.parquet", f"{'9' * 65}.parquet"):
        (tmp_path / name).touch()
    (tmp_path / "2020-04.parquet").mkdir()
    with pytest.raises(InputError) as caught:
        batches.find(tmp_path)
    assert len(caught.value.faults) == 5


def test_hidden_files_are_no_batches_and_no_fault(tmp_path: Path) -> None:
    batch_folder(tmp_path, "2020-01")
    for name in (".gitignore", ".2020-02.parquet.abc.parquet"):
        (tmp_path / name).touch()
    assert [batch.period for batch in batches.find(tmp_path)] == ["2020-01"]


def test_no_folder_no_batch_and_none_old_enough_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        batches.find(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="no batch"):
        batches.find(tmp_path)
    with pytest.raises(InputError, match="1999-01"):
        batches.find(batch_folder(tmp_path, "2020-01"), "1999-01")


def test_a_batch_is_described_by_period_content_and_rows(tmp_path: Path) -> None:
    batch = batches.find(batch_folder(tmp_path, "2020-01"))[0]
    digest = hashlib.sha256(batch.path.read_bytes()).hexdigest()
    assert batches.describe(batch) == {"period": "2020-01", "sha256": digest, "rows": 3}


def test_a_frame_is_written_to_the_same_bytes_and_read_back(tmp_path: Path) -> None:
    for name in ("first", "second"):
        batches.write_parquet(tmp_path / name, FRAME)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    batches.copy(tmp_path / "first", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "first").read_bytes()
    pd.testing.assert_frame_equal(batches.read(tmp_path / "copy"), FRAME, check_dtype=False)
    assert list(batches.read(tmp_path / "copy", ["b"])) == ["b"]


def test_every_column_that_a_batch_lacks_is_named(tmp_path: Path) -> None:
    path = batch_folder(tmp_path, "2020-01") / "2020-01.parquet"
    with pytest.raises(InputError) as caught:
        batches.read(path, ["a", "gone", "lost"])
    assert [fault.split(": ")[1] for fault in caught.value.faults] == ["column gone", "column lost"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"a,b\n1,2\n", "not Parquet"),
        (b"PAR1", "damaged"),
        (b"PAR1 and no end", "torn"),
        (b"PAR1" + bytes(40) + b"PAR1", "damaged"),
    ],
)
def test_a_file_that_is_no_parquet_is_called_what_it_is(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "2020-01.parquet"
    path.write_bytes(content)
    for look in (lambda: batches.describe(batches.Batch("2020-01", path)), batches.read):
        with pytest.raises(InputError, match=said):
            look(path) if look is batches.read else look()


def test_a_batch_torn_anywhere_is_said_to_be_torn(tmp_path: Path) -> None:
    path = batch_folder(tmp_path, "2020-01") / "2020-01.parquet"
    whole = path.read_bytes()
    for length in range(1, len(whole), 3):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="2020-01"):
            batches.describe(batches.Batch("2020-01", path))


def test_a_batch_damaged_in_what_pandas_wrote_about_it_is_said_to_be_damaged(
    tmp_path: Path,
) -> None:
    path = tmp_path / "2020-01.parquet"
    table = pa.Table.from_pandas(FRAME)
    told = table.schema.metadata[b"pandas"].replace(b'"int64"', b'"strange"')
    pq.write_table(table.replace_schema_metadata({b"pandas": told}), path)
    with contextlib.suppress(InputError):
        batches.read(path)


def refs(folder: Path) -> list[Any]:
    return [batches.describe(batch) for batch in batches.find(folder)]


def test_planned_batches_are_read_by_content_from_the_first_folder_that_has_them(
    tmp_path: Path,
) -> None:
    batch_folder(tmp_path / "batches", "2020-01", "2020-02")
    planned = refs(tmp_path / "batches")
    accepted = tmp_path / "accepted"
    batches.write_parquet(accepted / "2020-01.parquet", FRAME)  # another content: not this one
    found = batches.read_verified(planned, (accepted, tmp_path / "batches"), ["period"])
    assert {p: f["period"].unique().tolist() for p, f in found.items()} == {
        "2020-01": ["2020-01"],
        "2020-02": ["2020-02"],
    }


def test_every_batch_that_is_not_as_planned_is_named(tmp_path: Path) -> None:
    folder = batch_folder(tmp_path / "batches", "2020-01", "2020-02", "2020-03")
    planned = refs(folder)
    batches.write_parquet(folder / "2020-01.parquet", FRAME)
    (folder / "2020-03.parquet").unlink()
    with pytest.raises(IntegrityError) as caught:
        batches.read_verified(planned, (tmp_path / "accepted", folder))
    assert caught.value.exit_code == 3
    changed, gone = caught.value.faults
    assert changed.startswith(f"{folder / '2020-01.parquet'}: other content (SHA-256 ")
    assert planned[0]["sha256"][:12] in changed
    assert gone.startswith("2020-03.parquet: not in ")
    assert "Put the batch back as it was" in caught.value.remedy


# bundles

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


# champion.json

CHAMPION = Champion(
    model="m",
    version="3",
    digest="d" * 64,
    plan={"hyperparameters": {"learning_rate": 0.1 + 0.2}},
    verdict="promote",
    when="2020-01-01T00:00:00Z",
    attempts=[{"period": "2020-01", "verdict": "keep"}],
)


def champion_file(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / "champion.json"
    champions.write(CHAMPION, path)
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))
    return path


def unreadable(path: Path) -> str:
    """Return why it can't be told who is champion, which is never `nobody`."""
    with pytest.raises(IntegrityError) as caught:
        champions.read(path)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_a_champion_comes_back_with_every_digit_of_its_plan(tmp_path: Path) -> None:
    champions.write(CHAMPION, tmp_path / "champion.json")
    assert champions.read(tmp_path / "champion.json") == CHAMPION


def test_the_file_of_a_fresh_clone_names_nobody(tmp_path: Path) -> None:
    named = ("version", "digest", "plan", "verdict", "when")
    path = champion_file(tmp_path, lambda c: c.update(dict.fromkeys(named)))
    assert champions.read(path) is None


@pytest.mark.parametrize("key", ["version", "digest", "plan", "verdict", "when"])
def test_a_champion_named_in_part_is_not_nobody(tmp_path: Path, key: str) -> None:
    path = champion_file(tmp_path, lambda c: c.update({key: None}))
    assert f"without {key}" in unreadable(path)


@pytest.mark.parametrize("key", sorted(champions.KEYS))
def test_a_missing_key_is_not_nobody(tmp_path: Path, key: str) -> None:
    assert key in unreadable(champion_file(tmp_path, lambda c: c.pop(key)))


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    assert "nickname" in unreadable(champion_file(tmp_path, lambda c: c.update(nickname="x")))


def test_a_missing_or_torn_file_is_not_nobody(tmp_path: Path) -> None:
    path = tmp_path / "champion.json"
    unreadable(path)
    champions.write(CHAMPION, path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 9):
        path.write_bytes(whole[:length])
        unreadable(path)
    path.unlink()
    path.mkdir()
    unreadable(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("digest", ""), ("digest", 5), ("plan", "x"), ("version", 3), ("attempts", None)],
)
def test_a_champion_of_a_wrong_type_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    unreadable(champion_file(tmp_path, lambda c: c.update({key: value})))


# matrices


def test_a_part_comes_back_with_its_types_and_order(tmp_path: Path) -> None:
    features = pd.DataFrame(
        {
            "x": [1.5, np.nan, -2.0],
            "c": pd.Categorical(["b", None, "a"], categories=["a", "b", "(other)"]),
        },
        index=[7, 3, 5],
    )
    rows = pd.DataFrame(
        {"period": "2020-01", "row": [0, 1, 2], "target": [1, 0, 1], "g": ["a", "(missing)", "b"]},
        index=features.index,
    )
    for folder in ("first", "second"):
        matrices.write_part(tmp_path / folder, "train", features, rows)
    for name in inside(tmp_path / "first"):
        first, second = ((tmp_path / f / name).read_bytes() for f in ("first", "second"))
        assert first == second
    part = matrices.read_part(tmp_path / "first", "train")
    pd.testing.assert_frame_equal(part.features, features.reset_index(drop=True))
    assert part.target.tolist() == [1, 0, 1]
    assert part.groups.to_dict("list") == {"g": ["a", "(missing)", "b"]}
    assert matrices.read_target(tmp_path / "first", "train").tolist() == [1, 0, 1]


def test_an_error_says_every_fault_and_what_to_do() -> None:
    error = PerennialError(["one", "two"], "Do this.")
    assert str(error) == "one\ntwo\n→ Do this."
    assert PerennialError("one", "Do this.").faults == ["one"]
