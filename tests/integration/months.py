"""Months as they ship and with a fault, in projects that `validate` runs in."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from perennial import paths
from perennial.adapters import expectations

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "batches"
MONTH = SHIPPED / "2010-08.parquet"
TINY = SHIPPED / "2008-12.parquet"
SUITE = json.loads((ROOT / "expectations" / "batch.json").read_text(encoding="utf-8"))
SHAPE = {"expectation", "column", "unexpected_count", "unexpected_percent", "examples", "note"}

Frame = pd.DataFrame


def good() -> Frame:
    return pd.read_parquet(MONTH)


def with_values(column: str, rows: int, value: Any, month: Path = MONTH) -> Frame:
    """Return a good month with `value` in the first `rows` rows of `column`."""
    frame = pd.read_parquet(month)
    return frame.assign(**{column: frame[column].where(frame.index >= rows, value)})


# period: (batch, the column that is named, words that the first failure or finding holds)
QUARANTINED: dict[str, tuple[Callable[[], Frame], str | None, str]] = {
    "empty": (lambda: good().iloc[:0], None, "there is at least one row"),
    "missing-column": (lambda: good().drop(columns="job"), "job", "is missing"),
    "missing-condition": (lambda: good().drop(columns="previous"), "previous", "is missing"),
    "wrong-type": (lambda: good().astype({"age": str}), "age", "age is a number"),
    "category-type": (lambda: good().astype({"job": "category"}), "job", "job is text"),
    "half-unknown": (lambda: with_values("job", 130, "astronaut"), "job", "130 of 260 (50 %)"),
    "tiny-unknown": (lambda: with_values("job", 1, "astronaut", TINY), "job", "1 of 13 (7.69 %)"),
    "half-null": (lambda: with_values("balance", 130, None), "balance", "130 of 260 (50 %)"),
    "half-impossible": (lambda: with_values("age", 130, 999), "age", "from 18 to 100"),
    "null-target": (lambda: with_values("deposit", 1, None), "deposit", "deposit is never null"),
    "third-answer": (lambda: with_values("deposit", 1, "maybe"), "deposit", "yes or no"),
    "one-class": (lambda: good().assign(deposit="yes"), "deposit", "both classes"),
    "duplicates": (lambda: pd.concat([good(), good().iloc[:40]]), None, "80 of 300"),
    "contradiction": (lambda: with_values("pdays", 5, 7), "pdays", "where previous is 0"),
    "contradiction-2": (lambda: good().assign(pdays=-1), "pdays", "where previous is above 0"),
    "wrong-outcome": (lambda: good().assign(poutcome="success"), "poutcome", "previous is 0"),
}
TOLERATED: dict[str, tuple[Callable[[], Frame], str | None, str]] = {
    "new-column": (lambda: good().assign(agent=1), "agent", "is not in the contract"),
    "one-unknown": (lambda: with_values("job", 1, "astronaut"), "job", '"astronaut"'),
    "one-null-number": (lambda: with_values("balance", 1, None), "balance", "1 of 260"),
    "one-null-text": (lambda: with_values("job", 1, None), "job", "1 of 260"),
    "one-impossible": (lambda: with_values("age", 1, 999), "age", "such as 999"),
    "one-infinite": (lambda: with_values("age", 1, float("inf")), "age", "1 of 260"),
    "one-duplicate": (lambda: pd.concat([good(), good().iloc[:1]]), None, "2 of 261"),
}


def project(folder: Path, data: Mapping[str, Frame | Path | bytes], on_failure: str) -> Path:
    """Make a project of these batches, with the shipped contract and parameters."""
    (folder / paths.BATCHES).mkdir(parents=True)
    for period, batch in data.items():
        path = folder / paths.BATCHES / f"{period}.parquet"
        if isinstance(batch, Path):
            shutil.copyfile(batch, path)
        elif isinstance(batch, bytes):
            path.write_bytes(batch)
        else:
            batch.to_parquet(path, index=False)
    shutil.copytree(ROOT / paths.EXPECTATIONS, folder / paths.EXPECTATIONS)
    text = (ROOT / paths.PARAMS).read_text(encoding="utf-8")
    text = text.replace('as_of: "2010-08"', "as_of: latest")
    text = text.replace("on_failure: quarantine", f"on_failure: {on_failure}")
    (folder / paths.PARAMS).write_text(text, encoding="utf-8")
    return folder


def report(folder: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((folder / paths.VALIDATION_REPORT).read_text(encoding="utf-8"))
    return {batch["period"]: batch for batch in content["batches"]}


def only_failure(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a quarantined batch's one failure, which has the shape that the report promises."""
    assert entry["quarantined"]
    (failure,) = entry["failures"]
    assert set(failure) == SHAPE
    return dict(failure)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The periods that Great Expectations is asked to check, as they come."""
    asked: list[str] = []
    check = expectations.Checker.check

    def recorded(self: expectations.Checker, period: str, batch: Frame) -> dict[str, Any]:
        asked.append(period)
        return check(self, period, batch)

    monkeypatch.setattr(expectations.Checker, "check", recorded)
    return asked


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder, with nothing in it."""
    monkeypatch.chdir(tmp_path)
