"""The shipped project rolls back within seconds, and the same data does not undo it by itself."""

import json
import resource
from typing import Any

import pandas as pd
import pytest

from tests.e2e.arriving import checked_on, drop
from tests.e2e.conftest import Project

pytest.importorskip("prefect")
pytestmark = pytest.mark.long
SECONDS = 5


@pytest.fixture
def drifted(project: Project) -> Project:
    """The project after a month that moved: version 2 is champion, after version 1."""
    for batch in (project.folder / "data/batches").glob("*.parquet"):
        if batch.stem > "2010-08":
            batch.unlink()
    project.edit("params.yaml", r'as_of: "2010-08"', "as_of: latest")
    # whether a moved month is well calibrated is not what this is about
    project.edit("params.yaml", r"threshold: 0\.1  +# ECE", "threshold: 0.3  # ECE")
    moved: pd.DataFrame = checked_on(project).sample(1100, random_state=2)
    moved["age"] = (moved["age"] + 20).clip(upper=95)
    moved["balance"] = moved["balance"] * 5 + 5000
    moved["campaign"] = moved["campaign"] + 6
    drop(project, "2010-10", moved)
    done = project.perennial("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.read("champion.json")["version"] == "2", done.stdout
    return project


def timed(project: Project, *arguments: str) -> float:
    """Run a command; return the seconds of a processor that it took: others may use the machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = project.perennial(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_it_takes_seconds_and_no_run_undoes_it(drifted: Project) -> None:
    """Monitor, gate and flow leave the earlier champion in charge until something new comes."""
    second = drifted.read("champion.json")
    took = [timed(drifted, "rollback"), timed(drifted, "rollback", "--to", "2")]
    took.append(timed(drifted, "rollback"))
    print("rollback took", [round(seconds, 2) for seconds in took])
    first = drifted.read("champion.json")
    assert first["version"] == "1"
    assert timed(drifted, "verify") > 0

    for _ in range(2):
        run: dict[str, Any] = json.loads(drifted.perennial("run", "--json").stdout)
        assert (run["exit_code"], run["verdict"]) == (0, "keep")
        assert "policy.cooldown" in drifted.read("reports/drift.json")["why"]
        assert drifted.read("data/plan.json") == first["plan"]
    assert drifted.read("champion.json") == first

    # a standing request makes the same candidate once more: only a person puts it back
    drifted.edit("params.yaml", r"  request: none", "  request: retrain")
    asked = json.loads(drifted.perennial("run", "--json").stdout)
    print("asked for:", asked["verdict"], asked["declined"])
    if asked["candidate"]["digest"] == second["digest"]:
        assert asked["verdict"] == "promote"
        assert "moved away from it" in asked["declined"]
    assert drifted.read("champion.json")["digest"] == first["digest"]

    assert timed(drifted, "rollback", "--to", "2") > 0
    assert drifted.read("champion.json")["digest"] == second["digest"]
    assert timed(drifted, "verify") > 0
    assert min(took) < SECONDS
