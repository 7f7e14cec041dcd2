"""What a server needs to know: the work pool, prefect.yaml's deployments, and what drift starts.

All of it can be done again, and then changes nothing but what has changed.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import entry  # noqa: F401

# isort: split
import yaml
from prefect.automations import AutomationCore, EventTrigger, Posture, RunDeployment
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from monitoring import WANTED, resource
from perennial import paths
from perennial.adapters.files.configuration import read_params
from perennial.errors import InputError, UnreachableError
from reaping import POOL

if TYPE_CHECKING:
    from prefect.client.schemas.objects import DeploymentSchedule
    from prefect.client.schemas.responses import DeploymentResponse

FILE = Path("prefect.yaml")
AUTOMATION = "perennial: what is announced is trained"
LOG = paths.LOGS / "prefect-deploy.log"


def deploy(schedules: bool) -> list[str]:
    """Tell the server all of it.

    Args:
        schedules: False to leave the deployments' schedules off.

    Returns:
        A line for each deployment: when it runs.

    Raises:
        InputError: prefect.yaml or params.yaml is wrong.
        UnreachableError: the server did not take the deployments.
    """
    with get_client(sync_client=True) as client:
        _make_pool(client)
        _apply_file()
        deployments = [client.read_deployment_by_name(name) for name in _names()]
        for deployment in deployments if schedules else ():
            _wake(client, deployment)
        _automate(client, next(d for d in deployments if d.name == "training"))
        return [_described(deployment, schedules) for deployment in deployments]


def _make_pool(client: SyncPrefectClient) -> None:
    """Make the work pool, in which one run is at work at a time."""
    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(
            name=POOL, type="process", concurrency_limit=1, base_job_template=template
        )
        client.create_work_pool(pool)
    else:
        client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=1))


def _apply_file() -> None:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w") as log:
        answer = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
            env={**os.environ, "PWD": str(Path.cwd())},  # prefect.yaml names it
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if answer:
        raise UnreachableError(
            f"Prefect did not take the deployments of {FILE}", f"{LOG} has what it said."
        )


def _names() -> list[str]:
    """Return the deployments of prefect.yaml as Prefect names them: flow/deployment."""
    try:
        content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
        return [
            f"{each['entrypoint'].rpartition(':')[2]}/{each['name']}"
            for each in content["deployments"]
        ]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(
            f"{FILE}: no deployments can be read from it: {error}",
            f"Restore it from Git (`git checkout {FILE}`).",
        ) from error


def _automate(client: SyncPrefectClient, training: "DeploymentResponse") -> None:
    """Have the event that monitoring emits start the training deployment."""
    model = read_params("registry").registry.model
    wanted = AutomationCore(
        name=AUTOMATION,
        description="Monitoring found that something is to be done; see flows/monitoring.py",
        enabled=True,
        trigger=EventTrigger(
            expect={WANTED},
            match={"prefect.resource.id": resource(model)},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[
            RunDeployment(
                source="selected", deployment_id=training.id, parameters={"request": "none"}
            )
        ],
    )
    known = client.read_automations_by_name(AUTOMATION)
    if not known:
        client.create_automation(wanted)
        return
    client.update_automation(known[0].id, wanted)
    for another in known[1:]:  # two that served at once
        client.delete_automation(another.id)


def _wake(client: SyncPrefectClient, deployment: "DeploymentResponse") -> None:
    """Switch the schedules on; in prefect.yaml they are off, so that none fires before its time."""
    for each in deployment.schedules:
        # with its parameters, or the server takes them for none
        client.update_deployment_schedule(
            deployment.id, each.id, active=True, parameters=each.parameters
        )


def _described(deployment: "DeploymentResponse", schedules: bool) -> str:
    when = [*_times(deployment.schedules)] if schedules else []
    if deployment.name == "training":
        when.append("on drift")
    return f"{deployment.name:<12} {'; '.join(when) or 'when it is asked to'}"


def _times(schedules: "Iterable[DeploymentSchedule]") -> Iterable[str]:
    from prefect.server.schemas.schedules import CronSchedule

    for each in schedules:
        cron = CronSchedule.model_validate(each.schedule.model_dump())
        (first,) = asyncio.run(cron.get_dates(1))
        yield f"next {first:%Y-%m-%d %H:%M %Z} ({cron.cron})"
