"""A version derived again: from the registry's record, from Git's, from DVC's remote."""

import json
import shutil
from pathlib import Path

import pytest
from tests.integration.command_line import perennial
from tests.integration.derivable import (
    SECRET,
    Derivable,
    git,
    lineage,
    project,
    reproduce,
    spoil,
    state,
)

from perennial import paths
from perennial.adapters import registry
from perennial.commands import origins

__all__ = ["project"]
MODEL = "bank-deposits"


def origin_file(project: Derivable, version: str, name: str) -> Path:
    """Where the registry keeps a file of a version's record."""
    run_id = registered(version).run_id
    (there,) = (project.folder / paths.REGISTRY).rglob(f"{run_id}/artifacts/origin/{name}")
    return there


def registered(version: str) -> registry.Version:
    known = registry.versions(registry.resolve(None), MODEL)
    return next(each for each in known if each.version == version)


@pytest.mark.slow
def test_a_version_two_promotions_old_comes_out_the_same(project: Derivable) -> None:
    """Every stage from the plan on is run, not taken from a cache, and nothing here is touched."""
    registry.kept(registry.resolve(None), registered("1"), "origin")  # as it was copied to here
    before = state(project.folder)
    code, found = reproduce("1")
    assert code == 0, found
    assert found["equal"]
    assert found["digest"] == project.digests[0]
    assert [each["stage"] for each in found["stages"]] == ["features", "train", "judge"]
    assert all(each["outputs"] and not each["differences"] for each in found["stages"])
    assert found["environment"] == []
    assert state(project.folder) == before
    assert not list((project.folder / ".perennial/reproduce").glob("*/"))


def test_one_from_a_dirty_tree_gets_its_difference(project: Derivable) -> None:
    """Its new file too; and it is code of this folder alone that is run, by its own champion."""
    head = git(project.folder, "rev-parse", "HEAD")
    (project.folder / "src/new.py").unlink()
    code, found = reproduce("2", "--keep")
    assert code == 0, found
    kept = project.folder / found["folder"]
    assert (kept / "src/new.py").read_text() == "ANOTHER = 1\n"
    assert json.loads((kept / "champion.json").read_text())["digest"] == project.digests[0]
    assert git(project.folder, "rev-parse", "HEAD") == head


def test_the_champion_is_what_is_meant_without_a_version(project: Derivable) -> None:
    assert origins.meant(None).digest == origins.meant("champion").digest == project.digests[2]
    assert origins.meant(project.digests[0][:8]).digest == project.digests[0]


def test_no_secret_gets_into_the_record(project: Derivable) -> None:
    """Neither what .gitignore names nor what no stage reads; the file that is new is there."""
    there = [p for p in (project.folder / paths.REGISTRY).rglob("*") if p.is_file()]
    assert not [p for p in there if SECRET.encode() in p.read_bytes()]
    assert b"ANOTHER = 1" in origin_file(project, "2", "code.diff").read_bytes()
    state_of_code = json.loads(origin_file(project, "2", "code.json").read_text())
    assert [(e["path"], e["state"]) for e in state_of_code["changed"]] == [("src/new.py", "new")]
    assert state_of_code["dirty"]


