"""The search for a recipe, remembered by content; tune calls it, and `perennial replay`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from perennial.adapters import study
from perennial.adapters.engine import processors, workers
from perennial.core import search as core
from perennial.core.dataset.part import Part
from perennial.core.model import boosting
from perennial.params.search import Search

Evaluate = Callable[[list[core.Task]], list[study.Fit]]
Fitter = Callable[[list[core.Task]], Iterable[study.Fit]]


def search(
    train: Part,
    seed: int,
    settings: Search,
    memo: Path,
    processes: int | None = None,
    threads: int | None = None,
    device: str = boosting.CPU,
    watch: Callable[[Iterator[core.Trial]], Iterable[core.Trial]] = iter,
    fitting: Callable[..., AbstractContextManager[Fitter]] = workers.fitting,
) -> tuple[dict[str, Any], list[core.Trial]]:
    """Return what is chosen, its recipe with it, and the trials. The same, however it is run.

    Args:
        train: The training rows. Where they are more than `settings.max_rows`, a trial is fitted
            once, on all but one fold of twice as many, which is said under `sample`, with how many
            times the `rounds` all bear.
        seed: Of folds, sampler and fits.
        settings: The group `search`.
        memo: A folder named by all that a fit depends on besides its task; finished fits are kept
            there, so that a search that was killed goes on.
        processes: How many fit at once; without it, as many as the machine is to have.
        threads: Of each process.
        device: That XGBoost fits on.
        watch: Passes the trials on as they finish.
        fitting: Where fits are done: processes of this machine, or a cluster (`engine.fits`).
    """
    every = len(train.target)
    abound = every > settings.max_rows
    whole, train = train, core.sampled(train, 2 * settings.max_rows if abound else every)
    rows = len(train.target)
    if device != boosting.CPU:
        memo = memo / device
    on_all = memo
    if rows < every:
        memo = memo / f"{rows}-rows"

    def shared_of(part: Part) -> core.Shared:
        # where rows abound, more of them to fit on are worth more than more folds
        folds = core.make_folds(part, settings.folds, seed)[: 1 if abound else None]
        return core.Shared(part.features, part.target, folds, seed, threads, device)

    shared = shared_of(train)
    folds = shared.folds
    with fitting(shared, processes or processors.count()) as fit:
        evaluate = _remembering(study.Memo(memo), fit)
        default = _default_margins(evaluate, folds)
        found = study.search(settings, train.target, folds, seed, evaluate)
        trials = list(watch(found))
    judged = core.out_of(folds)
    choice = core.choose(
        train.target[judged],
        trials,
        core.logistic_margins(train.features, train.target, folds),
        default,
        settings.ensemble,
        settings.simpler_within_errors,
        settings.learning_rate,
        settings.composed,
    )
    if abound:
        choice["sample"] = {"rows": rows, "of": every, "judged": len(judged)}
        if rows < every and choice["chosen"] in ("tuned", "ensemble"):
            with fitting(shared_of(whole), 1) as fit:
                _teach_all(choice, _remembering(study.Memo(on_all), fit), settings)
    return choice, trials


def _teach_all(choice: dict[str, Any], evaluate: Evaluate, settings: Search) -> None:
    """Give what was found on a part of the rows as many rounds more as all of them bear.

    How many is measured on the best trial: it is fitted on all rows but a fold, which says when to
    stop.
    """
    best = choice["recipe"]["members"][0]
    stop = settings.early_stopping_rounds
    ((_, rounds),) = evaluate([core.Task(best["params"], settings.max_rounds, stop, 0)])
    factor = max(1.0, round(rounds / best["rounds"], 3))
    choice["sample"]["rounds"] = factor
    choice["recipe"] = core.with_rounds(choice["recipe"], factor, settings.max_rounds)


def _remembering(memo: study.Memo, fit: Fitter) -> Evaluate:
    """Return `fit` with a memory: what was finished before a kill is not fitted again."""

    def evaluate(tasks: list[core.Task]) -> list[study.Fit]:
        known = [memo.get(task) for task in tasks]
        new = [task for task, found in zip(tasks, known, strict=True) if found is None]
        fits, found = iter(fit(new)), []
        for task, kept in zip(tasks, known, strict=True):
            result = kept or next(fits)
            if kept is None:
                memo.put(task, result)  # as it comes: a kill loses what is not finished, no more
            found.append(result)
        return found

    return evaluate


def _default_margins(evaluate: Evaluate, folds: Sequence[np.ndarray]) -> np.ndarray:
    recipe: Any = boosting.DEFAULT
    tasks = [core.Task(recipe["params"], recipe["rounds"], 0, fold) for fold in range(len(folds))]
    return core.in_order(folds, [margins for margins, _ in evaluate(tasks)])
