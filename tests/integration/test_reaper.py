"""Flow runs that died: found, marked crashed, and no longer in the way. Really killed ones."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.integration.pipelines import Pipeline, make_monitored
from tests.served import Served, clean, free_port, served, until

pytest.importorskip("prefect")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server that stands by itself, and outlives what is served from it."""
    folder = tmp_path_factory.mktemp("server") / "home"
    folder.mkdir()
    port = free_port()
    silent = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}
    env = clean(folder, PREFECT_HOME=str(folder), **silent)
    command = [sys.executable, "-m", "prefect", "server", "start"]
    env |= {"PREFECT_SERVER_API_HOST": "127.0.0.1", "PREFECT_SERVER_API_PORT": str(port)}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        url = f"http://127.0.0.1:{port}/api"
        probe = Served(folder, process, url)  # type: ignore[arg-type]

        def healthy() -> bool:
            try:
                return bool(probe.ask("GET", "health"))
            except OSError:
                return False

        try:
            until(healthy, 60)
            yield url
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(autouse=True)
def _empty(server: str, tmp_path: Path) -> None:
    """No run is left that an earlier test started again: a worker would take that one first."""
    probe = Served(tmp_path, None, server)  # type: ignore[arg-type]
    for run in probe.ask("POST", "flow_runs/filter"):
        probe.ask("DELETE", f"flow_runs/{run['id']}")


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return make_monitored(tmp_path / "project")


