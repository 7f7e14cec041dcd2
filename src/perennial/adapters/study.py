"""Optuna: asks for rounds of trials and is told their losses in order.

The study lives in memory and is run anew each time; what survives a kill are the finished fits,
kept by content (`Memo`). The same asks then meet the same answers, so a search that was killed
ends with the planned trials and the bytes of an undisturbed one, whatever the number of workers
(docs/decisions/0002-search-survives-by-memo.md).
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from perennial.adapters import files
from perennial.core.model import kinds
from perennial.core.search import Task, Trial, in_order, log_loss
from perennial.params.search import Kind, Search

if TYPE_CHECKING:
    import optuna

Fit = tuple[np.ndarray, int]
Point = tuple[Kind, dict[str, Any]]


class Memo:
    """Finished fits by content: the task, in a folder named by what it was fitted on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, task: Task) -> Path:
        return self.folder / f"{files.digest_of(vars(task))}.npz"

    def get(self, task: Task) -> Fit | None:
        """Return a fit that was finished before, or None."""
        path = self._path(task)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as kept:
                return kept["margins"], int(kept["rounds"])
        except Exception:  # a torn file fails in many ways, and all mean the same: fit it again
            return None

    def put(self, task: Task, fit: Fit) -> None:
        """Keep a finished fit."""
        with files.replacing(self._path(task)) as temporary, temporary.open("wb") as file:
            np.savez(file, margins=fit[0], rounds=fit[1])


def search(
    settings: Search,
    target: np.ndarray,
    folds: Sequence[np.ndarray],
    seed: int,
    evaluate: Callable[[list[Task]], list[Fit]],
) -> Iterator[Trial]:
    """Yield `settings.trials` finished trials, in order of number.

    A round's trials are asked before any is told; after each fold the hopeless ones are pruned by
    Optuna's median rule over the trials of earlier rounds. Of one fold, nothing is pruned.

    Args:
        settings: The group `search`.
        target: 0 or 1, shape (rows,).
        folds: The validation rows of each fold that is fitted.
        seed: Of Optuna's TPE sampler.
        evaluate: Fits tasks, in any order, and returns the fits in the order of the tasks.
    """
    study = _study(settings, seed)
    for first in range(0, settings.trials, settings.trials_per_round):
        size = min(settings.trials_per_round, settings.trials - first)
        asked = [study.ask() for _ in range(size)]
        points = {trial.number: _suggest(trial, settings) for trial in asked}
        fits: dict[int, list[Fit]] = {trial.number: [] for trial in asked}
        alive = asked
        for fold, valid in enumerate(folds):
            tasks = [_task(settings, points[trial.number], fold) for trial in alive]
            for trial, fit in zip(alive, evaluate(tasks), strict=True):
                fits[trial.number].append(fit)
                trial.report(log_loss(target[valid], fit[0]), fold)
            if fold < len(folds) - 1:
                alive = [trial for trial in alive if not trial.should_prune()]
        for trial in asked:
            number = trial.number
            finished = _finished(number, points[number], fits[number], target, folds)
            _tell(study, trial, finished)
            yield finished


def plots(settings: Search, trials: Sequence[Trial], folder: Path) -> None:
    """Draw the search's history and what mattered in it, with Optuna's own plots."""
    import matplotlib as mpl
    import optuna

    mpl.use("Agg")
    from matplotlib import pyplot

    study = optuna.create_study(direction="minimize")
    study.add_trials([_frozen(settings, trial) for trial in trials if trial.margins is not None])
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Callable[[], Any]] = {
        "history": lambda: optuna.visualization.matplotlib.plot_optimization_history(
            study, target_name="log loss out of fold"
        ),
    }
    if len(study.trials) > len(kinds.SOUND):
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        drawn["importances"] = lambda: optuna.visualization.matplotlib.plot_param_importances(
            study, evaluator=evaluator
        )
    for name, draw in drawn.items():
        with warnings.catch_warnings():
            # its Matplotlib plots have been "experimental" since 2020; no user can act on that
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            draw()
        with files.replacing(folder / f"{name}.png") as temporary:
            pyplot.savefig(temporary, dpi=100, bbox_inches="tight", metadata={"Software": None})
        pyplot.close("all")


def _study(settings: Search, seed: int) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # what it starts with is not pruned: a little worse alone, it may be what completes the others
    starts = kinds.starts(settings.kinds)
    study = optuna.create_study(
        direction="minimize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=max(settings.trials_per_round, len(starts))
        ),
    )
    ranges = {name: getattr(settings.space, name) for name in kinds.SOUND}
    for kind, point in starts:  # pulled into the user's ranges
        inside = {n: min(max(point[n], low), high) for n, (low, high) in ranges.items()}
        study.enqueue_trial({"kind": kind, **inside})
    return study


def _suggest(trial: "optuna.Trial", settings: Search) -> Point:
    space, kind = settings.space, settings.kinds[0]
    if len(settings.kinds) > 1:  # all have the same six numbers, so that one sampler learns of all
        kind = cast("Kind", trial.suggest_categorical("kind", settings.kinds))
    return kind, {
        "max_depth": trial.suggest_int("max_depth", *space.max_depth),
        "min_child_weight": trial.suggest_float(
            "min_child_weight", *space.min_child_weight, log=True
        ),
        "subsample": trial.suggest_float("subsample", *space.subsample),
        "colsample_bytree": trial.suggest_float("colsample_bytree", *space.colsample_bytree),
        "reg_lambda": trial.suggest_float("reg_lambda", *space.reg_lambda, log=True),
        "reg_alpha": trial.suggest_float("reg_alpha", *space.reg_alpha, log=True),
    }


def _task(settings: Search, point: Point, fold: int) -> Task:
    return Task(
        {**kinds.parameters(*point), "learning_rate": settings.learning_rate},
        settings.max_rounds,
        settings.early_stopping_rounds,
        fold,
    )


def _finished(
    number: int,
    point: Point,
    fits: Sequence[Fit],
    target: np.ndarray,
    folds: Sequence[np.ndarray],
) -> Trial:
    kind, params = point
    rounds = tuple(fit[1] for fit in fits)
    seen = np.concatenate(folds[: len(fits)])
    margins = [fit[0] for fit in fits]
    loss = log_loss(target[seen], np.concatenate(margins))
    if len(fits) < len(folds):
        return Trial(number, params, loss, rounds, None, kind)
    return Trial(number, params, loss, rounds, in_order(folds, margins), kind)


def _tell(study: "optuna.Study", trial: "optuna.Trial", finished: Trial) -> None:
    import optuna

    if finished.margins is None:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, finished.loss)


def _frozen(settings: Search, trial: Trial) -> "optuna.trial.FrozenTrial":
    import optuna

    space = settings.space
    distributions: dict[str, Any] = {
        name: optuna.distributions.FloatDistribution(*getattr(space, name)) for name in trial.params
    }
    distributions["max_depth"] = optuna.distributions.IntDistribution(*space.max_depth)
    params = dict(trial.params)
    if len(settings.kinds) > 1:
        params["kind"] = trial.kind
        distributions["kind"] = optuna.distributions.CategoricalDistribution(settings.kinds)
    return optuna.trial.create_trial(params=params, distributions=distributions, value=trial.loss)
