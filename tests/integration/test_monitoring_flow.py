"""The monitoring flow with real Prefect: how far it walks, what it says, what it announces."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.integration.pipelines import Pipeline, drifts, enter, make_monitored
from tests.served import ROOT, clean, harness, until

pytest.importorskip("prefect")
pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    with harness(tmp_path_factory.mktemp("prefect"), "monitoring") as module:
        yield module


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    return enter(make_monitored(tmp_path / "project"), monkeypatch)


@pytest.fixture
def emitted(flow: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was emitted, beside being really emitted."""
    found: list[dict[str, Any]] = []
    real = flow.emit_event

    def emit(**event: Any) -> Any:
        found.append(event)
        return real(**event)

    monkeypatch.setattr(flow, "emit_event", emit)
    return found


def artifact() -> str:
    from prefect.client.orchestration import get_client

    async def ask() -> list[Any]:
        async with get_client() as client:
            return await client.read_artifacts()

    pages = [each for each in asyncio.run(ask()) if each.key == "drift"]
    return str(max(pages, key=lambda page: page.created).data)


def test_it_walks_as_far_as_the_drift_report_and_no_further(
    flow: ModuleType, pipeline: Pipeline, emitted: list[dict[str, Any]]
) -> None:
    """Under `keep` nothing is announced, and the page of the run says why."""
    assert flow.monitoring() == "keep"
    assert pipeline.ran() == ["first", "second"]
    assert emitted == []
    assert "# none: keep" in artifact()
    assert "as the test has it" in artifact()


def test_what_is_to_be_done_is_announced_once_a_plan(
    flow: ModuleType, pipeline: Pipeline, emitted: list[dict[str, Any]]
) -> None:
    drifts(pipeline, "retrain")
    for _ in range(3):
        assert flow.monitoring() == "retrain"
    (event,) = emitted
    assert event["event"] == "perennial.retraining.wanted"
    assert event["resource"] == {"prefect.resource.id": "perennial.model.bank-deposits"}
    why = "as the test has it"
    wanted = {"period": "2010-12", "action": "retrain", "verdict": "drift", "why": why}
    assert event["payload"] == wanted
    drifts(pipeline, "retrain", plan="b")
    flow.monitoring()
    assert len(emitted) == 2
    assert "# drift: retrain" in artifact()


def test_the_event_arrives(flow: ModuleType, pipeline: Pipeline) -> None:
    """With what it carries; the server has it when the flow has ended."""
    from prefect.client.orchestration import get_client
    from prefect.events.filters import EventFilter

    drifts(pipeline, "retune", plan="arrives")
    flow.monitoring()
    wanted = EventFilter.model_validate({"event": {"name": [flow.WANTED]}})

    def ask() -> bool:
        with get_client(sync_client=True) as client:
            events = client.read_events(wanted, limit=50).events
        return any(event.payload.get("action") == "retune" for event in events)

    until(ask, 15)


def test_a_failed_training_is_announced_again(
    flow: ModuleType, pipeline: Pipeline, emitted: list[dict[str, Any]]
) -> None:
    """Training itself remembers what came of it: a fault asks again, a verdict does not."""
    from training import training

    drifts(pipeline, "retrain")
    flow.monitoring()
    pipeline.behave("judge", code=2, message="wrong\n→ put it right")
    with pytest.raises(Exception, match="wrong"):
        training()
    assert flow.monitoring() == "retrain"
    assert len(emitted) == 2
    pipeline.behave("judge")
    training()
    flow.monitoring()
    assert len(emitted) == 2


def test_a_blocked_candidate_is_an_answer(
    flow: ModuleType, pipeline: Pipeline, emitted: list[dict[str, Any]]
) -> None:
    from perennial.adapters.dag import BlockedError
    from training import training

    drifts(pipeline, "retrain")
    flow.monitoring()
    pipeline.verdict("block")
    with pytest.raises(BlockedError):
        training()
    flow.monitoring()
    assert len(emitted) == 1


def test_a_request_is_in_params_while_it_lasts_and_the_tree_ends_without_it(
    flow: ModuleType, pipeline: Pipeline
) -> None:
    """What the run was asked for reaches the stages as `policy.request`; then all is as before."""
    from training import training

    definition = pipeline.folder / "dvc.yaml"
    text = definition.read_text()
    definition.write_text(
        text.replace("deps: [input.txt]", "deps: [input.txt]\n    params: [policy]")
    )
    drifts(pipeline, "keep")
    training()
    pipeline.ran()
    before = Path("params.yaml").read_bytes(), Path("dvc.lock").read_bytes()
    pipeline.behave("first", says=["first: done"], shows="params.yaml")
    training(request="retune")
    assert "request: retune" in Path("shown.txt").read_text()
    assert pipeline.ran().count("first") == 1, "the walk back finds everything in DVC's cache"
    assert (Path("params.yaml").read_bytes(), Path("dvc.lock").read_bytes()) == before


def test_a_request_that_is_blocked_ends_as_cleanly(flow: ModuleType, pipeline: Pipeline) -> None:
    from perennial.adapters.dag import BlockedError
    from training import training

    definition = pipeline.folder / "dvc.yaml"
    text = definition.read_text()
    for deps in ("input.txt]", "verdict.txt]"):
        text = text.replace(deps, f"{deps}\n    params: [policy]")
    definition.write_text(text)
    training()
    before = Path("params.yaml").read_bytes(), Path("dvc.lock").read_bytes()
    pipeline.behave("judge", code=1, message="a gate blocks", once=True)
    with pytest.raises(BlockedError):
        training(request="retrain")
    assert (Path("params.yaml").read_bytes(), Path("dvc.lock").read_bytes()) == before


def test_two_do_not_run_at_once(flow: ModuleType, pipeline: Pipeline) -> None:
    from perennial.adapters import runlock
    from perennial.errors import UnreachableError

    with runlock.alone(), pytest.raises(UnreachableError, match="another run is at work"):
        flow.monitoring()
    assert pipeline.ran() == []


def test_it_runs_by_itself_without_a_server(pipeline: Pipeline) -> None:
    """Nobody hears what it announces then, so a server's monitoring will announce it again."""
    drifts(pipeline, "retrain")
    done = subprocess.run(
        [sys.executable, str(ROOT / "flows/monitoring.py")],
        env=clean(pipeline.folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "to be done: retrain"
    assert done.stderr == ""
    assert pipeline.ran() == ["first", "second"]
    assert json.loads(Path("reports/drift.json").read_text())["action"] == "retrain"
    assert not Path(".perennial/announced.json").exists()
