"""Intake of large tables: in memory are some rows, then some columns, and what comes of it is the
same as of all at once."""

import errno
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.adapters import intake
from perennial.adapters.intake import batching, landing, scratch
from perennial.adapters.intake import table as tables
from perennial.adapters.parquet import batches
from perennial.errors import InputError

ROWS, WIDTH = 120_000, 40  # more cells than are in memory at once


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A Parquet file of several row groups, and what is in it."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"n{i}": rng.normal(size=ROWS) for i in range(WIDTH - 4)})
    frame.loc[::7, "n0"] = np.nan
    frame["word"] = rng.choice(["a", "b", "ü"], ROWS)
    frame.loc[::5, "word"] = None
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, ROWS), "D")
    frame["flag"] = rng.random(ROWS) < 0.3
    frame["whole"] = rng.integers(0, 9, ROWS)
    path = tmp_path_factory.mktemp("large") / "f.parquet"
    frame.to_parquet(path, index=False, row_group_size=10_000)
    return path, frame.assign(when=frame["when"].astype("datetime64[us]"))


def test_while_rows_are_read_the_blocks_before_are_gone(tmp_path: Path) -> None:
    alive: list[weakref.ref] = []
    most = 0

    def blocks() -> Iterator[pa.RecordBatch]:
        nonlocal most
        for n in range(20):
            block = pa.RecordBatch.from_pydict({"c0": [str(n)] * 1000})
            alive.append(weakref.ref(block))
            most = max(most, sum(ref() is not None for ref in alive))
            yield block
            del block

    table = landing.land(["a"], [([0], blocks())], tmp_path, "x")
    assert most <= 2
    assert (table.rows, len(table.parts)) == (20_000, 1)


def test_of_a_large_table_no_column_stays_in_memory(large: tuple[Path, pd.DataFrame]) -> None:
    path, frame = large
    with intake.read(str(path)) as table:
        columns = list(intake.recognised(table))
        held = [weakref.ref(column.cells) for column in columns]
        assert not any(ref() is not None for ref in held)
        for column in columns:
            pd.testing.assert_series_equal(column.cells, frame[column.name], check_names=False)
    small = tables.CELLS_AT_ONCE // WIDTH - 1
    frame.head(small).to_parquet(path.parent / "small.parquet", index=False)
    with intake.read(str(path.parent / "small.parquet")) as table:
        assert all(column.cells is column.cells for column in intake.recognised(table))


def test_nothing_is_left_in_the_temporary_folder(
    large: tuple[Path, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with intake.read(str(large[0])) as table:
        list(intake.recognised(table))
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_what_a_killed_one_left_is_taken_away_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / f"{scratch.PREFIX}dead"
    (dead / "inside").mkdir(parents=True)
    with scratch.folder() as living:
        for old in (dead, living):
            os.utime(old, (0, 0))
        with scratch.folder():
            assert living.exists()
            assert not dead.exists()


def test_batches_are_written_in_pieces_as_they_would_be_whole(
    large: tuple[Path, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, frame = large
    places = np.random.default_rng(1).permutation(ROWS)
    rows = {"a": places[:50_000], "b": places[50_000:50_100], "c": places[50_100:]}
    with intake.read(str(path)) as table:
        columns = list(intake.recognised(table))
        intake.write_batches(columns, rows, lambda period: tmp_path / f"{period}.parquet")
        for period, own in rows.items():
            batches.write_parquet(tmp_path / "whole.parquet", frame.iloc[own])
            whole = (tmp_path / "whole.parquet").read_bytes()
            assert (tmp_path / f"{period}.parquet").read_bytes() == whole
        monkeypatch.setattr(batching, "CELLS", 20_000 * WIDTH)
        intake.write_batches(columns, rows, lambda period: tmp_path / f"{period}.parquet")
    for period, own in rows.items():
        file = pq.ParquetFile(tmp_path / f"{period}.parquet")
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        assert max(groups) <= 20_000
        again = frame.iloc[own].reset_index(drop=True)
        pd.testing.assert_frame_equal(file.read().to_pandas(), again)
        intake.write_batch(tmp_path / "again.parquet", again)  # as `add` does
        assert (tmp_path / "again.parquet").read_bytes() == (
            tmp_path / f"{period}.parquet"
        ).read_bytes()


MEASURE = """
import sys
from pathlib import Path
import pyarrow as pa
from perennial.adapters import intake
from perennial.core.profiling.profile import profile
from perennial.core.profiling.wished import Wishes

def most():
    said = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5")  # from here on anew
    return 1024 * int(said["VmHWM"].split()[0])

with intake.read(sys.argv[1]) as table:
    read = most()
    profile(list(intake.recognised(table)), Wishes(target="y"), place=table.place)
print(read, most())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says how much memory was taken")
def test_a_table_three_times_as_wide_takes_hardly_more_memory(tmp_path: Path) -> None:
    rng, peaks, rows = np.random.default_rng(0), [], 100_000
    for width in (45, 135):
        path = tmp_path / f"{width}.parquet"
        frame = pd.DataFrame({f"n{i}": rng.normal(size=rows) for i in range(width)})
        frame.assign(y=rng.random(rows) < 0.5).to_parquet(path, index=False)
        command = [sys.executable, "-c", MEASURE, str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append([int(peak) for peak in ran.stdout.split()])
    added = 90 * rows * 8  # bytes of the columns that only the second has
    assert max(wide - narrow for narrow, wide in zip(*peaks, strict=True)) < added / 2


@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz"])
def test_a_full_disk_is_named_and_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pd.DataFrame({"a": range(100)}).to_csv(tmp_path / name, index=False)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    what = "perennial.adapters.intake.unpacking._unpack" if ".gz" in name else "pyarrow.OSFile"
    monkeypatch.setattr(what, full)
    with (
        pytest.raises(InputError, match=r"no room[\s\S]*TMPDIR"),
        intake.read(str(tmp_path / name)),
    ):
        pass
