"""`perennial replay`: every past period arrives in turn, under each policy, with the DAG's code."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import files, pages, replay_plots
from perennial.adapters.engine import processors
from perennial.adapters.files.configuration import read_params
from perennial.commands import replaying
from perennial.commands.past import past
from perennial.commands.replaying import State, Step
from perennial.core.replay import rules
from perennial.core.replay.rules import Rule
from perennial.errors import InputError
from perennial.params import Params

if TYPE_CHECKING:
    from perennial.core.replay.summary import Scored

QUICK = ("never", "drift", "always")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Replayed:
    """What each policy did, period by period; `report` is reports/replay.json."""

    report: dict[str, Any]
    written: bool


def replay(quick: bool, only: Sequence[str], start: str | None, progress: Progress) -> Replayed:
    """Replay the policies; write report, picture and page, unless only some were asked for.

    Args:
        quick: Compare never, drift and always only, with one round of trials a search.
        only: These policies; all, if none is named.
        start: The last period of the bootstrap, in place of `replay.start`.
        progress: Told how many steps are done, of how many.

    Raises:
        InputError: a policy or a period is unknown, or there are too few periods.
    """
    params = read_params()
    if quick:
        search = params.search.model_copy(update={"trials": params.search.trials_per_round})
        params = params.model_copy(update={"search": search})
    wanted = _wanted(quick, only, params)
    first, periods = _periods(start, params)
    steps = run(wanted, first, periods, params, progress)
    report = {"quick": quick, **_report(steps, first, periods, params)}
    if not only:
        files.write_json(paths.REPLAY_REPORT, report)
        replay_plots.replay(paths.REPLAY_PICTURE, report)
        pages.write_replay(paths.REPLAY_PAGE, report, paths.REPLAY_PICTURE.read_bytes())
    return Replayed(report, not only)


def _wanted(quick: bool, only: Sequence[str], params: Params) -> list[Rule]:
    if only:
        return [rules.parse(name) for name in dict.fromkeys(only)]
    if quick:
        return [rules.parse(name) for name in QUICK]
    return rules.compared(params.replay.scheduled)


def _periods(start: str | None, params: Params) -> tuple[str, list[str]]:
    """Return the last period of the bootstrap and the periods that are replayed.

    Raises:
        InputError: there is no such period, or none after it.
    """
    if params.split.kind != "time":
        raise InputError(
            f"split.kind is {params.split.kind}, and a replay goes through periods in time",
            "Set split.kind to time.",
        )
    every = [ref["period"] for ref in past(params).accepted]
    first = start or params.replay.start or _earliest(params)
    if first not in every:
        raise InputError(
            f"{first}: no such period among {every[0]} to {every[-1]}",
            "Name one with --from, or in replay.start of params.yaml.",
        )
    later = [period for period in every if period > first]
    if not later:
        raise InputError(
            f"{first}: no period is later, so there is nothing to replay",
            "Name an earlier one, or add batches.",
        )
    return first, later


def _earliest(params: Params) -> str:
    """Return the first period that leaves as much to train on as calibrates and is held out."""
    split, total = params.split, 0
    for ref in past(params).labelled:
        total += ref["rows"]
        if total >= 2 * (split.calibration_rows + split.holdout_rows):
            return ref["period"]
    raise InputError(
        f"{total:,} labelled rows: too few to calibrate on {split.calibration_rows:,}, hold out "
        f"{split.holdout_rows:,} and train on as many",
        "Add batches, or lower split.calibration_rows and split.holdout_rows.",
    )


def run(
    wanted: Sequence[Rule], first: str, periods: Sequence[str], params: Params, progress: Progress
) -> dict[str, list[Step]]:
    """Replay the policies side by side; a policy's next period starts when its last one is done."""
    total = len(wanted) * len(periods)
    progress(0, total)
    os.environ["OMP_NUM_THREADS"] = "1"  # two that share two processors wait for each other
    with ProcessPoolExecutor(processors.count(), get_context("spawn")) as pool:
        begun: State = pool.submit(replaying.bootstrap, params, first).result()
        steps: dict[str, list[Step]] = {rule.name: [] for rule in wanted}

        def submit(rule: Rule, state: State) -> "Future[Step]":
            number = len(steps[rule.name]) + 1
            period = periods[number - 1]
            return pool.submit(replaying.step, rule, state, number, period, params)

        running = {submit(rule, begun): rule for rule in wanted}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                rule, step = running.pop(future), future.result()
                steps[rule.name].append(step)
                if len(steps[rule.name]) < len(periods):
                    running[submit(rule, step.state)] = rule
            progress(sum(map(len, steps.values())), total)
    return steps


def _report(
    steps: Mapping[str, list[Step]], first: str, periods: Sequence[str], params: Params
) -> dict[str, Any]:
    from perennial.core.replay import summary

    scored = {name: scores(taken, params) for name, taken in steps.items()}
    settings = params.evaluation
    drawn = (settings.confidence, settings.replicates, params.seed)
    labelled = [step.record["period"] for step in next(iter(steps.values()))]
    middle = (len(labelled) + 1) // 2
    policies = [
        {
            "policy": name,
            **_counts([step.record for step in taken]),
            **summary.worth(scored[name], "all", *drawn),
            "ece": summary.calibration(scored[name], settings.bins),
            "halves": {
                half: {
                    **summary.worth(scored[name], half, *drawn),
                    **_counts([step.record for step in _half(taken, half, middle)]),
                }
                for half in ("first_half", "second_half")
            },
            "saved_against_never": (
                summary.saved(scored[name], scored["never"]) if "never" in scored else None
            ),
            "periods": [step.record for step in taken],
        }
        for name, taken in steps.items()
    ]
    return {
        "schema_version": 1,
        "bootstrap": first,
        "first": periods[0],
        "last": periods[-1],
        "second_half": periods[middle] if middle < len(periods) else None,
        "confidence": settings.confidence,
        "policies": policies,
        "differences": summary.table(scored, *drawn),
    }


def _half(steps: Sequence[Step], half: str, middle: int) -> Sequence[Step]:
    return steps[:middle] if half == "first_half" else steps[middle:]


def _counts(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how often a policy challenged the champion, how that ended and what it cost."""
    ended = [record["verdict"] for record in records if record["verdict"] is not None]
    return {
        "retrainings": len(ended),
        "searches": sum(r["action"] == "retune" and r["verdict"] is not None for r in records),
        "promotions": ended.count("promote"),
        "blocked": ended.count("block"),
        "seconds": round(sum(record["seconds"] for record in records), 1),
    }


def scores(steps: Sequence[Step], params: Params) -> "Scored":
    """Return a policy's probabilities of every labelled period, with the targets."""
    import numpy as np

    from perennial.core.replay.summary import Scored

    known = past(params)
    refs = {ref["period"]: ref for ref in known.labelled}
    pairs = [
        (known.read([refs[step.record["period"]]])[1], np.load(step.scores))
        for step in steps
        if step.record["period"] in refs
    ]
    return Scored([y for y, _ in pairs if y is not None], [p for _, p in pairs])
