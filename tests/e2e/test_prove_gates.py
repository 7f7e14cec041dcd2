"""`perennial prove-gates` on a clone: every planted fault is stopped by the gate meant for it, and
a gate that is taken out of the code is missed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, Project

pytestmark = pytest.mark.slow

GATES_TAKEN_OUT = {
    # a line of core/verdict.py → a plant that only this gate is meant for
    'data.overlap(leaks["overlap"]),': "training_rows_in_holdout",
    'behaviour.robustness(found["robustness"], found["strange_rows"]),': "nan_on_rare_input",
    "*behaviour.parity(evidence.parity, settings.parity),": "wrong_onnx",
}


@pytest.fixture(scope="module")
def clone(fresh: Callable[[str], Project]) -> Project:
    """A fresh clone; nothing has been run in it."""
    return fresh("proof")


def test_all_planted_faults_are_stopped_and_good_candidates_pass(clone: Project) -> None:
    found = clone.perennial("prove-gates", "--quick", "--json")
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr
    report = clone.read("reports/prove-gates.json")
    kinds = {line["kind"] for line in report["planted"]}
    assert len(kinds) >= 15
    assert {line["population"] for line in report["planted"]} == {"synthetic", "shipped"}
    assert [line for line in report["planted"] if not line["stopped"]] == []
    assert [line for line in report["planted"] if line["control"] == "fail"] == []
    assert report["unproven"] == []
    assert {"n", "false_blocks", "rate"} <= set(report["good"])
    assert {"champion", "fairness", "calibration"} == set(report["power"]["gates"])
    page = (clone.folder / "reports/prove-gates.html").read_text()
    assert all(line["expected_gate"] in page for line in report["planted"])


@pytest.mark.parametrize(("line", "kind"), GATES_TAKEN_OUT.items())
def test_a_gate_taken_out_of_the_code_is_missed(
    clone: Project, tmp_path: Path, line: str, kind: str
) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src")
    file = tmp_path / "src/perennial/core/verdict.py"
    text = file.read_text()
    assert text.count(line) == 1
    file.write_text(text.replace(line, ""))
    found = clone.perennial("prove-gates", "--only", kind, PYTHONPATH=str(tmp_path / "src"))
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{kind} (shipped): not stopped" in found.stderr


def test_a_champion_that_is_missing_or_wrong_is_exit_3(clone: Project) -> None:
    kinds = ("champion_is_missing", "champion_is_corrupted", "champion_of_another_schema")
    chosen = [word for kind in kinds for word in ("--only", kind)]
    found = clone.perennial("prove-gates", *chosen)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("exit 3") == 6


def test_a_kind_that_is_unknown_is_exit_2(clone: Project) -> None:
    found = clone.perennial("prove-gates", "--only", "nonsense")
    assert found.returncode == 2
    assert "nonsense: no such kind of plant" in found.stderr
