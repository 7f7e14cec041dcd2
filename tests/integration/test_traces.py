"""The search that privacy is proven by finds a value in whatever it is written as."""

import base64
import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from tests.traces import traces

NAME, NUMBER = "Qzxv-Žanna", 7391846021


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps([NAME]))


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (?)", (f"{'x' * 9000}{NAME}",))


def _parquet(values: list[object], **how: str) -> Callable[[Path], None]:
    return lambda path: pd.DataFrame({"a": values * 50}).to_parquet(path, **how)


def _buffer_in_gzip(path: Path) -> None:
    file = io.BytesIO()
    pd.DataFrame({"a": [NAME]}).to_parquet(file, compression="zstd")
    path.write_bytes(gzip.compress(file.getvalue()))


WRITTEN: dict[str, Callable[[Path], object]] = {
    "UTF-8": lambda path: path.write_text(f"said: {NAME}."),
    "UTF-16": lambda path: path.write_text(NAME, "utf-16"),
    "JSON": lambda path: path.write_text(json.dumps({"name": NAME})),
    "URL": lambda path: path.write_text("https://example.org/?q=Qzxv-%C5%BDanna"),
    "Base64": lambda path: path.write_bytes(base64.b64encode(f"x {NAME} y".encode())),
    "number in text": lambda path: path.write_text(f"{NUMBER}\n"),
    "number in binary": lambda path: path.write_bytes(b"abc" + NUMBER.to_bytes(8, "little")),
    "Parquet": _parquet([NAME], compression="zstd"),
    "Parquet, numbers": _parquet([float(NUMBER), None]),
    "Parquet in gzip": _buffer_in_gzip,
    "SQLite": _sqlite,
    "zip": _zip,
    "picture": lambda path: Figure().savefig(path, format="png", metadata={"Title": NAME}),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_value_is_found(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    path.parent.mkdir()
    WRITTEN[kind](path)
    assert traces(tmp_path, [NAME, NUMBER]) == ["deep/file"]
    assert traces(tmp_path, [NAME, NUMBER], apart=["deep"]) == []
    assert traces(tmp_path, ["Another-Žanna", 7391846022]) == []


def test_a_value_in_a_name_is_found(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.txt").touch()
    assert traces(tmp_path, [NAME]) == [f"{NAME}.txt"]
