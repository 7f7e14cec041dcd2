"""The monitoring flow: has the newest data moved? If something is to be done, it is announced.

It walks the stages up to the one that writes reports/drift.json, and emits an event that an
automation starts the deployment `training` on. By itself (`python flows/monitoring.py`) it says
what it found.
"""

import sys
from collections.abc import Mapping
from typing import Any

import entry

# isort: split
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.events import emit_event
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL

import whereabouts
from notices import failure_told, notice
from perennial import paths
from perennial.adapters import files, runlock
from perennial.adapters.files.configuration import read_params
from perennial.commands import announcements, pending, requests
from perennial.commands.wording import number
from steps import walk

WANTED = "perennial.retraining.wanted"
SHOWN = 10  # tests in the artifact, the largest effects


def resource(model: str) -> str:
    """Return the id under which Prefect's events name a model."""
    return f"perennial.model.{model}"


@flow(name="monitoring", result_serializer="json")
def monitoring() -> str:
    """Validate and compare the newest batches. Returns `keep`, or what is to be done."""
    whereabouts.note()
    with failure_told("monitoring"), runlock.alone() as held:
        pending.finish()  # what a killed run left
        requests.restore()
        walk(held, upto=paths.DRIFT_REPORT)
        drift = files.read_json(paths.DRIFT_REPORT, "Run `dvc repro` and look at what it says.")
        create_markdown_artifact(
            _markdown(drift), key="drift", description=f"{drift['verdict']}: {drift['action']}"
        )
        if drift["action"] != "keep":
            _announce(drift)
    return str(drift["action"])


def _announce(drift: Mapping[str, Any]) -> None:
    """Emit the event, unless it was for this very plan and training has not failed since."""
    plan, now = files.sha256(paths.PLAN), announcements.now()
    if not announcements.is_due(plan, now):
        get_run_logger().info("%s: announced before", drift["action"])
        return
    payload = {key: drift[key] for key in ("period", "action", "verdict", "why")}
    name = resource(read_params("registry").registry.model)
    emit_event(event=WANTED, resource={"prefect.resource.id": name}, payload=payload)
    EventsWorker.instance().wait_until_empty()
    if PREFECT_API_URL.value():  # a server of this run's own ends with it: nobody hears
        announcements.announced(plan, now)
    title = f"{drift['action']} after {drift['verdict']} in {drift['period']}"
    notice("drift", title, {"why": str(drift["why"])})


def _markdown(drift: Mapping[str, Any]) -> str:
    """Return the comparison for Prefect's page of the run."""
    lines = [f"# {drift['verdict']}: {drift['action']}", "", str(drift["why"]), ""]
    lines += [f"Newest period {drift['period']}, {drift['n']:,} rows compared.", ""]
    if tests := drift["tests"][:SHOWN]:
        lines += ["| feature | test | effect | threshold | drifted |", "|---|---|---|---|---|"]
        lines += [
            f"| {test['feature']} | {test['name']} | {number(test['effect'])} "
            f"| {number(test['threshold'])} | {'yes' if test['drifted'] else 'no'} |"
            for test in tests
        ]
    return "\n".join([*lines, ""])


def main() -> int:
    """Run the flow, say what it found, and return the exit code."""

    def run() -> None:
        print(f"to be done: {monitoring()}")

    return entry.finish(run)


if __name__ == "__main__":
    sys.exit(main())
