"""Nobody's hand: a month that has moved ends in a new champion, a quiet one in nothing."""

from collections.abc import Iterator

import pandas as pd
import pytest

from tests.e2e.arriving import checked_on, drop
from tests.e2e.conftest import Project
from tests.served import Served, served, until

pytest.importorskip("prefect")
pytestmark = pytest.mark.slow


@pytest.fixture
def known(project: Project) -> pd.DataFrame:
    """The rows that the champion knows; later months are taken away."""
    for batch in (project.folder / "data/batches").glob("*.parquet"):
        if batch.stem > "2010-08":
            batch.unlink()
    project.edit("params.yaml", r'as_of: "2010-08"', "as_of: latest")
    # whether a moved month is well calibrated is not what this is about
    project.edit("params.yaml", r"threshold: 0\.1  +# ECE", "threshold: 0.3  # ECE")
    return checked_on(project)


@pytest.fixture
def serving(project: Project, known: pd.DataFrame) -> Iterator[Served]:
    src = {"PYTHONPATH": str(project.folder / "src")}
    with served(project.folder, "--no-schedules", **src) as serving:
        yield serving


def test_a_month_that_moved_is_trained_on_and_a_quiet_one_is_not(
    project: Project, known: pd.DataFrame, serving: Served
) -> None:
    """Only `monitoring` is started, as its schedule does; the rest follows from the data."""
    first = project.read("champion.json")
    drop(project, "2010-09", known.sample(400, random_state=1))
    assert serving.finish("monitoring", seconds=120) == "COMPLETED", serving.said()
    assert project.read("reports/drift.json")["period"] == "2010-09"
    assert project.read("reports/drift.json")["action"] == "keep"

    moved = known.sample(1100, random_state=2)
    moved["age"] = (moved["age"] + 20).clip(upper=95)
    moved["balance"] = moved["balance"] * 5 + 5000
    moved["campaign"] = moved["campaign"] + 6
    drop(project, "2010-10", moved)
    assert serving.finish("monitoring", seconds=120) == "COMPLETED", serving.said()
    assert project.read("reports/drift.json")["action"] != "keep"
    (training,) = until(lambda: serving.runs("training"), 60, serving.said)
    assert training["created_by"]["type"] == "AUTOMATION"
    assert serving.state(training["id"], "COMPLETED", seconds=400), serving.said()
    second = project.read("champion.json")
    assert second["digest"] != first["digest"]
    assert second["plan"]["parts"]["holdout"][-1]["period"] == "2010-10"
    assert project.perennial("verify").returncode == 0

    # and then there is rest: neither the same month again nor a quiet one starts anything
    drop(project, "2010-11", checked_on(project).sample(400, random_state=3))
    assert serving.finish("monitoring", seconds=120) == "COMPLETED", serving.said()
    assert project.read("reports/drift.json")["action"] == "keep"
    assert serving.finish("monitoring", seconds=120) == "COMPLETED", serving.said()
    assert len(serving.runs("training")) == 1
    assert project.read("champion.json") == second
    assert serving.end() == 0
    # what the registry says of the newest month is all that is left to do
    assert project.ran(project.dvc("repro").stdout) <= {"register"}
