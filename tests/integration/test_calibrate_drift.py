"""`perennial calibrate-drift` in a folder of its own, with a real champion and real rows."""

import json
from pathlib import Path

import pytest
from tests.integration.champions_folder import change, prepare
from typer.testing import CliRunner

from perennial.cli import app

REPORT = Path("reports/calibrate-drift.json")
STRONG = ("number moved", 1.0, 1.0)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = prepare(tmp_path_factory.mktemp("prepared"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        few = {"rows": 5000, "folds": 2, "rounds": 10, "roc_auc": 0.6}
        change("monitor", replicates=100, domain_classifier=few)
    return folder


def calibrate(*more: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["calibrate-drift", "--quick", "--windows", "3", *more])
    return result.exit_code, result.output


def test_it_writes_report_picture_and_page(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contract's keys are there, every rate with its interval, and what is strong is seen."""
    monkeypatch.chdir(prepared)
    code, output = calibrate()
    assert code == 0, output
    assert "  effects:\n    ks: " in output
    report = json.loads(REPORT.read_text())
    assert report["windows"] == report["false_alarm_rate"]["n"] == 3
    assert [size["rows"] for size in report["by_size"]] == [200, 500, 1000]
    strong = [c for c in report["power"] if (c["kind"], c["size"], c["share"]) == STRONG]
    assert {cell["rows"]: cell["alarmed"]["value"] for cell in strong} == {200: 1, 500: 1, 1000: 1}
    assert {"low", "high", "n"} <= set(report["by_look"]["domain_classifier"])
    page = Path("reports/calibrate-drift.html").read_text()
    assert "data:image/png;base64," in page


@pytest.mark.long
def test_one_worker_and_two_write_the_same_bytes(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who examines which window does not matter to any number, to the page or to the picture."""
    monkeypatch.chdir(prepared)
    written = []
    for workers in ("1", "2"):
        monkeypatch.setenv("PERENNIAL_WORKERS", workers)
        assert calibrate()[0] == 0
        written.append([REPORT.with_suffix(end).read_bytes() for end in (".json", ".html", ".png")])
    assert written[0] == written[1]


def test_a_detector_that_alarms_at_chance_is_found_out(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thresholds that chance alone reaches, the command says so and ends in exit 1."""
    import shutil

    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    harm = {"roc_auc": 0.0, "log_loss": 0.0, "prior": 0.0}
    change("monitor", confidence=0.2, harm=harm)
    code, output = calibrate()
    assert code == 1
    assert "5% are allowed" in output
    assert "Raise the thresholds" in output


def test_too_few_rows_are_one_clear_error(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that no window can be drawn from is the user's to mend: how is said."""
    import shutil

    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    change("monitor", min_rows=4000)
    code, output = calibrate()
    assert code == 2
    assert "monitor.min_rows = 4,000" in output


def test_without_a_model_it_says_what_to_run(
    tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is champion and nothing was trained: run the main job first."""
    nobody = dict.fromkeys(("version", "digest", "plan", "verdict", "when"))
    content = {"schema_version": 1, "model": "m", "attempts": [], **nobody}
    (tmp_path / "champion.json").write_text(json.dumps(content))
    (tmp_path / "params.yaml").write_bytes((prepared / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    code, output = calibrate()
    assert code == 2
    assert "perennial run" in output
