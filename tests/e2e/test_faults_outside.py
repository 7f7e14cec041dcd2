"""What is outside of a run and goes wrong while it is at work: the tracking server, the clock."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from perennial.adapters import registry
from tests.e2e.chaos import state
from tests.e2e.conftest import Project, name_nobody
from tests.integration.backends import free_port, serving

pytestmark = pytest.mark.long
DAYS = 400
# libfaketime would do, but for Python's sleep, which waits for a time of another clock
SET_BACK = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
#define BACK ({DAYS} * 86400L)
int clock_gettime(clockid_t id, struct timespec *t) {{
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(id, t);
  if (id == CLOCK_REALTIME && code == 0) t->tv_sec -= BACK;
  return code;
}}
int gettimeofday(struct timeval *t, void *zone) {{
  int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
  int code = real(t, zone);
  if (code == 0) t->tv_sec -= BACK;
  return code;
}}
time_t time(time_t *t) {{
  time_t (*real)(time_t *) = dlsym(RTLD_NEXT, "time");
  time_t now = real(0) - BACK;
  if (t) *t = now;
  return now;
}}
"""


@pytest.fixture
def set_back(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose clock was set back; other clocks go on as they do."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a clock is set back for one process with a C compiler, on Linux")
    (tmp_path / "clock.c").write_text(SET_BACK)
    library = tmp_path / "clock.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(tmp_path / "clock.c"), "-ldl"]
    subprocess.run(command, check=True)
    return {"LD_PRELOAD": str(library)}


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


def test_a_clock_that_was_set_back_changes_no_hash(
    project: Project, set_back: dict[str, str]
) -> None:
    """The run is 400 days before its own files, caches and registry; locks and history hold."""
    before, first = state.look(project.folder), project.read("champion.json")["when"]
    name_nobody(project)
    shutil.rmtree(project.folder / ".dvc/cache/runs")
    result = project.perennial("run", **set_back)
    assert result.returncode == 0, result.stdout + result.stderr
    assert project.read("champion.json")["when"] < first, "the clock was not set back: no test"
    assert state.differences(state.look(project.folder), before) == []
    assert project.perennial("verify").returncode == 0
    again = project.dvc("repro")
    assert again.returncode == 0
    assert project.ran(again.stdout) <= {"register"}
    assert state.differences(state.look(project.folder), before) == []