def test_a_stage_that_gives_other_bytes_is_named_first(
    project: Derivable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3, with the first in the DAG's order, the likely cause and where to look."""
    monkeypatch.setenv("LEAK", "what nobody declared")
    code, found = reproduce("1")
    assert code == 3
    differing = {e["stage"]: [d["name"] for d in e["differences"]] for e in found["stages"]}
    assert differing["features"] == []
    assert differing["train"] == ["models/candidate", "reports/metrics.json"]
    assert "reports/gate.json" in differing["judge"]
    assert found["first"].startswith("train: output models/candidate: recorded")
    assert "manifest.json differs, and 1 more of" in found["first"]
    assert "the environment is the same" in found["cause"]
    assert (project.folder / found["folder"] / "models/candidate").is_dir()


def test_another_environment_is_said_and_is_the_likely_cause(
    project: Derivable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perennial.adapters import machine

    here = machine.describe()
    other = {**here, "packages": {**here["packages"], "numpy": "1.0"}}
    monkeypatch.setattr(machine, "describe", lambda: other)
    monkeypatch.setenv("LEAK", "what the other NumPy does")
    done = perennial("reproduce", "1")
    assert done.exit_code == 3
    difference = f"numpy {here['packages']['numpy']} → 1.0"
    said, _, after = done.output.partition("features")
    assert difference in said, "before anything is run"
    assert difference in after, "and as the likely cause"


def test_a_record_that_was_changed_is_named(project: Derivable) -> None:
    path = origin_file(project, "1", "params.yaml")
    path.write_text(path.read_text().replace("seed: ", "seed: 1", 1))
    code, found = reproduce("1")
    assert code == 3
    assert found["faults"] == [
        f"registry: origin/params.yaml of {MODEL} version 1: was changed since it was registered"
    ]


def test_another_parameter_than_the_lock_has_is_named(
    project: Derivable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the record has no digests of its own, as those of before had none."""
    path = origin_file(project, "1", "params.yaml")
    path.write_text(path.read_text().replace("seed: ", "seed: 1", 1))
    monkeypatch.setattr(origins, "MADE_FROM", "none.")
    code, found = reproduce("1")
    assert code == 3
    assert found["first"].startswith("features: parameter params.yaml: seed: recorded ")
    assert [each["stage"] for each in found["stages"]] == ["features"], "the rest would say no more"


def test_without_git_the_code_that_is_here_is_held_against_the_lock(
    project: Derivable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same code gives the same bytes; of other code the first file or folder is named."""
    shutil.rmtree(project.folder / ".git")
    (project.folder / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    origin_file(project, "3", "code.json").write_text(json.dumps({"commit": None}))
    monkeypatch.setattr(origins, "MADE_FROM", "none.")
    assert reproduce("3")[0] == 0
    with (project.folder / "src/small.py").open("a") as file:
        file.write("# changed\n")
    code, found = reproduce("3")
    assert code == 3
    assert found["first"].startswith("features: dependency src: recorded ")
    assert "not given what is recorded" in found["cause"]


def test_a_batch_with_a_changed_byte_comes_from_dvc(project: Derivable) -> None:
    spoil(project.folder / "data/batches/2009-10.parquet")
    (project.folder / "data/accepted/2009-10.parquet").unlink()
    assert reproduce("1")[0] == 0


@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_batch_that_is_nowhere_is_named(project: Derivable, how: str) -> None:
    """With every other that is lost; nothing is run, and no folder is left."""
    for month in ("2009-08", "2009-10"):
        path = project.folder / f"data/batches/{month}.parquet"
        spoil(path) if how == "changed" else path.unlink()
    for place in (project.folder / "data/accepted", project.folder / ".dvc/cache", project.remote):
        shutil.rmtree(place)
    project.remote.mkdir()
    code, found = reproduce("1")
    assert code == 3
    assert len(found["faults"]) == 2
    for month, fault in zip(("2009-08", "2009-10"), found["faults"], strict=True):
        assert f"data/batches/{month}.parquet: {'other' if how == 'changed' else how}" in fault
    assert not list((project.folder / ".perennial/reproduce").glob("*/"))


def test_a_commit_that_is_not_here_is_named(project: Derivable) -> None:
    shutil.rmtree(project.folder / ".git")
    git(project.folder, "init", "-q", "-b", "main")
    code, found = reproduce("1")
    assert code == 3
    assert found["faults"][0].startswith("commit ")


@pytest.mark.parametrize("wanted", ["9", "deadbeef", "../1"])
def test_a_version_that_there_is_none_of_is_named(project: Derivable, wanted: str) -> None:
    code, found = reproduce(wanted)
    assert code == 2
    assert "the registry has 1, 2, 3" in found["faults"][0]


def test_a_clone_on_another_machine_takes_all_from_git_and_the_remote(
    project: Derivable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its registry and its cache are empty, and it has no batches: champion.json's history in Git
    says which commit each champion came from."""
    git(project.folder, "clone", "-q", str(project.folder), str(tmp_path / "copy/clone"))
    monkeypatch.chdir(tmp_path / "copy/clone")
    for place in (".dvc", ".perennial", "data", "models"):
        shutil.rmtree(project.folder / place)
    assert origins.meant(None).digest == project.digests[2]
    code, found = reproduce("1")
    assert code == 0, found
    assert (found["digest"], found["source"][:7]) == (project.digests[0], "commit ")
    assert found["environment"] is None
    (seen,) = lineage("--batch", "2010-01")[1]["versions"]
    assert (seen["digest"], seen["champion"], seen["source"][:7]) == (
        project.digests[2],
        True,
        "commit ",
    )
    assert {each["digest"] for each in lineage("--batch", "2009-10")[1]["versions"]} == {
        *project.digests
    }
    assert not Path(".dvc/cache/files").exists(), "it is the scratch folder's own"
    assert not Path("data/accepted").exists()


def test_a_remote_that_is_not_there_is_named(
    project: Derivable,
) -> None:
    code, found = reproduce("1", "--remote", "elsewhere")
    assert code == 2
    assert "elsewhere: no such remote" in found["faults"][0]
