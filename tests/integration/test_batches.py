"""Batches: found, described and read by content; what is none is called what it is."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.adapters.parquet import batches
from perennial.errors import InputError, IntegrityError

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
