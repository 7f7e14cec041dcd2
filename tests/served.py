"""The flows as a test sees them: loaded beside a server for tests, or really served."""

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
OVER = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@contextmanager
def harness(home: Path, name: str) -> Iterator[ModuleType]:
    """A file of flows/ as a module, against a server that Prefect keeps for tests; no waits."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PREFECT_HOME", str(home))
        patched.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        patched.setenv("DO_NOT_TRACK", "true")
        patched.syspath_prepend(str(ROOT / "flows"))
        environment = dict(os.environ)
        module = importlib.import_module(name)
        steps = importlib.import_module("steps")
        os.environ.clear()
        os.environ.update(environment)  # what the flow sets for itself is not for other tests
        from prefect.testing.utilities import prefect_test_harness

        for task in (steps.stage, getattr(module, "promotion", None)):
            if task is not None:
                task.retry_delay_seconds = [0, 0]
        with prefect_test_harness(server_startup_timeout=120):
            yield module


def clean(folder: Path, **more: str) -> dict[str, str]:
    """An environment with an empty home and nothing said about Prefect."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "PERENNIAL_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "HOME": str(home), "PATH": path, **more}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until(what: Callable[[], Any], seconds: float, why: Callable[[], str] = str) -> Any:
    """Return what it answers as soon as that is something; fail if it takes longer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.3)
    raise AssertionError(f"in vain for {seconds} s: {why()}")


class Served:
    """A project that is being served: its process, and its server's API."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]", url: str) -> None:
        self.folder, self.process, self.url = folder, process, url
        self.out = folder.parent / "serving.out"

    def said(self) -> str:
        """What it and its children have written until now."""
        logs = sorted((self.folder / ".perennial/logs").glob("prefect-*.log"))
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in [self.out, *logs])

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        data = json.dumps(content if content is not None else {}).encode()
        body = None if method == "GET" else data
        request = urllib.request.Request(f"{self.url}/{path}", body, method=method)
        request.add_header("Content-Type", "application/json")
        for _ in range(20):
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    text = answer.read()
                return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                if error.code != 503:  # the server's database is busy: ask again, as clients do
                    raise
                time.sleep(0.5)
        raise AssertionError(f"{path}: the server stays busy")

    def deployment(self, name: str) -> Any:
        return self.ask("GET", f"deployments/name/{name}/{name}")

    def start(self, name: str, **parameters: Any) -> str:
        """Start a run of a deployment and return its id."""
        path = f"deployments/{self.deployment(name)['id']}/create_flow_run"
        return str(self.ask("POST", path, {"parameters": parameters})["id"])

    def run(self, identity: str) -> Any:
        return self.ask("GET", f"flow_runs/{identity}")

    def runs(self, flow: str) -> list[Any]:
        """The runs of a flow's deployment, oldest first; not those that were started by hand."""
        wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_ASC"}
        runs = self.ask("POST", "flow_runs/filter", wanted)
        return [run for run in runs if run["deployment_id"]]

    def state(self, identity: str, *wanted: str, seconds: float = 60) -> Any:
        """Wait until the run is in such a state, and return the state."""

        def there() -> Any:
            state = self.run(identity)["state"]
            return state if state["type"] in wanted else None

        return until(there, seconds, lambda: f"{self.run(identity)['state']}\n{self.said()}")

    def finish(self, name: str, seconds: float = 60, **parameters: Any) -> str:
        """Run a deployment to its end and return the type of its last state."""
        found = self.state(self.start(name, **parameters), *OVER, seconds=seconds)
        return str(found["type"])

    def processes(self, word: str) -> list[int]:
        """The ids of this project's processes that have a word on their command line."""
        import psutil

        found = []
        for process in psutil.process_iter():
            try:
                same = process.environ().get("TEST_PROJECT") == str(self.folder)
                if same and word in " ".join(process.cmdline()):
                    found.append(process.pid)
            except (psutil.Error, OSError):
                continue
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end and return what it answers."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def served(folder: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    """Serve the project of a folder, as `make serve-flows` does, but for a port of its own."""
    port = free_port()
    environment = {"PREFECT_WORKER_QUERY_SECONDS": "1", "TEST_PROJECT": str(folder)} | environment
    env = clean(folder, **environment)
    own = [] if "PREFECT_API_URL" in env else ["--port", str(port)]
    url = env.get("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    command = [sys.executable, "flows/serving.py", *own, *arguments]
    with (folder.parent / "serving.out").open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, text=True
        )
    project = Served(folder, process, url)
    try:
        until(
            lambda: "Ctrl-C" in project.out.read_text() or process.poll() is not None,
            120,
            project.said,
        )
        assert process.poll() is None, project.said()
        yield project
    finally:
        if process.poll() is None:
            project.end()
        for pid in project.processes(""):
            os.kill(pid, signal.SIGKILL)
