"""What the stage monitor makes of batches unlike those before: other columns, no labels, late,
replaced or gone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.crowned import (
    KNOWN,
    NEW,
    accept,
    edit,
    moved,
    page,
    project,
    quiet,
    report,
    shipped,
)

from perennial import paths
from perennial.stages.monitor import monitor

__all__ = ["project"]


def test_a_schema_that_differs_is_reported_and_decides_nothing(project: Path) -> None:
    """A column more, one that is gone though no feature needs it, and one that became text."""
    changed = quiet().drop(columns="day").assign(agent="a", campaign=quiet()["campaign"])
    changed["duration"] = changed["duration"].astype(str)
    accept(NEW, changed)
    monitor()
    found = {one["column"]: one for one in report()["schema"]}
    assert {name: one["change"] for name, one in found.items()} == {
        "agent": "new",
        "day": "vanished",
        "duration": "kind",
    }
    assert (found["duration"]["reference"], found["duration"]["newest"]) == (["number"], ["text"])
    assert not any(one["used"] for one in found.values())
    assert (report()["verdict"], report()["action"]) == ("none", "keep")
    assert "Columns that are not as they were" in page()


def test_whole_numbers_that_became_floats_are_no_other_schema(project: Path) -> None:
    """One missing value makes them so."""
    accept(NEW, quiet().astype({"campaign": "float64"}))
    monitor()
    assert report()["schema"] == []
    assert "Columns that are not" not in page()


def test_a_batch_without_labels_is_looked_at_and_not_trained_on(project: Path) -> None:
    """Where the contract lets it through: nothing could be learnt, so the champion stays."""
    accept(NEW, moved().drop(columns="deposit"))
    monitor()
    found = report()
    assert (found["verdict"], found["action"]) == ("drift", "keep")
    assert "only 0 newer rows have labels" in found["why"]
    assert [s["name"] for s in found["signals"]] == ["estimated_roc_auc", "estimated_prior"]
    edit(request="retrain")
    monitor()
    plan = json.loads(paths.PLAN.read_text())
    assert NEW not in {ref["period"] for part in plan["parts"].values() for ref in part}


def test_a_batch_that_came_late_is_said_to_be(project: Path) -> None:
    """It is older than the champion's newest, so it is no newer month; it is trained on later."""
    accept("2009-11b", shipped("2009-11"))
    monitor()
    assert report()["late"] == ["2009-11b"]
    assert "Came late, and will be trained on when next something is: 2009-11b" in page()


def test_a_batch_that_came_again_with_other_rows_is_said_to_be_replaced(project: Path) -> None:
    """One that it was trained on: nothing needs the old rows, and the next plan takes the new."""
    accept(KNOWN[0], shipped(KNOWN[0]).iloc[1:])
    monitor()
    assert report()["replaced"] == [KNOWN[0]]
    assert f"Came again with other content than the champion was made with: {KNOWN[0]}" in page()
    edit(request="retrain")
    monitor()
    (ref,) = [
        r for r in json.loads(paths.PLAN.read_text())["parts"]["train"] if r["period"] == KNOWN[0]
    ]
    assert ref["rows"] == len(shipped(KNOWN[0])) - 1


LOST: list[tuple[Callable[[], Any], int, str]] = [
    (lambda: shutil.rmtree(paths.CHAMPION_BUNDLE), 3, "models/champion"),
    ((paths.ACCEPTED / "2010-03.parquet").unlink, 3, "2010-03.parquet"),
    (lambda: accept(NEW, moved().drop(columns="age")), 2, "column age"),
    (lambda: accept(NEW, moved().assign(deposit=None)), 2, "nulls in the target"),
]


@pytest.mark.parametrize(
    ("lose", "code", "named"), LOST, ids=["champion", "known batch", "column", "labels"]
)
def test_what_is_missing_ends_in_its_exit_code_by_name_without_a_traceback(
    project: Path, lose: Callable[[], Any], code: int, named: str
) -> None:
    """Never a decision on what could not be read."""
    accept(NEW, moved())
    paths.PLAN.unlink()
    lose()
    ended = subprocess.run(
        [sys.executable, "-m", "perennial.stages.monitor"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not paths.PLAN.exists()
