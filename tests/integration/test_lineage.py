"""A version's origin, and what came of a batch: for people, for programs and as PROV."""

import shutil

import pytest
from tests.integration.command_line import perennial
from tests.integration.derivable import Derivable, git, lineage, project, reproduce, spoil

from perennial import paths
from perennial.adapters import files
from perennial.commands import provenance

__all__ = ["project"]


def test_a_version_leads_to_all_that_it_was_made_from(project: Derivable) -> None:
    code, found = lineage("2")
    assert code == 0
    assert (found["version"], found["digest"]) == ("2", project.digests[1])
    assert not found["champion"]
    assert found["decision"] == {"verdict": "promote", "why": "as told", "gates": {"pass": 1}}
    (held_out,) = found["data"]["holdout"]
    batch = project.folder / f"data/batches/{held_out['period']}.parquet"
    assert held_out["sha256"] == files.sha256(batch)
    assert found["plan"]["action"] == "bootstrap"
    assert found["params"]["groups"] == {"seed": found["seed"]}
    assert [each["path"] for each in found["code"]["changed"]] == ["src/new.py"]
    assert git(project.folder, "cat-file", "-t", found["code"]["commit"]) == "commit\n"
    assert list(found["stages"]["train"]["outs"]) == ["models/candidate", "reports/metrics.json"]
    assert "gone" not in found["stages"], "dvc.lock keeps what dvc.yaml no longer has"
    assert found["environment"]["packages"]["numpy"]
    assert found["parent"] == {"version": "1", "digest": project.digests[0]}
    assert found["ancestors"] == []
    assert found["children"] == [{"version": "3", "digest": project.digests[2]}]
    champion = lineage()[1]
    assert champion["champion"]
    assert [each["version"] for each in (champion["parent"], *champion["ancestors"])] == ["2", "1"]


def test_the_tree_has_it_for_people(project: Derivable) -> None:
    told = perennial("lineage", "2").stdout
    for wanted in (project.digests[1][:12], "src/new.py", "2009-12", "version 1", "CPython"):
        assert wanted in told


def test_a_batch_leads_to_every_version_that_has_seen_it(project: Derivable) -> None:
    """As what, and whether it still has the bytes that they saw."""
    code, found = lineage("--batch", "2009-10")
    assert code == 0
    parts = {each["version"]: each["parts"] for each in found["versions"]}
    assert parts == {"1": ["holdout"], "2": ["calibration"], "3": ["train"]}
    assert all(each["same"] for each in found["versions"])
    assert [each["version"] for each in lineage("--batch", "2010-01")[1]["versions"]] == ["3"]
    for place in ("data/batches", "data/accepted"):
        spoil(project.folder / place / "2009-10.parquet")
    assert not any(each["same"] for each in lineage("--batch", "2009-10")[1]["versions"])
    assert "the batch has other bytes now" in perennial("lineage", "--batch", "2009-10").stdout


@pytest.mark.parametrize("wanted", ["2001-01", "../2009-10"])
def test_a_batch_that_there_is_none_of_is_named(project: Derivable, wanted: str) -> None:
    code, found = lineage("--batch", wanted)
    assert code == 2
    assert wanted in found["faults"][0]


def test_a_champion_put_back_into_an_empty_registry_keeps_its_origin(project: Derivable) -> None:
    """It has no record there, so Git's is taken; its batches are known all the same."""
    shutil.rmtree(project.folder / paths.REGISTRY)
    assert perennial("promote").exit_code == 0
    code, found = lineage()
    assert (code, found["version"], found["digest"]) == (0, "1", project.digests[2])
    assert found["source"].startswith("commit ")
    assert found["data"]["holdout"][0]["period"] == "2010-01"
    assert found["environment"] is None
    assert [each["version"] for each in lineage("--batch", "2010-01")[1]["versions"]] == ["1"]
    shutil.rmtree(project.folder / ".git")
    git(project.folder, "init", "-q")
    assert lineage()[1]["code"] is None
    assert reproduce()[0] == 3


def test_it_is_exported_as_prov(project: Derivable) -> None:
    """The library that reads PROV finds every batch and stage; the text is always the same."""
    from prov.model import ProvActivity, ProvDerivation, ProvDocument

    done = perennial("lineage", "2", "--format", "prov")
    assert done.exit_code == 0, done.output
    read = ProvDocument.deserialize(content=done.stdout, format="json")
    assert len(list(read.get_records(ProvDerivation))) == 4
    stages = [
        each.label for each in read.get_records(ProvActivity) if each.get_attribute("prov:label")
    ]
    assert set(stages) >= {"features", "train"}
    assert read.get_record(f"perennial:sha256-{project.digests[1]}")
    assert perennial("lineage", "2", "--format", "prov").stdout == done.stdout


def test_without_the_library_prov_says_what_to_install(
    project: Derivable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "find_spec", lambda _: None)
    done = perennial("lineage", "2", "--format", "prov")
    assert done.exit_code == 2
    assert "perennial[prov]" in done.output
    assert perennial("lineage", "2", "--format", "xml").exit_code == 2
    assert perennial("lineage", "--batch", "2009-10", "--format", "prov").exit_code == 2
