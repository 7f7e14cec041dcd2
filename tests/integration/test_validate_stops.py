"""What stops the stage validate, all of it named at once: faults of batches where they are to stop
it, files that can't be read, and a contract that is none.

docs/faults-of-data.md is the table of what is proven here.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.months import (
    MONTH,
    QUARANTINED,
    ROOT,
    SUITE,
    Frame,
    good,
    project,
    report,
)

from perennial import paths
from perennial.errors import InputError
from perennial.stages.validate import validate


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
