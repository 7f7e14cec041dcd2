"""Intake of types: whatever a source calls its columns and has in them, each has its own cells."""

import sqlite3
import uuid
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.adapters import intake
from perennial.adapters.intake import limits
from perennial.errors import InputError


def arrow(path: Path, columns: Sequence[tuple[str, Sequence[object]]], **how: object) -> Path:
    """Write Parquet, with names as they are."""
    table = pa.Table.from_arrays(
        [pa.array(own) for _, own in columns], [name for name, _ in columns]
    )
    pq.write_table(table, path, **how)
    return path


def rows_of(path: Path | str, query: str | None = None) -> dict[str, list]:
    with intake.read(str(path), query) as table:
        return {name: cells.tolist() for name, cells in table.columns()}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            [("a", [1, 2]), ("b", ["x", "y"]), ("a", [3.5, 4.5])],
            {"a": [1, 2], "b": ["x", "y"], "a (2)": [3.5, 4.5]},
        ),
        (
            [("a.b", [1, 2]), ("x", ["x", "y"]), ("a", [{"b": 1}, {"b": 2}])],
            {"a.b": [1, 2], "x": ["x", "y"]},
        ),
        (
            [
                ("a", [{"b": 1, "c": 2}] * 2),
                *((f"x{n}", [n, n]) for n in range(40)),
                ("a.b", [7, 8]),
            ],
            {**{f"x{n}": [n, n] for n in range(40)}, "a.b": [7, 8]},
        ),
        (
            [(f"x{n}", [n, -n]) for n in reversed(range(70))],
            {f"x{n}": [n, -n] for n in reversed(range(70))},
        ),
    ],
    ids=["twice", "dotted", "apart", "many"],
)
def test_each_name_has_its_own_cells(
    tmp_path: Path, columns: list[tuple[str, list]], expected: dict[str, list]
) -> None:
    found = rows_of(arrow(tmp_path / "f.parquet", columns))
    assert (list(found), found) == (list(expected), expected)


def test_parts_of_different_types_become_one_column(tmp_path: Path) -> None:
    parts = [
        {"n": [1, 2], "t": [None, None], "b": [True, False], "d": ["2024-01-01"] * 2, "m": [1, 2]},
        {"n": [1.5, None], "t": ["x", "y"], "d": [None, None], "m": ["u", "3"]},
    ]
    for n, part in enumerate(parts):
        frame = pd.DataFrame(part).assign(never=pd.Series(pd.NaT, index=range(2)))
        frame.assign(d=pd.to_datetime(frame["d"])).to_parquet(tmp_path / f"{n}.parquet")
    with intake.read(str(tmp_path)) as table:
        rows = dict(table.columns())
    assert rows["n"].dtype == "float64"
    assert rows["n"].isna().tolist() == [False, False, False, True]
    assert rows["t"].dropna().tolist() == ["x", "y"]
    assert rows["b"].dropna().tolist() == ["True", "False"]
    assert rows["d"].notna().tolist() == [True, True, False, False]
    assert (rows["d"].dtype, rows["never"].dtype) == ("datetime64[us]", "datetime64[us]")
    assert rows["m"].tolist() == ["1", "2", "u", "3"]


def database(path: Path, rows: list[tuple]) -> str:
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (a, b, c)")
        connection.executemany("insert into t values (?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{path}"


def test_a_query_whose_later_rows_have_other_types_is_read_whole(tmp_path: Path) -> None:
    early, late = [(None, i, b"x") for i in range(50_000)], range(50_000, 60_000)
    address = database(tmp_path / "x.db", [*early, *((i, i + 0.5, b"x") for i in late)])
    with intake.read(address, "select * from t") as table:
        read = dict(table.columns())
    assert list(read) == ["a", "b"]
    assert any("bytes: c" in said for said in table.said)
    assert (read["a"].isna().sum(), read["a"].iloc[-1]) == (50_000, 59_999)
    assert (read["b"].to_numpy(float)[[0, -1]] == [0, 59_999.5]).all()


def test_whole_numbers_before_text_keep_their_digits(tmp_path: Path) -> None:
    large = 2**62
    early = [(large + i if i % 2 else None, i if i % 3 else i + 0.5, i) for i in range(50_000)]
    address = database(tmp_path / "x.db", [*early, *[("x", "y", "z")] * 9])
    read = rows_of(address, "select * from t")
    assert [read["a"][1], read["a"][3]] == [str(large + 1), str(large + 3)]
    assert pd.isna(read["a"][0])
    assert [read["b"][0], read["b"][1], read["b"][-1]] == ["0.5", "1", "y"]
    assert [read["c"][1], read["c"][-1]] == ["1", "z"]


def test_names_of_rows_are_text_and_bytes_are_left_out(tmp_path: Path) -> None:
    one = uuid.UUID(int=7)
    pq.write_table(
        pa.table({"u": pa.array([one.bytes, None], pa.uuid()), "n": [1, 2]}), tmp_path / "f.parquet"
    )
    assert rows_of(tmp_path / "f.parquet")["u"][0] == str(one)
    address = database(tmp_path / "x.db", [("a", 1, "x"), (b"b", 2, "y")])
    assert list(rows_of(address, "select * from t")) == ["b", "c"]


def test_one_value_is_one_text_whatever_part_it_is_in(tmp_path: Path) -> None:
    arrow(tmp_path / "1.parquet", [("a", [1, 2])])
    arrow(tmp_path / "2.parquet", [("a", [1.0, None])])
    arrow(tmp_path / "3.parquet", [("a", ["1", "x"])])
    found = rows_of(tmp_path)["a"]
    assert [one for one in found if not pd.isna(one)] == ["1", "2", "1", "1", "x"]


def test_the_limit_is_of_all_columns_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [(f"c{n}", ["constant text" * 10] * 5_000) for n in range(100)]
    path = arrow(tmp_path / "f.parquet", columns)
    monkeypatch.setattr(limits, "LARGEST", 40 << 20)
    with pytest.raises(InputError, match="GiB unpacked"), intake.read(str(path)):
        pass
    arrow(tmp_path / "g.parquet", columns[:40])
    arrow(tmp_path / "f.parquet", columns[:40])
    with pytest.raises(InputError, match=f"{tmp_path.name}.*GiB"), intake.read(str(tmp_path)):
        pass


@pytest.mark.parametrize(
    ("column", "last"),
    [(pa.array([0, 4_000_000], pa.date32()), 12921), (pa.array([2**60], pa.timestamp("ms")), None)],
)
def test_times_far_away_are_read_or_named(tmp_path: Path, column: pa.Array, last: int) -> None:
    pq.write_table(pa.table({"when": column, "n": range(len(column))}), tmp_path / "f.parquet")
    if last is None:
        with pytest.raises(InputError, match="column when"), intake.read(str(tmp_path)):
            pass
    else:
        with intake.read(str(tmp_path / "f.parquet")) as table:
            assert dict(table.columns())["when"].dt.year.iloc[-1] == last
