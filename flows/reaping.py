"""Flow runs whose process died without a word: marked crashed, and training is started again.

A run whose process and worker were killed stays RUNNING, holds the one place in the work pool, and
blocks every later run. Prefect has an automation on missing heartbeats for this, which may not
fire (its issue 18404). So this looks itself. A run is dead when

- it noted this machine (flows/whereabouts.py) and no process of it is left here; a stage that
  still works counts, as it holds the run lock;
- it noted another machine, and has sent no heartbeat for `PATIENCE`;
- it noted nothing, for `PATIENCE`, and no process of it is here: its worker died before it began.
"""

import argparse
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import entry

# isort: split
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.events.filters import EventFilter
from prefect.states import Crashed

import whereabouts
from notices import notice
from perennial.adapters import processes
from perennial.commands import announcements

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

POOL = "perennial"
PATIENCE = timedelta(minutes=10)  # twenty heartbeats
EVERY = 30  # seconds
TIMES = 3  # a run that was killed as often is not started again: the machine may be too small
AGAIN = "again-"  # tag of a run that was started again, with how often


@dataclass(frozen=True)
class Reaped:
    """A dead run: what it was called, why it counts as dead, and the run that takes its place."""

    flow: str
    run: str
    why: str
    again: str | None


def reap(client: SyncPrefectClient, patience: timedelta = PATIENCE) -> list[Reaped]:
    """Mark the dead runs of the work pool crashed, which frees their places.

    Args:
        client: Of the server.
        patience: How long a run may be silent that can't be looked at.
    """
    reaped = []
    for run in _at_work(client):
        why = _dead(client, run, patience)
        # what ended by itself did so before its process was gone: then its state is another now
        if why is None or client.read_flow_run(run.id).state_id != run.state_id:
            continue
        # by force, so that nothing is retried; Prefect releases what the run held all the same
        client.set_flow_run_state(run.id, Crashed(message=why), force=True)
        flow = client.read_flow(run.flow_id).name
        again = _again(client, run) if flow == "training" else None
        facts = {"why": why, "started again as": again or "nothing"}
        notice("failure", f"{flow} {run.name} was killed", facts)
        reaped.append(Reaped(flow, run.name, why, again))
    return reaped


def _at_work(client: SyncPrefectClient) -> "Sequence[FlowRun]":
    states = {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter.model_validate({"state": states}),
        work_pool_filter=WorkPoolFilter.model_validate({"name": {"any_": [POOL]}}),
    )


def _dead(client: SyncPrefectClient, run: "FlowRun", patience: timedelta) -> str | None:
    """Return why a run counts as dead; None if it doesn't."""
    here = processes.with_variable(whereabouts.VARIABLE, str(run.id))
    if here:
        return None
    host, pid = run.labels.get(whereabouts.HOST), run.labels.get(whereabouts.PID)
    if host == socket.gethostname():
        return f"process {pid} on {host} is gone, and none that it started is left"
    since = _last_sign(client, run)
    silent = datetime.now(UTC) - since
    if silent < patience:
        return None
    where = f"on {host}" if host else "before it began"
    return f"no sign of life {where} since {since:%Y-%m-%d %H:%M:%S} UTC"


def _last_sign(client: SyncPrefectClient, run: "FlowRun") -> datetime:
    """Return when the run last did anything: changed its state, or sent a heartbeat."""
    assert run.state is not None  # it was found by its state
    wanted = EventFilter.model_validate(
        {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run.id}"]},
            "occurred": {"since": run.state.timestamp},
        }
    )
    events = client.read_events(wanted, limit=1).events  # newest first
    return max([run.state.timestamp, *(event.occurred for event in events)])


def _again(client: SyncPrefectClient, run: "FlowRun") -> str | None:
    """Start the run again, as it was asked for; None if it was killed `TIMES` times."""
    tags = [tag for tag in run.tags if not tag.startswith(AGAIN)]
    times = 1 + sum(int(tag.removeprefix(AGAIN)) for tag in run.tags if tag.startswith(AGAIN))
    if times >= TIMES or run.deployment_id is None:
        announcements.answer("failed")
        return None
    # by its key: two that reap at once start one
    started = client.create_flow_run_from_deployment(
        run.deployment_id,
        parameters=run.parameters,
        tags=[*tags, f"{AGAIN}{times}"],
        idempotency_key=f"{AGAIN}{run.id}",
    )
    return started.name


def told(reaped: Sequence[Reaped]) -> list[str]:
    """Return a line for each."""
    return [
        f"{each.flow} {each.run}: crashed: {each.why}"
        + (f"; started again as {each.again}" if each.again else "")
        for each in reaped
    ]


def main() -> int:
    """Look once, or as long as it is let, and say what was found."""
    parser = argparse.ArgumentParser(description="Mark flow runs crashed whose process died.")
    parser.add_argument("--once", action="store_true", help="look once, then end")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE.total_seconds(),
        metavar="SECONDS",
        help="how long a run may be silent that can't be looked at (default: %(default)s)",
    )
    options = parser.parse_args()

    def run() -> None:
        with get_client(sync_client=True) as client:
            while True:
                for line in told(reap(client, timedelta(seconds=options.patience))):
                    print(line, flush=True)
                if options.once:
                    return
                time.sleep(EVERY)

    return entry.finish(run)


if __name__ == "__main__":
    sys.exit(main())
