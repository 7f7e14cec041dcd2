"""Where a flow run is at work: noted on the run itself, so that it can be told from a dead one."""

import os
import socket

import entry  # noqa: F401

# isort: split
from prefect import runtime
from prefect.client.orchestration import get_client

HOST = "perennial.host"  # labels of a flow run
PID = "perennial.pid"
VARIABLE = (
    "PREFECT__FLOW_RUN_ID"  # a worker sets it for the process of a run, whose children have it
)


def note() -> None:
    """Label the flow run that this is with the machine and the process; only a worker's has use."""
    if VARIABLE not in os.environ:
        return
    with get_client(sync_client=True) as client:
        labels = {HOST: socket.gethostname(), PID: os.getpid()}
        client.update_flow_run_labels(runtime.flow_run.id, labels)
