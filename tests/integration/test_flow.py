"""The training flow with real Prefect: tasks, logs, retries, artifact, promotion and exit codes."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tests.integration.pipelines import STAGES, Pipeline, make
from tests.served import harness

from perennial.adapters import histories
from perennial.adapters.bundles import champions
from perennial.core.ledger import hash_chain

pytest.importorskip("prefect")
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """flows/training.py, against a server that Prefect keeps for tests."""
    with harness(tmp_path_factory.mktemp("prefect"), "training") as module:
        yield module


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    made = make(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    return made


def seen() -> tuple[Any, list[Any], list[str], list[str]]:
    """The last flow run, its task runs in order, the lines of its logs, and its artifacts."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, LogFilter
    from prefect.client.schemas.sorting import FlowRunSort

    async def ask() -> tuple[Any, list[Any], list[str], list[str]]:
        async with get_client() as client:
            (run,) = await client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
            only = FlowRunFilter.model_validate({"id": {"any_": [run.id]}})
            tasks = await client.read_task_runs(flow_run_filter=only)
            logs = await client.read_logs(
                LogFilter.model_validate({"flow_run_id": {"any_": [run.id]}})
            )
            artifacts = await client.read_artifacts(flow_run_filter=only)
            return (
                run,
                sorted(tasks, key=lambda task: task.start_time),
                [log.message for log in logs],
                [str(artifact.data) for artifact in artifacts if artifact.key == "verdict"],
            )

    until = time.monotonic() + 10
    while True:  # logs and task runs arrive a moment later
        found = asyncio.run(ask())
        if any("Finished in state" in line for line in found[2]) or time.monotonic() > until:
            return found
        time.sleep(0.2)


def test_each_stage_is_a_task_in_dvcs_order_with_its_output_as_logs(
    flow: ModuleType, pipeline: Pipeline
) -> None:
    assert flow.training() == "keep"
    run, tasks, logs, artifacts = seen()
    assert run.state.name == "Completed"
    assert [task.name for task in tasks] == list(STAGES) == pipeline.ran()
    for name in STAGES:
        assert f"{name}: done as told" in logs
    (page,) = artifacts
    assert page.startswith("# Verdict: keep")
    assert "| quality_floor | pass | 0.7 [0.65, 0.75] | 0.6 |" in page
    assert "| ROC AUC | 0.7 [0.65, 0.75] |" in page
    assert (pipeline.folder / "reports/gate.json").as_uri() in page


