"""The shipped project's own versions derived again: the whole DAG from the plan on."""

import json

import pandas as pd
import pytest

from tests.e2e.conftest import Project


def deliver(project: Project, months: tuple[str, ...], richer: int, called: int) -> None:
    """Put months there: real rows, of people with so much more, called so many times more often."""
    known = [f"2010-0{month}" for month in range(1, 9)]
    frames = [pd.read_parquet(project.folder / f"data/batches/{month}.parquet") for month in known]
    rows = pd.concat(frames, ignore_index=True)
    rows["balance"] += richer
    rows["campaign"] += called
    for first, month in enumerate(months):
        part = rows.iloc[first :: len(months)].reset_index(drop=True)
        part.to_parquet(project.folder / f"data/batches/{month}.parquet", index=False)


def champion(project: Project) -> str:
    return str(project.read("champion.json")["version"])


def test_the_lineage_of_a_champion_is_whole(project: Project) -> None:
    """All that the version was made from is recorded, and it is found by its batches."""
    done = project.perennial("lineage", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["champion"]
    assert found["seed"] == 20101120
    assert found["code"]["commit"]
    assert found["environment"]["requirements_lock_sha256"]
    assert "models/candidate" in found["stages"]["train"]["outs"]
    assert found["decision"]["verdict"] == "promote"
    assert found["parent"] is None
    newest = found["data"]["holdout"][-1]["period"]
    seen = json.loads(project.perennial("lineage", "--batch", newest, "--json").stdout)
    assert [each["version"] for each in seen["versions"]] == [found["version"]]
    assert seen["versions"][0]["parts"] == ["holdout"]
    assert seen["versions"][0]["same"]


@pytest.mark.long
def test_a_version_two_promotions_old_is_reproduced(project: Project) -> None:
    """Its matrices, model and reports are the same bytes, though data, parameters and champion have
    moved on, and nobody has committed anything since."""
    for month in ("2010-09", "2010-10", "2010-11"):
        (project.folder / f"data/batches/{month}.parquet").unlink()
    project.edit("params.yaml", r'as_of: "2010-08"', "as_of: latest")
    # what is delivered last is judged more mildly: the third has to take charge
    mild = {"directions:\\n    threshold": 0.999, "better_than_simple:\\n    margin": 0.2}
    for setting, value in mild.items():
        project.edit("params.yaml", rf"({setting}): [0-9.]+", rf"\1: {value}")
    first = champion(project)
    for months, by in ((("2010-09", "2010-10"), 1), (("2010-11", "2010-12"), 3)):
        before = champion(project)
        deliver(project, months, richer=20_000 * by, called=25 * by)
        ran = project.perennial("run")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert champion(project) != before, ran.stdout
    lock = (project.folder / "dvc.lock").read_bytes()
    named = project.read("champion.json")
    done = project.perennial("reproduce", first, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["equal"]
    assert found["digest"] not in (named["digest"], None)
    outputs = {each["stage"]: each["outputs"] for each in found["stages"]}
    assert outputs["features"] == 3
    assert {"tune", "train", "gate"} <= set(outputs)
    assert (project.folder / "dvc.lock").read_bytes() == lock
    assert project.read("champion.json") == named
    # the second was compared with the first, under parameters that nobody committed
    again = project.perennial("reproduce", str(int(first) + 1), "--json")
    assert again.returncode == 0, again.stdout + again.stderr
