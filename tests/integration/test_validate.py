"""The stage validate with the real Great Expectations: what becomes of each fault of data.

docs/faults-of-data.md is the table of what is proven here.
"""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from perennial import paths
from perennial.adapters import expectations
from perennial.errors import InputError
from perennial.stages.validate import validate

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "batches"
MONTH = SHIPPED / "2010-08.parquet"
TINY = SHIPPED / "2008-12.parquet"
REAL = ("2008-10", "2008-12", "2010-09", "2010-10", "2010-11")
SUITE = json.loads((ROOT / "expectations" / "batch.json").read_text(encoding="utf-8"))

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


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every fault, and some real months beside, validated once."""
    data: dict[str, Frame | Path | bytes] = {p: SHIPPED / f"{p}.parquet" for p in REAL}
    data |= {p: make() for p, (make, _, _) in (QUARANTINED | TOLERATED).items()}
    folder = project(tmp_path_factory.mktemp("everything"), data, "quarantine")
    with contextlib.chdir(folder):
        validate()
    return folder


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


@pytest.mark.parametrize("period", REAL)
def test_a_month_as_shipped_meets_the_whole_contract(everything: Path, period: str) -> None:
    batch = report(everything)[period]
    assert (batch["success"], batch["failures"], batch["tolerated"]) == (True, [], [])
    assert (
        batch["why"] == f"{batch['rows']} rows meet all {len(SUITE['expectations'])} expectations"
    )


@pytest.mark.parametrize("period", QUARANTINED)
def test_a_grave_fault_sets_the_batch_aside_and_says_why(everything: Path, period: str) -> None:
    _, column, words = QUARANTINED[period]
    batch = report(everything)[period]
    assert batch["quarantined"]
    assert not batch["success"]
    assert not (everything / paths.ACCEPTED / f"{period}.parquet").exists()
    assert (everything / paths.BATCHES / f"{period}.parquet").exists()
    named = [f for f in batch["failures"] if f["column"] == column and words in f["note"]]
    assert named, batch["failures"]
    assert named[0]["note"] in batch["why"]


@pytest.mark.parametrize("period", TOLERATED)
def test_a_small_fault_is_tolerated_and_reported(everything: Path, period: str) -> None:
    _, column, words = TOLERATED[period]
    batch = report(everything)[period]
    assert batch["success"]
    assert not batch["quarantined"]
    assert not batch["failures"]
    assert [t["column"] for t in batch["tolerated"]] == [column]
    assert words in batch["tolerated"][0]["note"]


def test_a_missing_column_is_one_failure_not_one_an_expectation(everything: Path) -> None:
    (failure,) = report(everything)["missing-column"]["failures"]
    assert failure["note"] == "job: is missing"


def test_a_failure_has_count_share_and_examples(everything: Path) -> None:
    (failure,) = report(everything)["half-unknown"]["failures"]
    assert failure["expectation"] == "expect_column_values_to_be_in_set"
    assert (failure["unexpected_count"], failure["unexpected_percent"]) == (130, 50.0)
    assert failure["examples"] == ["astronaut"]


def test_duplicates_are_shown_as_whole_rows(everything: Path) -> None:
    (failure,) = report(everything)["duplicates"]["failures"]
    assert [set(example) for example in failure["examples"]] == [set(good().columns)] * 5


def test_accepted_batches_are_copied_byte_for_byte_and_nothing_else(everything: Path) -> None:
    accepted = sorted((everything / paths.ACCEPTED).iterdir())
    assert [p.stem for p in accepted] == sorted([*REAL, *TOLERATED])
    for path in accepted:
        assert path.read_bytes() == (everything / paths.BATCHES / path.name).read_bytes()


def test_data_docs_show_each_batch_by_its_period(everything: Path) -> None:
    docs = everything / paths.DATA_DOCS
    index = (docs / "index.html").read_text(encoding="utf-8")
    for period in [*REAL, *QUARANTINED, *TOLERATED]:
        (page,) = docs.glob(f"validations/batch/{period}/*/*.html")
        assert f'href="{page.relative_to(docs).as_posix()}">{period}</a>' in index
        assert "values must belong to this set" in page.read_text(encoding="utf-8")
    assert not docs.with_name(f".{docs.name}.new").exists()


def test_a_second_run_says_the_same_and_imports_no_great_expectations(everything: Path) -> None:
    before = (everything / paths.VALIDATION_REPORT).read_bytes()
    (everything / paths.ACCEPTED / "stale.parquet").write_bytes(b"left by an earlier run")
    code = (
        "import sys; from perennial.stages.validate import validate; validate(); "
        "sys.exit('great_expectations' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=everything,
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    total = len(REAL) + len(QUARANTINED) + len(TOLERATED)
    assert f"(0 validated now, {total} known by content)" in run.stdout
    assert run.stderr.count(" is quarantined: ") == len(QUARANTINED)
    assert (everything / paths.VALIDATION_REPORT).read_bytes() == before
    assert not (everything / paths.ACCEPTED / "stale.parquet").exists()


def test_a_later_run_checks_only_what_it_has_not_seen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    checks: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project(tmp_path / "p", {"2010-08": MONTH}, "quarantine"))
    validate()
    assert checks == ["2010-08"]

    shutil.copyfile(SHIPPED / "2010-09.parquet", paths.BATCHES / "2010-09.parquet")
    validate()
    assert checks == ["2010-08", "2010-09"], "one month more is one check more"

    shutil.rmtree(paths.DATA_DOCS)
    validate()
    assert (paths.DATA_DOCS / "index.html").exists(), "Data Docs come back out of what is kept"
    assert checks == ["2010-08", "2010-09"]

    for kept in paths.VALIDATIONS.iterdir():
        kept.write_text("{", encoding="utf-8")
    validate()
    assert checks[2:] == ["2010-08", "2010-09"], "damaged results are made again"

    good().iloc[1:].to_parquet(paths.BATCHES / "2010-08.parquet")
    validate()
    assert checks[4:] == ["2010-08"], "other bytes are another batch"

    out, err = capfd.readouterr()
    assert out.splitlines()[1] == (
        "validate: 2 batches accepted; 0 quarantined (1 validated now, 1 known by content); "
        "details: reports/validation.json"
    )
    assert err.splitlines() == ["2010-08: replaced: it was accepted before with other content"], (
        "no banner, warning or progress bar where nobody watches"
    )


def test_two_folders_give_the_same_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"good": good(), "bad": QUARANTINED["half-unknown"][0]()}
    reports = []
    for name in ("here", "elsewhere"):
        monkeypatch.chdir(project(tmp_path / name, data, "quarantine"))
        validate()
        reports.append(paths.VALIDATION_REPORT.read_bytes())
    assert reports[0] == reports[1]
    assert str(tmp_path).encode() not in reports[0]


def test_stop_names_every_failing_batch_after_the_report_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {p: QUARANTINED[p][0]() for p in ("one-class", "missing-column")} | {"good": good()}
    monkeypatch.chdir(project(tmp_path / "p", data, "stop"))
    with pytest.raises(InputError) as stopped:
        validate()
    assert [fault.split(":")[0] for fault in stopped.value.faults] == [
        "data/batches/missing-column.parquet",
        "data/batches/one-class.parquet",
    ]
    batches = report(Path())
    assert [b["success"] for b in batches.values()] == [True, False, False]
    assert not any(b["quarantined"] for b in batches.values())
    assert not paths.ACCEPTED.exists()


def test_nothing_accepted_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"empty": QUARANTINED["empty"][0]()}
    monkeypatch.chdir(project(tmp_path / "p", data, "quarantine"))
    with pytest.raises(InputError, match="nothing is left to train on"):
        validate()
    assert report(Path())["empty"]["quarantined"]


def test_unreadable_files_stop_all_at_once_before_any_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checks: list[str]
) -> None:
    data: dict[str, Frame | Path | bytes] = {
        "a-good": MONTH,
        "csv": good().to_csv(index=False).encode(),
        "torn": MONTH.read_bytes()[:-500],
        "void": b"",
    }
    monkeypatch.chdir(project(tmp_path / "p", data, "quarantine"))
    with pytest.raises(InputError) as stopped:
        validate()
    for fault, (period, words) in zip(
        stopped.value.faults,
        {"csv": "not Parquet", "torn": "torn Parquet", "void": "0 bytes"}.items(),
        strict=True,
    ):
        assert fault.startswith(f"data/batches/{period}.parquet: ")
        assert words in fault
    assert checks == []
    assert not paths.VALIDATION_REPORT.exists()


def test_what_stops_ends_in_exit_2_with_a_remedy_and_no_traceback(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"void": b""}, "quarantine")
    run = subprocess.run(
        [sys.executable, "-m", "perennial.stages.validate"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.splitlines() == [
        "data/batches/void.parquet: empty file (0 bytes)",
        "→ Write the batch again, or take the file away.",
    ]


def test_a_file_after_as_of_is_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data: dict[str, Frame | Path | bytes] = {"2010-08": MONTH, "2010-09": b"no Parquet"}
    monkeypatch.chdir(project(tmp_path / "p", data, "quarantine"))
    text = paths.PARAMS.read_text(encoding="utf-8").replace("as_of: latest", 'as_of: "2010-08"')
    paths.PARAMS.write_text(text, encoding="utf-8")
    validate()
    assert list(report(Path())) == ["2010-08"]


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        (None, "no such file"),
        ("{", "not readable as JSON"),
        ("[]", "holds list, not an object"),
        ('{"name": "batch", "expectations": []}', "no suite"),
        ('{"name": "batch", "expectations": [{"kwargs": {}}]}', "expectation 1 needs `type`"),
    ],
)
def test_no_suite_or_no_such_thing_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suite: str | None, words: str
) -> None:
    monkeypatch.chdir(project(tmp_path / "p", {"2010-08": MONTH}, "quarantine"))
    path = paths.EXPECTATIONS / "batch.json"
    path.unlink() if suite is None else path.write_text(suite, encoding="utf-8")
    with pytest.raises(InputError, match=r"expectations/batch\.json: ") as stopped:
        validate()
    assert words in stopped.value.faults[0]


def test_all_that_is_misspelt_in_a_suite_stops_with_what_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Great Expectations itself drops a misspelt expectation and goes on."""
    monkeypatch.chdir(project(tmp_path / "p", {"2010-08": MONTH}, "quarantine"))
    wrong = json.loads(json.dumps(SUITE))
    wrong["expectations"][1]["type"] = "expect_colum_values_to_be_unique"
    wrong["expectations"][5]["kwargs"] = {"colum": "deposit", "value_set": ["no", "yes"]}
    (paths.EXPECTATIONS / "batch.json").write_text(json.dumps(wrong), encoding="utf-8")
    with pytest.raises(InputError) as stopped:
        validate()
    first, second = stopped.value.faults
    assert "expectation 2, expect_colum_values_to_be_unique: no such expectation" in first
    assert "did you mean expect_column_values_to_be_unique" in first
    assert "expectation 6, expect_column_values_to_be_in_set: " in second
    assert "colum" in second
