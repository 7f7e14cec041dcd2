"""A stage of dvc.yaml as a Prefect task, and the walk over the stages in DVC's own order.

DVC decides what is stale, so no task is cached here.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import entry  # noqa: F401

# isort: split
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from perennial.adapters import dag
from perennial.commands.events import tell
from perennial.errors import BusyError, PerennialError, UnreachableError

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State, TaskRun
    from prefect.tasks import Task

RETRY_AFTER = [5, 30]  # seconds; a registry or server may be back by then, nothing else gets better


def _may_help(_: "Task", __: "TaskRun", state: "State") -> bool:
    """Return whether to try again: what could not be reached may be reached later.

    Another run is not waited for: it may take minutes, and whoever comes second leaves.
    """
    try:
        state.result()
    except UnreachableError as error:
        return not isinstance(error, BusyError)
    except Exception:
        return False
    return False


RETRIED: dict[str, Any] = {
    "retries": len(RETRY_AFTER),
    "retry_delay_seconds": RETRY_AFTER,
    "retry_condition_fn": _may_help,
    "cache_policy": NO_CACHE,
}


@task(**RETRIED)
def stage(step: dag.Step) -> str:
    """Have DVC bring one stage up to date; what it prints goes to Prefect's logs too."""
    log, lines, began = get_run_logger(), [""], time.monotonic()

    def say(line: str) -> None:
        log.info(line)
        lines.append(line)
        tell("line", stage=step.name, line=line)

    def report(state: str, line: str) -> None:
        seconds = round(time.monotonic() - began, 1)
        tell("stage", stage=step.name, state=state, seconds=seconds, line=line)

    report("running", "")
    try:
        outcome = step.run(say)
    except PerennialError as error:
        report("failed", error.faults[0])
        raise
    results = [line for line in lines if line.startswith(f"{step.name}: ")] or lines
    report(outcome, results[-1].removeprefix(f"{step.name}: "))
    return outcome


def walk(held: int, upto: Path | None = None) -> None:
    """Bring the stages up to date, each as a task of its own.

    Args:
        held: The descriptor that holds the run lock; stages keep it open.
        upto: An output: only the stage that writes it, and what that one needs.
    """

    def visit(step: dag.Step) -> None:
        stage.with_options(name=step.name, task_run_name=step.name)(step)

    dag.walk(visit, keep_open=[held], upto=upto)
