"""The training flow: the stages of dvc.yaml, as DVC orders them, each as a Prefect task.

DVC decides what is stale, so no task is cached here. `perennial run` starts this file; it can also
be started by itself (`python flows/training.py`) or deployed (prefect.yaml, flows/serving.py).
"""

import sys
from typing import Any

import entry

# isort: split
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact

import whereabouts
from notices import failure_told, notice
from perennial import paths
from perennial.adapters import dag, runlock
from perennial.adapters.bundles import champions
from perennial.commands import aliases, announcements, attempts, pending, requests
from perennial.commands.events import tell
from perennial.commands.markdown import markdown
from perennial.commands.promote import declined, promote
from perennial.commands.requests import Request
from perennial.commands.summary import optional
from perennial.errors import PerennialError
from steps import RETRIED, walk


@task(name="promote", **RETRIED)
def promotion() -> None:
    """Make the candidate champion."""
    done = promote()
    to = {"version": done.champion.version, "digest": done.champion.digest}
    tell("promoted", **{"from": done.before, "to": to})
    get_run_logger().info("champion is now version %s: %s", done.champion.version, done.why)
    before = f"version {done.before['version']}" if done.before else "nobody"
    facts = {"champion before": before, "digest": done.champion.digest[:12], "why": done.why}
    notice("promotion", f"{done.champion.model} version {done.champion.version}", facts)


@flow(name="training", result_serializer="json")  # it keeps what failed, by default as a pickle
def training(promoting: bool = True, request: Request = "none") -> str:
    """Bring every stage up to date; promote if the gate says so. Returns the verdict.

    Args:
        promoting: False to judge a candidate and leave the champion in charge, whatever comes.
        request: `retrain` (the champion's hyperparameters) or `retune` (a search) whatever drift
            says; `none` does what params.yaml and drift ask for.
    """
    whereabouts.note()
    try:
        with failure_told("training"), runlock.alone() as held:
            pending.finish()  # a promotion that was killed
            requests.restore()  # and a request
            verdict = _run(held, promoting, request)
    except dag.BlockedError:
        announcements.answer("answered")  # a verdict, if not one that anybody wanted
        raise
    except BaseException:
        announcements.answer("failed")
        raise
    announcements.answer("answered")
    return verdict


def _run(held: int, promoting: bool, request: Request) -> str:
    """Challenge the champion, then leave params.yaml and the tree as they are without a request."""
    before = champions.read()
    try:
        with requests.asked(request):
            verdict = _challenge(held, before, promoting)
    except PerennialError:
        if request != "none":
            _settle(held)
        raise
    if request != "none" or _digest(champions.read()) != _digest(before):
        walk(held)  # who was promoted is champion now: with this the DAG has converged
    return verdict


def _challenge(held: int, before: champions.Champion | None, promoting: bool) -> str:
    """Have a candidate made and judged, if the plan asks for one; act on the verdict."""
    try:
        walk(held)
    except dag.BlockedError:
        gate = optional(paths.GATE_REPORT)
        if gate.get("verdict") == "block":
            _judged(before)
            notice("block", str(gate.get("why")), _named(gate))
        raise
    verdict = _judged(before)
    why = declined() if verdict == "promote" and promoting else None
    if why is not None:
        tell("declined", why=why)
        get_run_logger().warning("not promoted: %s", why)
    if verdict == "promote" and promoting and why is None:
        promotion()
    elif before is not None:
        aliases.point(before)
    return verdict


def _digest(champion: champions.Champion | None) -> str | None:
    return champion.digest if champion else None


def _settle(held: int) -> None:
    """Walk once more, to where things stand without the request; what it failed of is raised."""
    try:
        walk(held)
    except PerennialError as error:
        get_run_logger().warning("the stages did not settle without the request: %s", error)


def _named(gate: dict[str, Any]) -> dict[str, str]:
    """Return the gates that block, each with why."""
    return {each["name"]: each["why"] for each in gate.get("gates", []) if each.get("blocks")}


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
    return entry.finish(lambda: training(promoting="--no-promote" not in sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
