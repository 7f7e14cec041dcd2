"""`make serve-flows`: one command, and the flows run by themselves; all of it is real."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.pipelines import Pipeline, drifts, make_monitored
from tests.listener import Heard, listening
from tests.served import Served, clean, free_port, served, until

pytest.importorskip("prefect")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def heard() -> Iterator[Heard]:
    with listening() as heard:
        yield heard


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return make_monitored(tmp_path_factory.mktemp("served") / "project")


@pytest.fixture(scope="module")
def project(pipeline: Pipeline, heard: Heard) -> Iterator[Served]:
    webhook = {"PERENNIAL_ALERT_WEBHOOK": f"{heard.url}/alert"}
    with served(pipeline.folder, "--no-schedules", **webhook) as project:
        yield project


@pytest.fixture(autouse=True)
def _as_told(pipeline: Pipeline) -> None:
    """Each test starts from a pipeline of which nothing special is asked."""
    pipeline.verdict("keep")
    pipeline.behave("judge")
    drifts(pipeline, "keep")
    pipeline.ran()


def test_the_server_knows_all_it_needs(project: Served) -> None:
    """One place for both deployments, schedules that sleep when told to, and the automation."""
    pool = project.ask("GET", "work_pools/perennial")
    assert (pool["type"], pool["concurrency_limit"]) == ("process", 1)
    for name in ("training", "monitoring"):
        deployment = project.deployment(name)
        assert deployment["work_pool_name"] == "perennial"
        assert [schedule["active"] for schedule in deployment["schedules"]] == [False]
    (schedule,) = project.deployment("training")["schedules"]
    assert schedule["parameters"] == {"request": "retune"}
    (automation,) = project.ask("POST", "automations/filter")
    assert automation["enabled"]
    assert automation["trigger"]["expect"] == ["perennial.retraining.wanted"]
    (action,) = automation["actions"]
    assert action["deployment_id"] == project.deployment("training")["id"]
    assert action["parameters"] == {"request": "none"}


def test_it_says_where_and_when_and_nothing_else(project: Served) -> None:
    lines = project.out.read_text().splitlines()
    assert lines[0] == f"Prefect      {project.url.removesuffix('/api')}"
    assert [line.split()[0] for line in lines[1:]] == ["training", "monitoring", "Ctrl-C"]


def test_a_deployment_runs_in_the_project(project: Served, pipeline: Pipeline) -> None:
    pipeline.touch("a deployment")
    assert project.finish("training") == "COMPLETED", project.said()
    assert pipeline.ran()[-1] == "last"


def test_what_monitoring_finds_is_trained_and_only_once(
    project: Served, pipeline: Pipeline
) -> None:
    """The event starts the deployment; the same plan found again starts nothing."""
    before = len(project.runs("training"))
    drifts(pipeline, "retrain", plan="once")
    assert project.finish("monitoring") == "COMPLETED", project.said()
    until(lambda: len(project.runs("training")) > before, 30, project.said)
    started = project.runs("training")[-1]
    assert started["created_by"]["type"] == "AUTOMATION"
    assert project.state(started["id"], "COMPLETED")
    assert project.finish("monitoring") == "COMPLETED"
    assert project.finish("training") == "COMPLETED"  # the automation would have been as fast
    assert len(project.runs("training")) == before + 2


def test_nothing_to_be_done_starts_nothing(project: Served, pipeline: Pipeline) -> None:
    before = len(project.runs("training"))
    assert project.finish("monitoring") == "COMPLETED"
    assert project.finish("training") == "COMPLETED"
    assert len(project.runs("training")) == before + 1


def test_one_run_at_a_time_whichever_deployment(project: Served, pipeline: Pipeline) -> None:
    """The other one waits its turn, and then runs."""
    pipeline.behave("judge", waits_for="go")
    pipeline.touch("one at a time")
    first = project.start("training")
    project.state(first, "RUNNING")
    second = project.start("monitoring")
    until(lambda: project.processes("stage.py judge"), 20, project.said)
    until(lambda: project.run(second)["state"]["name"] == "Late", 30, project.said)
    assert project.run(first)["state"]["type"] == "RUNNING"
    (pipeline.folder / "go").touch()
    assert project.state(first, "COMPLETED")
    assert project.state(second, "COMPLETED")
    (pipeline.folder / "go").unlink()


def test_people_are_told(project: Served, pipeline: Pipeline, heard: Heard) -> None:
    """Drift and block, to the webhook of the environment and to Prefect's own block."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: project.url}):
        CustomWebhookNotificationBlock(
            name="mine", url=f"{heard.url}/block", json_data={"text": "{{subject}}: {{body}}"}
        ).save("perennial-alerts")
    heard.clear()
    pipeline.verdict("block")
    assert project.finish("training") == "FAILED"
    said = [line.split(" ", 1) for line in heard]
    assert [path for path, _ in said] == ["/alert", "/block"]
    assert all("Blocked: as told" in text and "quality_floor" in text for _, text in said)
    heard.clear()
    pipeline.verdict("keep")
    drifts(pipeline, "retrain", plan="told")
    assert project.finish("monitoring") == "COMPLETED"
    assert len(heard) == 2
    assert all("Drift: retrain after drift in 2010-12" in line for line in heard)


def test_a_failure_is_told(project: Served, pipeline: Pipeline, heard: Heard) -> None:
    heard.clear()
    pipeline.behave("judge", code=2, message="wrong\n→ put it right")
    pipeline.touch("a failure")
    assert project.finish("training") == "FAILED"
    assert any("Failed: training ended with 2" in line for line in heard)


def test_a_folder_is_served_once(project: Served) -> None:
    second = subprocess.run(
        [sys.executable, "flows/serving.py", "--port", str(free_port())],
        cwd=project.folder,
        env=clean(project.folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 4
    assert "served already" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_exit_2(project: Served, tmp_path: Path) -> None:
    made = make_monitored(tmp_path / "project")
    port = project.url.split(":")[2].split("/")[0]
    found = subprocess.run(
        [sys.executable, "flows/serving.py", "--port", port],
        cwd=made.folder,
        env=clean(made.folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert port in found.stderr


def test_a_worker_that_died_is_replaced(project: Served) -> None:
    (worker,) = project.processes("worker start")
    os.kill(worker, signal.SIGKILL)
    until(lambda: project.processes("worker start") not in ([], [worker]), 20, project.said)
    assert project.finish("training") == "COMPLETED", project.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_all_it_started(tmp_path: Path, number: int) -> None:
    """Served again, all is as it was; with its schedules, which really make runs."""
    made = make_monitored(tmp_path / "project")
    quick = {"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2"}
    with served(made.folder, "--no-schedules") as first:
        assert first.end(number) == 0
        assert first.processes("") == []
    with served(made.folder, **quick) as again:
        assert len(again.ask("POST", "automations/filter")) == 1
        assert "next 20" in again.out.read_text()
        (schedule,) = again.deployment("training")["schedules"]
        assert (schedule["active"], schedule["parameters"]) == (True, {"request": "retune"})
        until(lambda: again.runs("monitoring"), 30, again.said)
        assert again.runs("monitoring")[0]["state"]["type"] == "SCHEDULED"
        assert again.end(number) == 0
        assert again.processes("") == []
    assert list((tmp_path / "home").rglob("*")) == []
