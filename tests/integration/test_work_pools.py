"""A real Prefect server takes the job templates of deploy/, and the deployments for their pools."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.served import ROOT, clean, free_port, until

PROGRAM = [sys.executable, "-m", "prefect", "--no-prompt"]
DEPLOY = """
import sys
sys.path.insert(0, "flows")
import deploying
print(*deploying.deploy(True), sep="\\n")
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What reaches a server; it runs in a folder that has the files of the project it needs."""
    folder = tmp_path_factory.mktemp("pools") / "p"
    shutil.copytree(ROOT / "flows", folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("prefect.yaml", "params.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    port = free_port()
    quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}
    env = clean(folder, PREFECT_HOME=str(folder.parent / "server"), **quiet)
    command = [*PROGRAM, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        url = f"http://127.0.0.1:{port}/api"
        try:
            until(lambda: _answers(f"{url}/health"), 120)
            yield {**env, "PREFECT_API_URL": url, "PWD": str(folder)}
        finally:
            process.terminate()
            process.wait(20)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True


def asked(environment: dict[str, str], path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{environment['PREFECT_API_URL']}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def run(environment: dict[str, str], *command: str) -> str:
    ended = subprocess.run(
        command,
        cwd=environment["PWD"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["process", "docker", "kubernetes"])
def test_the_deployments_are_for_a_pool_of_each_type_with_its_template(
    environment: dict[str, str], kind: str
) -> None:
    """By the commands of deploy/README.md; the drift automation and the pool's one place too."""
    template = ROOT / f"deploy/prefect/{kind}.json"
    create = ("work-pool", "create", "perennial", "--type", kind)
    run(environment, *PROGRAM, *create, "--base-job-template", str(template))
    lines = run(environment, sys.executable, "-c", DEPLOY)
    assert "on drift" in lines
    pool = asked(environment, "work_pools/perennial")
    assert (pool["type"], pool["concurrency_limit"]) == (kind, 1)
    assert pool["base_job_template"] == json.loads(template.read_text())
    found = asked(environment, "deployments/filter", {})
    assert {each["name"] for each in found} == {"training", "monitoring"}
    assert {each["work_pool_name"] for each in found} == {"perennial"}
    for each in found:
        [step] = each["pull_steps"]
        assert next(iter(step.values()))["directory"] == environment["PWD"]
        assert (Path(environment["PWD"]) / each["entrypoint"].partition(":")[0]).is_file()
    run(environment, *PROGRAM, "work-pool", "delete", "perennial")
