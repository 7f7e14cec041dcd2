"""Intake: every kind of source is read, and of faulty ones every fault is named with its place."""

import bz2
import gzip
import lzma
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perennial.adapters import intake
from perennial.adapters.intake import unpacking
from perennial.errors import InputError, PerennialError, UnreachableError

TEXT = 'a;b;c\n1;"x;y";Zoë\n2;"two\nlines";ü\n3;"say ""so""";é\n'
ROWS = [["1", "x;y", "Zoë"], ["2", "two\nlines", "ü"], ["3", 'say "so"', "é"]]


def table_of(data: object, query: str | None = None) -> tuple[intake.Table, pd.DataFrame]:
    """What was read, and all its columns."""
    with intake.read(str(data), query) as table:
        return table, pd.DataFrame(dict(table.columns()))


def read(path: Path) -> list[list[object]]:
    return table_of(path)[1].to_numpy().tolist()


def faults_of(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        table_of(path)
    assert raised.value.exit_code == 2
    return raised.value.faults


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"],
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes((TEXT * 1).encode(encoding))
    assert read(path) == ROWS


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gb18030"])
def test_encodings_of_other_scripts(tmp_path: Path, encoding: str) -> None:
    word = {
        "cp1251": "Привет мир это строка",
        "shift_jis": "日本語のテキスト",
        "gb18030": "中文文本的例子",
    }
    path = tmp_path / "f.csv"
    path.write_bytes(("a,b\n" + f"1,{word[encoding]}\n" * 40).encode(encoding))
    assert read(path)[0] == ["1", word[encoding]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, ending: str) -> None:
    path = tmp_path / "f.txt"
    lines = [delimiter.join(row) for row in (["a b", "when"], ["1,5", "12:30"], ["2,5", "13:00"])]
    quoted = [line.replace("1,5", '"1,5"').replace("2,5", '"2,5"') for line in lines]
    path.write_bytes((ending.join(quoted) + ending + ending).encode())
    assert read(path) == [["1,5", "12:30"], ["2,5", "13:00"]]


def test_other_quotes_escapes_and_excels_first_line(tmp_path: Path) -> None:
    for text in ("a,b\n'x,1',2\n'y,2',3\n", 'sep=,\na,b\n"x,1",2\n"y,2",3\n'):
        (tmp_path / "f.csv").write_text(text)
        assert read(tmp_path / "f.csv") == [["x,1", "2"], ["y,2", "3"]]
    (tmp_path / "f.csv").write_text('a,b\n"x \\"1\\"",2\n"y",3\n')
    assert read(tmp_path / "f.csv")[0] == ['x "1"', "2"]


@pytest.mark.parametrize("how", ["gz", "zip", "bz2", "xz"])
def test_compressed_by_content_whatever_the_name(tmp_path: Path, how: str) -> None:
    path, content = tmp_path / "data.csv", TEXT.encode()
    if how == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/f.csv", content)
    else:
        pack = {"gz": gzip, "bz2": bz2, "xz": lzma}[how].compress
        path.write_bytes(pack(content))
    assert read(path) == ROWS


def test_parquet_keeps_its_types_by_content_whatever_the_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "whole": [1, 2],
            "part": [1.5, np.nan],
            "flag": [True, False],
            "maybe": pd.array([True, None], dtype="boolean"),
            "day": pd.to_datetime(["2024-01-01", None]),
            "zone": pd.to_datetime(["2024-01-01T12:00+02:00", "2024-01-02T00:00+02:00"]),
            "word": ["x", None],
            "level": pd.Categorical(["u", "v"]),
            "list": [[1], [2]],
        }
    )
    frame.to_parquet(tmp_path / "f.parquet.brotli", compression="brotli")
    table, rows = table_of(tmp_path / "f.parquet.brotli")
    kinds = {name: str(kind) for name, kind in rows.dtypes.items()}
    assert kinds == {
        "whole": "int64",
        "part": "float64",
        "flag": "bool",
        "maybe": "str",
        "day": "datetime64[us]",
        "zone": "datetime64[us]",
        "word": "str",
        "level": "str",
    }
    assert rows["zone"][0] == pd.Timestamp("2024-01-01T10:00")
    assert any("list" in said for said in table.said)