def test_what_could_not_be_reached_is_tried_again(
    flow: ModuleType, pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.behave("second", code=4, message="away\n→ wait", once=True)
    assert flow.training() == "keep"
    assert pipeline.ran() == ["first", "second", "second", "judge", "last"]


@pytest.mark.parametrize("code", [1, 2, 3])
def test_what_will_not_get_better_is_not_tried_again(
    flow: ModuleType, pipeline: Pipeline, code: int
) -> None:
    pipeline.behave("second", code=code, message="wrong\n→ put it right")
    assert flow.main() == code
    assert pipeline.ran() == ["first", "second"]


def test_what_stays_away_ends_with_its_code(flow: ModuleType, pipeline: Pipeline) -> None:
    pipeline.behave("second", code=4, message="away\n→ wait")
    assert flow.main() == 4
    assert pipeline.ran() == ["first", *["second"] * 3]
    kept = [path for path in Path(".perennial/prefect").rglob("*") if path.is_file()]
    assert all(b"pickle" not in path.read_bytes() for path in kept)


def test_a_crashed_stage_is_no_fault_of_the_input(flow: ModuleType, pipeline: Pipeline) -> None:
    pipeline.behave("second", crashes=True)
    assert flow.main() == 70


def test_a_block_fails_the_run_promotes_nobody_and_leaves_its_reasons(
    flow: ModuleType, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "promote", lambda: pytest.fail("promoted"))
    pipeline.verdict("block")
    assert flow.main() == 1
    run, _, __, artifacts = seen()
    assert run.state.name == "Failed"
    assert artifacts[0].startswith("# Verdict: block")
    assert "| quality_floor | fail (blocks) |" in artifacts[0]


def test_an_earlier_verdict_is_not_shown_for_a_run_that_did_not_get_to_the_gate(
    flow: ModuleType, pipeline: Pipeline
) -> None:
    flow.training()
    pipeline.touch("other")
    pipeline.behave("second", code=2, message="wrong\n→ put it right")
    assert flow.main() == 2
    assert seen()[3] == []


def test_the_verdict_promote_promotes_once_and_walks_once_more(
    flow: ModuleType, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the new champion the DAG converges; the verdict of the flow stays `promote`."""
    from perennial.adapters.bundles.champions import Champion, write
    from perennial.commands.pending import Promotion

    acts: list[Promotion] = []

    def act() -> Promotion:
        plan = json.loads(Path("data/plan.json").read_text())
        champion = Champion("m", "1", "c" * 64, plan, "promote", "2026-01-01T00:00:00Z", [])
        write(champion)
        Path("input.txt").write_text("so that the second walk has something to do\n")
        acts.append(Promotion(champion, None, True, "as told"))
        return acts[-1]

    monkeypatch.setattr(flow, "promote", act)
    pipeline.verdict("promote")
    assert flow.training() == "promote"
    assert len(acts) == 1
    assert pipeline.ran() == [*STAGES, *STAGES]
    assert json.loads(Path("reports/gate.json").read_text())["verdict"] == "keep"


def test_whom_a_person_moved_away_from_is_not_promoted_by_a_run(
    flow: ModuleType,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A run that makes the same candidate again says so, and who is champion stays."""
    monkeypatch.setattr(flow, "promote", lambda: pytest.fail("promoted"))
    monkeypatch.setattr(flow.aliases, "point", lambda _: "1")
    ref = {"version": "2", "digest": "c" * 64}
    first = {"version": "1", "digest": "a" * 64}
    acts = [("promote", None, first), ("promote", first, ref), ("rollback", ref, first)]
    entry: dict[str, Any] = {}
    for action, before, after in acts:
        said = {"who": "Ada", "when": "2026-01-01", "why": "complaints"}
        entry = {"action": action, "from": before, "to": after, **said}
        histories.append(hash_chain.seal(entry, histories.head(histories.read())))
    end = histories.read()[-1]["sha256"]
    plan = {"parts": {}}
    champions.write(champions.Champion("m", "1", "a" * 64, plan, "promote", "x", [], end))
    pipeline.verdict("promote")
    assert flow.training() == "promote"
    assert pipeline.ran() == list(STAGES), "nothing changed, so there is nothing to converge to"
    assert "not promoted: candidate cccccccccccc" in capfd.readouterr().out


def clean(folder: Path, **more: str) -> dict[str, str]:
    """An environment with an empty home and nothing said about Prefect."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "PERENNIAL_"))}
    return {**kept, "HOME": str(home), **more}


@pytest.mark.slow
def test_it_runs_by_itself_without_a_server(pipeline: Pipeline) -> None:
    """Its state is in the project, nothing in the home directory; only its own words are said."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "flows/training.py")],
        env=clean(pipeline.folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [*STAGES, "verdict:"]
    assert done.stderr == ""
    assert (pipeline.folder / ".perennial/prefect").is_dir()
    assert list((pipeline.folder.parent / "home").rglob("*")) == []


def test_a_server_that_is_not_there_is_exit_4_at_once(pipeline: Pipeline) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(ROOT / "flows/training.py")],
        env=clean(pipeline.folder, PREFECT_API_URL="http://127.0.0.1:9/api"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "http://127.0.0.1:9/api can't be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert pipeline.ran() == []
    assert time.monotonic() - began < 15


@pytest.fixture
def server(pipeline: Pipeline) -> Iterator[str]:
    """A real server's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = clean(pipeline.folder, PREFECT_HOME=str(pipeline.folder.parent / "server"))
    env |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}
    command = [str(BIN / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        url = f"http://127.0.0.1:{port}/api"
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{url}/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.25)
            yield url
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.slow
def test_against_a_real_server_it_is_remembered(pipeline: Pipeline, server: str) -> None:
    """A run by hand leaves its tasks, logs and artifact on the server that it was pointed to."""
    env = clean(pipeline.folder, PREFECT_API_URL=server)
    env["PREFECT_HOME"] = str(pipeline.folder.parent / "client")
    done = subprocess.run(
        [sys.executable, str(ROOT / "flows/training.py")],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    def ask(what: str) -> Any:
        request = urllib.request.Request(f"{server}/{what}/filter", b"{}", method="POST")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    (flow_run,) = ask("flow_runs")
    assert flow_run["state"]["type"] == "COMPLETED"
    assert {task["name"] for task in ask("task_runs")} == set(STAGES)
    assert "first: done as told" in [log["message"] for log in ask("logs")]
    assert "verdict" in [artifact["key"] for artifact in ask("artifacts")]


def test_prefect_yaml_names_what_is_there() -> None:
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    for deployment in content["deployments"]:
        path, _, name = deployment["entrypoint"].partition(":")
        assert f"def {name}(" in (ROOT / path).read_text()
