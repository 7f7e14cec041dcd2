"""The training flow: DVC's stages, in DVC's order, each as a Prefect task; promotion at its end.

DVC decides what is stale, so no task is cached here, and there is no list of stages. Without a
server Prefect starts one of its own for the run; PREFECT_API_URL names a standing one.
"""

import argparse
import sys
import time
import traceback

from prefect import State, Task, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import StateType, TaskRun

from perennial.adapters import dag
from perennial.commands import events, promote, rendering
from perennial.errors import PerennialError, UnreachableError


def worth_retrying(_: Task, __: TaskRun, state: State) -> bool:
    """Only what can't be reached may be there a moment later; data and gates will not differ."""
    error = state.result(raise_on_failure=False) if state.type == StateType.FAILED else None
    return getattr(error, "exit_code", None) == UnreachableError.exit_code


@task(
    task_run_name="{name}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[2, 10],
    retry_condition_fn=worth_retrying,
)
def stage(name: str) -> bool:
    """Run one stage of the DAG, if it is stale, and bring its output into Prefect's logs."""
    start = time.perf_counter()
    events.emit("start", name)
    try:
        ran = dag.run_stage(name)
    finally:
        lines = rendering.own_lines(dag.log_of(name))
        for line in lines:
            get_run_logger().info(line)
    events.emit("end", name, ran=ran, seconds=time.perf_counter() - start, said=lines)
    return ran


@flow(name="training", log_prints=False)
def training(promotion: bool = True) -> str:
    """Run the DAG; if its verdict is `promote`, promote and run it once more, so that it converges.

    Returns:
        The verdict.
    """
    try:
        for name in dag.stages():
            stage.with_options(name=name)(name)
        verdict = promote.verdict()
        if promotion and verdict == "promote":
            promote.promote()
            events.emit("promoted", "")
            for name in dag.stages():
                stage.with_options(name=name)(name)
    finally:
        create_markdown_artifact(rendering.markdown(), key="verdict", description="The gates")
    return verdict


def main() -> None:
    """Run the flow once, in this process, and exit with the code of DESIGN's contract."""
    parser = argparse.ArgumentParser(description="Run the training flow once.")
    parser.add_argument("--no-promote", action="store_true", help="leave the champion as it is")
    arguments = parser.parse_args()
    try:
        training(promotion=not arguments.no_promote)
    except PerennialError as error:
        events.emit("failed", "", message=str(error))
        sys.exit(error.exit_code)
    except Exception:
        traceback.print_exc()
        sys.exit(dag.OWN_FAULT)


if __name__ == "__main__":
    main()