def kill(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def kill_all(project: Served, but: Sequence[int] = ()) -> None:
    """Kill what serves, the worker, the run's process and the stage at work, all untold."""
    project.process.send_signal(signal.SIGSTOP)
    own = project.process.pid
    kill([pid for pid in project.processes("") if pid not in [own, *but]])
    project.process.kill()
    project.process.wait()


def reap(project: Served, patience: float) -> str:
    """What `flows/reaping.py --once` says."""
    done = subprocess.run(
        [sys.executable, "flows/reaping.py", "--once", "--patience", str(patience)],
        cwd=project.folder,
        env=clean(project.folder, PREFECT_API_URL=project.url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith("{"))


def start_and_wait(project: Served, pipeline: Pipeline) -> str:
    """Start a training whose third stage waits, and wait until it does."""
    pipeline.behave("judge", waits_for="go")
    identity = project.start("training", request="retune")
    until(lambda: project.processes("stage.py judge"), 60, project.said)
    until(lambda: "perennial.pid" in project.run(identity)["labels"], 10)
    return identity


@contextlib.contextmanager
def worker_alone(project: Served) -> "Iterator[None]":
    """A worker without anybody who looks after what died; it ends, whatever comes of the test."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "perennial"]
    env = {"PREFECT_API_URL": project.url, "PREFECT_WORKER_QUERY_SECONDS": "1"}
    env["TEST_PROJECT"] = str(project.folder)
    alone = subprocess.Popen(
        command,
        cwd=project.folder,
        env=clean(project.folder, **env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        alone.kill()  # told to end, it may wait for as long as the run that it can't start does
        alone.wait()


def test_a_killed_run_blocks_nobody_and_is_started_again(server: str, pipeline: Pipeline) -> None:
    """Without the reaper it would: a later run waits, for as long as the dead one is RUNNING."""
    with served(pipeline.folder, "--no-schedules", PREFECT_API_URL=server) as project:
        dead = start_and_wait(project, pipeline)
        kill_all(project)
        assert project.run(dead)["state"]["type"] == "RUNNING"
    assert b"request: retune" in (pipeline.folder / "params.yaml").read_bytes()
    pipeline.behave("judge")
    later = project.start("monitoring")
    with worker_alone(project):
        until(lambda: project.run(later)["state"]["name"] == "Late", 120)
    assert project.run(dead)["state"]["type"] == "RUNNING"
    with served(pipeline.folder, "--no-schedules", PREFECT_API_URL=server) as project:
        crashed = project.state(dead, "CRASHED", seconds=20)
        assert "is gone" in crashed["message"]
        assert project.state(later, "COMPLETED")
        again = project.runs("training")[-1]
        assert again["id"] != dead
        assert "again-1" in again["tags"]
        assert again["parameters"]["request"] == "retune"
        assert project.state(again["id"], "COMPLETED"), project.said()
        assert "crashed: process" in project.out.read_text()
        assert project.end() == 0
        assert project.ask("GET", "health") is True, "the server is not ours to end"
    before = (Path(__file__).parents[2] / "params.yaml").read_bytes()
    assert (pipeline.folder / "params.yaml").read_bytes() == before


def test_a_run_that_lives_is_left_alone(server: str, pipeline: Pipeline) -> None:
    """However little patience there is; and so is one of which only a stage still works."""
    with served(pipeline.folder, "--no-schedules", PREFECT_API_URL=server) as project:
        running = start_and_wait(project, pipeline)
        assert reap(project, patience=0) == ""
        # The shell that started it may be there still, and so may what it is about to start.
        stage = project.processes("stage.py judge")
        kill_all(project, but=stage)
        assert reap(project, patience=0) == ""
        assert project.run(running)["state"]["type"] == "RUNNING"
        kill(project.processes("stage.py judge"))
        assert "crashed" in reap(project, patience=600)
        assert project.run(running)["state"]["type"] == "CRASHED"


def test_what_serving_ended_in_the_midst_goes_on_with_the_next(
    server: str, pipeline: Pipeline
) -> None:
    """Ctrl-C leaves no process at work, and no run that is forgotten."""
    with served(pipeline.folder, "--no-schedules", PREFECT_API_URL=server) as project:
        ended = start_and_wait(project, pipeline)
        assert project.end() == 0
        assert project.processes("") == []
    pipeline.behave("judge")
    with served(pipeline.folder, "--no-schedules", PREFECT_API_URL=server) as project:
        project.state(ended, "CRASHED", seconds=20)
        until(lambda: project.runs("training")[-1]["id"] != ended, 30)  # it comes after the crash
        again = project.runs("training")[-1]
        assert project.state(again["id"], "COMPLETED")


@pytest.fixture
def quiet(server: str, pipeline: Pipeline) -> Served:
    """A project whose deployments are known and that nobody serves."""
    with served(pipeline.folder, "--no-schedules", PREFECT_API_URL=server) as project:
        pass
    return project


def pretend(project: Served, kind: str, tags: list[str], **labels: Any) -> str:
    """A run that says that it is at work, though there is nobody."""
    path = f"deployments/{project.deployment('training')['id']}/create_flow_run"
    identity = str(project.ask("POST", path, {"tags": tags})["id"])
    named = {f"perennial.{key}": value for key, value in labels.items()}
    project.ask("PATCH", f"flow_runs/{identity}/labels", named)
    state = {"state": {"type": kind}, "force": True}
    project.ask("POST", f"flow_runs/{identity}/set_state", state)
    return identity


def test_what_cannot_be_looked_at_is_given_time(quiet: Served) -> None:
    """One on another machine, and one whose worker died before it began."""
    there = pretend(quiet, "RUNNING", [], host="elsewhere", pid=1)
    nowhere = pretend(quiet, "PENDING", [])
    assert reap(quiet, patience=600) == ""
    said = reap(quiet, patience=0)
    assert "no sign of life on elsewhere since" in said
    assert "no sign of life before it began since" in said
    for identity in (there, nowhere):
        assert quiet.run(identity)["state"]["type"] == "CRASHED"


def test_a_run_that_is_always_killed_is_not_started_for_ever(quiet: Served) -> None:
    before = {run["id"] for run in quiet.runs("training")}
    pretend(quiet, "RUNNING", ["again-2"], host="elsewhere", pid=1)
    said = reap(quiet, patience=0)
    assert "crashed" in said
    assert "started again" not in said
    assert len(quiet.runs("training")) == len(before) + 1
