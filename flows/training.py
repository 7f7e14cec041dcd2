"""The training flow: the stages of dvc.yaml, as DVC orders them, each as a Prefect task.

DVC decides what is stale, so no task is cached here. `perennial run` starts this file; it can also
be started by itself (`python flows/training.py`) or deployed (prefect.yaml).
"""

import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from perennial.commands import environment
from perennial.errors import PerennialError, UnreachableError

try:  # Prefect reads its settings when it is imported, so they come first
    environment.prepare()
except PerennialError as missing:
    print(missing, file=sys.stderr)
    sys.exit(missing.exit_code)

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from perennial import paths
from perennial.adapters import champions, dag, runlock
from perennial.commands import attempts, pending
from perennial.commands.events import tell
from perennial.commands.faults import explained
from perennial.commands.markdown import markdown
from perennial.commands.promote import point_alias, promote
from perennial.commands.summary import optional

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State, TaskRun
    from prefect.tasks import Task

RETRY_AFTER = [5, 30]  # seconds; a registry or server may be back by then, nothing else gets better


def _may_help(_: "Task", __: "TaskRun", state: "State") -> bool:
    """Return whether to try again: what could not be reached may be reached later."""
    try:
        state.result()
    except UnreachableError:
        return True
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


@task(name="promote", **RETRIED)
def promotion() -> None:
    """Make the candidate champion."""
    done = promote()
    to = {"version": done.champion.version, "digest": done.champion.digest}
    tell("promoted", **{"from": done.before, "to": to})
    get_run_logger().info("champion is now version %s: %s", done.champion.version, done.why)


@flow(name="training", result_serializer="json")  # it keeps what failed, by default as a pickle
def training(promoting: bool = True) -> str:
    """Bring every stage up to date; promote if the gate says so. Returns the verdict.

    Args:
        promoting: False to judge a candidate and leave the champion in charge, whatever comes.
    """
    with runlock.alone() as held:
        pending.finish()  # a promotion that was killed
        before = champions.read()
        try:
            _walk(held)
        except dag.BlockedError:
            if optional(paths.GATE_REPORT).get("verdict") == "block":
                _judged(before)
            raise
        verdict = _judged(before)
        if verdict == "promote" and promoting:
            promotion()
            _walk(held)  # the candidate is champion now: with this the DAG has converged
        elif before is not None:
            point_alias(before)
        return verdict


def _walk(held: int) -> None:
    def visit(step: dag.Step) -> None:
        stage.with_options(name=step.name, task_run_name=step.name)(step)

    dag.walk(visit, keep_open=[held])


def _judged(before: champions.Champion | None) -> str:
    """Tell the verdict, keep a challenge that lost, leave an artifact in Prefect; return it."""
    attempts.record()
    gate = optional(paths.GATE_REPORT)
    metrics = optional(paths.METRICS).get("holdout", {})
    verdict = str(gate.get("verdict", "none"))
    tell("judged", gate=gate, metrics=metrics)
    create_markdown_artifact(
        markdown(gate, metrics, before), key="verdict", description=f"Verdict: {verdict}"
    )
    return verdict


def main() -> int:
    """Run the flow and return the exit code."""
    error: PerennialError | None = None
    try:
        environment.require_server()
        training(promoting="--no-promote" not in sys.argv[1:])
    except Exception as raised:
        error = explained(raised)
        if not isinstance(raised, PerennialError):
            traceback.print_exc()
    faults, remedy = (error.faults, error.remedy) if error else ([], None)
    code = error.exit_code if error else 0
    tell("end", exit_code=code, faults=faults, remedy=remedy)
    if error:
        print(error, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
