"""Files: written whole or not at all, and the same bytes for the same values."""

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integration.folders import SOURCE, inside

from perennial.adapters import files
from perennial.adapters.parquet import batches
from perennial.errors import InputError


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


def test_a_write_leaves_alone_what_another_is_writing_and_what_is_no_ones(tmp_path: Path) -> None:
    """The later of two writers at once counts; a file of the user's own is not ours to remove."""
    path, own = tmp_path / "report.json", tmp_path / ".report.json.of-mine.json"
    own.touch()
    with files.replacing(path) as temporary:
        files.write_bytes(path, b"the other's")
        assert temporary.exists()
        temporary.write_bytes(b"the later one's")
    assert path.read_bytes() == b"the later one's"
    assert inside(tmp_path) == {path.name, own.name}


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
    # what is left beside it is no batch, and the next write clears it away
    assert [b.path for b in batches.find(tmp_path)] == [path]
    assert len(inside(tmp_path)) == 2
    files.write_bytes(path, b"new")
    assert inside(tmp_path) == {path.name}
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_database_that_was_killed_in_the_making_leaves_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sqlite3, sys; from pathlib import Path\n"
            "from perennial.adapters import files\n"
            "with files.replacing(Path(sys.argv[1])) as temporary:\n"
            "    with sqlite3.connect(temporary) as database:\n"
            "        database.execute('BEGIN')\n"
            "        database.execute('CREATE TABLE kept (it)'); os.kill(os.getpid(), 9)",
            str(path),
        ],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )
    assert any(name.endswith("-journal") for name in inside(tmp_path))
    files.write_bytes(path, b"whole")
    assert inside(tmp_path) == {path.name}


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
