"""What DVC knows of files: which stages are stale, and what is tracked, to be fetched again."""

import shutil
from pathlib import Path

import pytest
from tests.integration.pipelines import STAGES, Pipeline, pipeline, walk

from perennial import paths
from perennial.adapters import dag
from perennial.errors import IntegrityError

__all__ = ["pipeline"]


def test_stale_names_what_changed_and_only_that(pipeline: Pipeline) -> None:
    assert dag.stale() == {name: ["never run"] for name in STAGES}
    walk()
    assert dag.stale() == {}
    pipeline.touch("other")
    assert dag.stale() == {"first": ["input.txt: modified"]}


def test_the_digest_in_the_lock_file_is_of_the_output_as_it_was_made(pipeline: Pipeline) -> None:
    assert dag.md5_in_lock(paths.GATE_REPORT) is None
    walk()
    before = dag.md5_in_lock(paths.GATE_REPORT)
    assert before is not None
    paths.GATE_REPORT.write_text("{}")
    assert dag.md5_in_lock(paths.GATE_REPORT) == before
    assert dag.md5_in_lock(Path("nothing.json")) is None


@pytest.fixture
def champion(pipeline: Pipeline) -> Path:
    folder = paths.CHAMPION_BUNDLE
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("whole")
    dag.track(folder)
    return folder / "model.json"


def test_what_is_tracked_can_be_fetched_again(champion: Path) -> None:
    """From the cache: missing, or changed."""
    assert dag.is_tracked(paths.CHAMPION_BUNDLE)
    champion.write_text("broken")
    assert not dag.is_tracked(paths.CHAMPION_BUNDLE)
    dag.fetch(paths.CHAMPION_BUNDLE)
    assert champion.read_text() == "whole"
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    dag.fetch(paths.CHAMPION_BUNDLE)
    assert champion.read_text() == "whole"
    assert dag.is_tracked(paths.CHAMPION_BUNDLE)


def test_what_the_cache_lost_comes_from_the_remote(pipeline: Pipeline, champion: Path) -> None:
    pipeline.dvc("remote", "add", "-d", "store", str(pipeline.folder.parent / "remote"))
    pipeline.dvc("push")
    shutil.rmtree(".dvc/cache")
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    dag.fetch(paths.CHAMPION_BUNDLE)
    assert champion.read_text() == "whole"


def test_what_can_not_be_had_is_an_integrity_failure(champion: Path) -> None:
    """Neither in the cache nor on a remote; or nothing that names it."""
    shutil.rmtree(".dvc/cache")
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    with pytest.raises(IntegrityError, match="models/champion"):
        dag.fetch(paths.CHAMPION_BUNDLE)
    Path("models/champion.dvc").unlink()
    with pytest.raises(IntegrityError, match=r"champion\.dvc"):
        dag.fetch(paths.CHAMPION_BUNDLE)


def test_a_pointer_torn_by_a_kill_is_made_anew(champion: Path) -> None:
    pointer = Path("models/champion.dvc")
    whole = pointer.read_bytes()
    pointer.write_bytes(whole[: len(whole) // 2])
    dag.track(paths.CHAMPION_BUNDLE)
    assert pointer.read_bytes() == whole


def test_a_stage_may_fetch_while_dvc_runs_it(pipeline: Pipeline, champion: Path) -> None:
    """As monitor and gate do with the champion."""
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    with Path("stage.py").open("a") as script:
        script.write("\nif name == 'first':\n    from perennial.adapters import dag\n")
        script.write("    dag.fetch(pathlib.Path('models/champion'))\n")
    assert set(walk().values()) == {"ran"}
    assert champion.read_text() == "whole"
