"""init and then the DAG, end to end, on shapes of data that are nothing like the shipped ones."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perennial.core import attribution
from perennial.core.statistics import estimates
from tests.e2e.conftest import Project
from tests.integration import users_data

pytestmark = [pytest.mark.slow, pytest.mark.long]


def initiated(project: Project, data: Path, *arguments: str) -> None:
    """Make a project of data, with a small search, and commit it."""
    command = [
        ["git", "add", "--all"],
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "small"],
    ]
    done = project.perennial("init", "--data", str(data), *arguments)
    assert done.returncode == 0, done.stderr
    project.edit("params.yaml", r"^  trials: \d+", "  trials: 4")
    for each in command:
        subprocess.run(each, cwd=project.folder, check=True)


def ends_with_a_verdict(project: Project) -> dict:
    """Run the DAG; a verdict must come of it, also `block`, and no stage may crash."""
    done = project.dvc("repro")
    assert (project.folder / "reports/gate.json").is_file(), done.stderr[-3000:]
    report = project.read("reports/gate.json")
    assert (done.returncode == 0) == (report["verdict"] != "block"), done.stderr[-3000:]
    validation = project.read("reports/validation.json")
    assert all(batch["success"] for batch in validation["batches"])
    return report


def test_mixed_columns_with_nasty_names_and_levels(
    fresh: Callable[[str], Project], tmp_path: Path
) -> None:
    project = fresh("mixed")
    header, rows = users_data.mixed()
    path = users_data.write_csv(tmp_path / "m.csv", header, rows, delimiter=";")
    initiated(project, path, "--target", "outcome", "--sensitive", "group,age")
    ends_with_a_verdict(project)


def test_time_and_nobody_named_promotes_a_sound_model(
    fresh: Callable[[str], Project], tmp_path: Path
) -> None:
    project = fresh("timed")
    users_data.timed(12_000).to_csv(tmp_path / "t.csv", index=False)
    initiated(project, tmp_path / "t.csv", "--target", "churned")
    report = ends_with_a_verdict(project)
    assert report["verdict"] == "promote"
    fairness = next(gate for gate in report["gates"] if gate["name"] == "fairness")
    assert fairness["verdict"] == "insufficient"
    assert project.perennial("promote").returncode == 0
    assert project.dvc("repro").returncode == 0


def test_persons_with_several_rows(fresh: Callable[[str], Project], tmp_path: Path) -> None:
    project = fresh("persons")
    users_data.persons().to_parquet(tmp_path / "p.parquet")
    initiated(project, tmp_path / "p.parquet", "--target", "y", "--key", "person_id")
    report = ends_with_a_verdict(project)
    overlap = next(gate for gate in report["gates"] if gate["name"] == "overlap")
    assert overlap["verdict"] == "pass"


def test_rows_that_come_three_times_are_no_more_persons(
    fresh: Callable[[str], Project], tmp_path: Path
) -> None:
    """From the file to the verdict: every row is there thrice, and no interval is surer for it."""
    project = fresh("thrice")
    once = users_data.persons()
    once = once.assign(region=np.where(once["person_id"] % 2, "north", "south"))
    pd.concat([once] * 3).to_parquet(tmp_path / "p.parquet")
    asked = ("--target", "y", "--key", "person_id", "--sensitive", "region")
    initiated(project, tmp_path / "p.parquet", *asked)
    report = ends_with_a_verdict(project)
    gates = {gate["name"]: gate["estimate"] for gate in report["gates"]}
    accuracy = project.read("reports/metrics.json")["holdout"]["accuracy"]
    of_rows = estimates.proportion(round(accuracy["value"] * accuracy["n"]), accuracy["n"], 0.95)
    assert width(accuracy) > 1.5 * width(of_rows.to_json())
    explained = pd.read_parquet(project.folder / "data/attributions/train.parquet")
    statistic = attribution.largest_share(explained)
    of_rows = estimates.bootstrap(statistic, len(explained), 0.995, 1000, 0)
    assert width(gates["leakage"]) > 1.25 * width(
        of_rows.to_json()
    )  # half of the rows are explained
    flipped = project.read("reports/behaviour.json")["flipped"]["region"]
    assert flipped["clusters"] < flipped["rows"] / 3
    predicted = project.read("reports/explain.json")["proxies"]["region"]["predicted"]
    # the shoe tells the region: certain of some 75 persons, as 1,200 rows would be to 0.003
    assert min(map(width, predicted.values())) > 0.02


def width(estimate: dict[str, float]) -> float:
    return estimate["high"] - estimate["low"]


SHAPES: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {
    "rare": (users_data.rare, "fraud"),
    "small": (users_data.small, "answer"),
    "wide": (users_data.wide, "y"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_where_rows_can_not_tell_the_run_still_ends_with_a_verdict(
    fresh: Callable[[str], Project], tmp_path: Path, shape: str
) -> None:
    project = fresh(shape)
    made, target = SHAPES[shape]
    made().to_csv(tmp_path / f"{shape}.csv", index=False)
    initiated(project, tmp_path / f"{shape}.csv", "--target", target)
    ends_with_a_verdict(project)


def test_a_million_rows_are_searched_on_a_part_and_fitted_on_all(
    fresh: Callable[[str], Project], tmp_path: Path
) -> None:
    project = fresh("many")
    users_data.timed(1_000_000).to_parquet(tmp_path / "many.parquet", index=False)
    initiated(project, tmp_path / "many.parquet", "--target", "churned")
    report = ends_with_a_verdict(project)
    assert report["verdict"] == "promote"
    sample = project.read("reports/search/choice.json")["sample"]
    assert sample["rows"] == 100_000 < sample["of"]