def test_a_database_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "shop.db"
    with sqlite3.connect(base) as connection:
        connection.execute("create table t (a integer, b text, c)")
        rows = [(i, f"x{i}", "mixed" if i else 7) for i in range(60_000)]
        connection.executemany("insert into t values (?, ?, ?)", rows)
    connection.close()
    table, rows = table_of(f"sqlite:///{base}", "select * from t order by a")
    assert len(rows) == table.rows == 60_000
    assert rows["a"].dtype == "int64"
    assert rows["c"].tolist() == ["7", *["mixed"] * 59_999]
    assert (rows["b"][59_999], table.name) == ("x59999", "shop")
    for address, query in (
        (f"sqlite:///{base}", None),
        (f"sqlite:///{base}", "selct 1"),
        (f"sqlite:///{base}", "select nothing from t"),
        ("sqlite:///nowhere.db", "select 1"),
        ("nosuch://x/y", "select 1"),
        ("://", "select 1"),
    ):
        with pytest.raises(InputError):
            table_of(address, query)
    with pytest.raises(InputError, match="goes with a database"):
        table_of(base, "select 1")


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    for query in (None, "select 1"):
        with pytest.raises(PerennialError) as raised:
            table_of("postgresql://me:secret@127.0.0.1:9/x?password=secret", query)
        assert "secret" not in str(raised.value)
        assert isinstance(raised.value, InputError | UnreachableError)


@pytest.mark.parametrize("before", ["", "\n\n", "\r\n", "sep=,\n\n"])
@pytest.mark.parametrize("name", ["a", '"a\n"'])
def test_blank_lines_before_the_header_are_no_rows(tmp_path: Path, before: str, name: str) -> None:
    (tmp_path / "f.csv").write_text(f"{before}{name},b\n1,2\n\n3,4\n")
    _, rows = table_of(tmp_path / "f.csv")
    assert (list(rows), rows.to_numpy().tolist()) == (["a", "b"], [["1", "2"], ["3", "4"]])


def test_ragged_rows_are_named_by_their_lines(tmp_path: Path) -> None:
    text = 'a,b\n1,2\n3\n"x\ny",4\n5,6,7\n'
    found = faults_of(tmp_path / "f.csv", text.encode())
    assert "line 3: 1 field, the header has 2" in found[0]
    assert "line 6: 3 fields" in found[1]


def test_bytes_that_are_no_utf8_are_named_by_offset_and_line(tmp_path: Path) -> None:
    content = "a,b\nü,1\nö,2\n".encode() + b"x\xff,3\n"
    (fault,) = faults_of(tmp_path / "f.csv", content)
    assert "0xFF" in fault
    assert f"offset {content.index(0xFF)}" in fault
    assert "line 4" in fault


def test_a_quote_that_is_not_closed_is_found(tmp_path: Path) -> None:
    text = "a,b\n" + "1,2\n" * 50 + '"3,4\n' + "5,6\n" * 5000
    assert faults_of(tmp_path / "f.csv", text.encode())


def test_a_spreadsheet_is_named_for_what_it_is(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(InputError, match="Excel"):
        table_of(tmp_path / "f.xlsx")


@pytest.mark.parametrize("how", ["gz", "zip"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "ALWAYS", 1 << 20)
    path, content = tmp_path / f"f.{how}", b"a,b\n" + b"0" * (8 << 20)
    if how == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("f.csv", content)
    else:
        path.write_bytes(gzip.compress(content))
    (fault,) = faults_of(path, path.read_bytes())
    assert "unpacks to more than" in fault


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\n\n", "no header"),
        (b"a,b\n", "no rows"),
        (bytes(range(256)) * 20, "no text"),
        (b"PAR1xxxx", "Parquet"),
        # mtime: the time of day would be part of the test's name, and differ between processes
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "damaged gzip"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), "twice"),
        (b"PK\x03\x04 not a zip", "damaged zip"),
        (b"%PDF-1.4 x", "PDF"),
    ],
)
def test_what_is_no_table_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, word: str
) -> None:
    assert word in faults_of(tmp_path / "f.csv", content)[0]


def test_all_files_of_a_folder_are_looked_at_before_any_fault_is_told(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a,b\n1\n")
    (tmp_path / "two.csv").write_bytes(b"")
    (tmp_path / "three.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError) as raised:
        table_of(tmp_path)
    assert {"one", "two"} == {Path(f.split(":")[0]).stem for f in raised.value.faults}


def test_columns_that_a_part_lacks_are_missing_there_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    pd.DataFrame({"a": [3]}).to_parquet(tmp_path / "2.parquet")
    table, rows = table_of(tmp_path)
    assert rows["a"].tolist() == ["1", "3"]
    assert rows["b"].isna().tolist() == [False, True]
    assert any("2.parquet lacks b" in said for said in table.said)
    assert table.place(1) == "row 1 of 2.parquet"
