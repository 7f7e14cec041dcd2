"""The stage validate with the real Great Expectations: what becomes of each fault of data.

docs/faults-of-data.md is the table of what is proven here.
"""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.months import (
    MONTH,
    QUARANTINED,
    ROOT,
    SHIPPED,
    SUITE,
    TOLERATED,
    Frame,
    good,
    project,
    report,
)

from perennial import paths
from perennial.stages.validate import validate

REAL = ("2008-10", "2008-12", "2010-09", "2010-10", "2010-11")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every fault, and some real months beside, validated once."""
    data: dict[str, Frame | Path | bytes] = {p: SHIPPED / f"{p}.parquet" for p in REAL}
    data |= {p: make() for p, (make, _, _) in (QUARANTINED | TOLERATED).items()}
    folder = project(tmp_path_factory.mktemp("everything"), data, "quarantine")
    with contextlib.chdir(folder):
        validate()
    return folder


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
    assert '<a href="expectations/batch.html">batch</a>' in index
    assert not docs.with_name(f".{docs.name}.new").exists()


def test_data_docs_ask_no_server_for_anything(everything: Path) -> None:
    """Great Expectations' pages load scripts and a logo from elsewhere; the policy stops them."""
    pages = list((everything / paths.DATA_DOCS).rglob("*.html"))
    assert len(pages) > len(REAL)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        policy = text.index('http-equiv="Content-Security-Policy"')
        assert policy < text.index("https://")
        assert "default-src 'none'" in text


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
