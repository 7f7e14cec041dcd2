"""What is outside of a run and goes wrong while it is at work: the tracking server, the clock."""

import shutil
from pathlib import Path

import pytest

from perennial.adapters import registry
from tests.e2e.chaos import state
from tests.e2e.conftest import Project, name_nobody
from tests.integration.backends import free_port, serving

pytestmark = pytest.mark.long
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


def test_a_tracking_server_that_is_gone_is_exit_4_and_the_same_command_finishes(
    project: Project, tmp_path: Path
) -> None:
    """Before the first version, and after it; nobody is promoted meanwhile, nothing is lost."""
    port, folder = free_port(), tmp_path / "server"
    folder.mkdir()
    project.edit("params.yaml", r"^  uri: null", f"  uri: http://127.0.0.1:{port}")
    name_nobody(project)
    gone = project.perennial("run")
    assert gone.returncode == 4, gone.stdout + gone.stderr
    assert f"127.0.0.1:{port}" in gone.stderr
    assert "Traceback" not in gone.stderr
    assert project.read("champion.json")["digest"] is None
    with serving(folder, f"sqlite:///{folder / 's.db'}", port) as uri:
        back = project.perennial("run")
        assert back.returncode == 0, back.stdout + back.stderr
        champion = project.read("champion.json")
        (version,) = registry.versions(uri, champion["model"])
        assert (version.version, version.digest) == (champion["version"], champion["digest"])
        assert registry.alias_version(uri, champion["model"], "champion") == version.version
    assert project.perennial("run").returncode == 4
    assert project.read("champion.json") == champion
    with serving(folder, f"sqlite:///{folder / 's.db'}", port) as uri:
        assert project.perennial("run").returncode == 0
        assert len(registry.versions(uri, champion["model"])) == 1


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed: apt install faketime")
def test_a_clock_that_was_set_back_changes_no_hash(project: Project) -> None:
    """The run is 400 days before its own files, caches and registry; locks and history hold."""
    before, first = state.look(project.folder), project.read("champion.json")["when"]
    name_nobody(project)
    shutil.rmtree(project.folder / ".dvc/cache/runs")
    set_back = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "-400d", "DONT_FAKE_MONOTONIC": "1"}
    result = project.perennial("run", **set_back)
    assert result.returncode == 0, result.stdout + result.stderr
    assert project.read("champion.json")["when"] < first, "the clock was not set back: no test"
    assert state.differences(state.look(project.folder), before) == []
    assert project.perennial("verify").returncode == 0
    again = project.dvc("repro")
    assert again.returncode == 0
    assert project.ran(again.stdout) <= {"register"}
    assert state.differences(state.look(project.folder), before) == []
