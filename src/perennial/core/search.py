"""The search for hyperparameters: what is compared out of fold, and what is chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from perennial.core.dataset.part import Part, evenly
from perennial.core.model import boosting, kinds, linear
from perennial.errors import InputError
from perennial.params.search import Kind

# Keys are stratified one by one, in half a minute a million rows; of more rows than this, each fold
# has its share of the classes by chance alone.
STRATIFIED = 100_000


@dataclass(frozen=True)
class Task:
    """One fit of one fold: what a worker is asked for.

    `early_stopping_rounds` of 0 means that all `max_rounds` are fitted.
    """

    params: Mapping[str, Any]
    max_rounds: int
    early_stopping_rounds: int
    fold: int


@dataclass(frozen=True)
class Shared:
    """What all fits of a search share: a worker is given it once.

    `folds` has the validation rows of each fold that is fitted; `threads` are a fit's, None where
    the engine says.
    """

    features: pd.DataFrame
    target: np.ndarray
    folds: Sequence[np.ndarray]
    seed: int
    threads: int | None = None
    device: str = boosting.CPU

    def fit(self, task: Task) -> tuple[np.ndarray, int]:
        """Fit one task; return the validation rows' margins, float32, and the rounds used."""
        held = np.zeros(len(self.target), dtype=bool)
        held[self.folds[task.fold]] = True
        return boosting.fit_fold(
            boosting.matrix(self.features[~held], self.target[~held]),
            boosting.matrix(self.features[held], self.target[held]),
            task.params,
            task.max_rounds,
            task.early_stopping_rounds,
            self.seed,
            self.threads or 0,  # 0: as many as there are
            self.device,
        )


@dataclass(frozen=True)
class Trial:
    """A finished trial: its margins (None if pruned) of the rows of `out_of`, and its rounds.

    `params` are the point of the space that was searched, `kind` is what was made of it.
    """

    number: int
    params: Mapping[str, Any]
    loss: float
    rounds: tuple[int, ...]
    margins: np.ndarray | None
    kind: Kind = "depthwise"


def sampled(train: Part, at_most: int) -> Part:
    """Return at most so many of the rows, evenly spaced over all: every period keeps its share."""
    rows = len(train.target)
    return train if rows <= at_most else train.take(evenly(rows, at_most))


def with_rounds(recipe: Mapping[str, Any], factor: float, at_most: int) -> dict[str, Any]:
    """Return a recipe whose members have so many times their rounds, never fewer, and at most so
    many: what a search on a part of the rows found, for all of them."""
    members = [
        {
            **member,
            "rounds": max(member["rounds"], min(at_most, round(member["rounds"] * factor))),
        }
        for member in recipe["members"]
    ]
    return {**recipe, "members": members}


def make_folds(train: Part, count: int, seed: int) -> list[np.ndarray]:
    """Return the validation rows of each stratified fold, shuffled by `seed`.

    Rows of one key are in one fold, or a model that knows a person again would be taken for good.

    Raises:
        InputError: one class only, or fewer rows of a class, or fewer keys, than folds; or keys
            that leave a fold, or all others, without a class.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

    target, key = train.target, train.key

    fewest = min(int((target == 1).sum()), int((target == 0).sum()))
    if fewest < count:
        raise InputError(
            f"the training rows have {fewest} of the rarer class, fewer than the {count} folds",
            "Train on periods with both classes, or lower search.folds.",
        )
    if key is None:
        split = StratifiedKFold(count, shuffle=True, random_state=seed)
    elif (keys := len(np.unique(key))) < count:
        raise InputError(
            f"the training rows are of {keys} values of split.key, fewer than the {count} folds",
            "Train on more periods, or lower search.folds.",
        )
    else:
        of_groups = StratifiedGroupKFold if len(target) <= STRATIFIED else GroupKFold
        split = of_groups(count, shuffle=True, random_state=seed)
    folds = [valid for _, valid in split.split(np.zeros(len(target)), target, key)]
    positives = [int(target[valid].sum()) for valid in folds]
    for valid, inside in zip(folds, positives, strict=True):
        outside = sum(positives) - inside
        if inside in (0, len(valid)) or outside in (0, len(target) - len(valid)):
            raise InputError(
                "rows of one value of split.key stay together, and so many rows of a class are of "
                f"so few values that not each of the {count} folds has both classes",
                "Train on periods with more values of split.key, or lower search.folds.",
            )
    return folds


def out_of(folds: Sequence[np.ndarray]) -> np.ndarray:
    """Return the rows that models are compared on: those of all folds, in order."""
    return np.sort(np.concatenate(folds))


def in_order(folds: Sequence[np.ndarray], margins: Sequence[np.ndarray]) -> np.ndarray:
    """Return the margins of each fold's rows as one, in the order of `out_of`; float64."""
    together = np.concatenate(margins).astype("float64")
    return together[np.argsort(np.concatenate(folds), kind="stable")]


def logistic_margins(
    features: pd.DataFrame, target: np.ndarray, folds: Sequence[np.ndarray]
) -> np.ndarray:
    """Return logistic regression's margins of the rows of `out_of`."""
    margins = []
    for valid in folds:
        rest = np.setdiff1d(np.arange(len(target)), valid)
        model = linear.fit(features.iloc[rest], target[rest])
        margins.append(model.margin(features.iloc[valid]))
    return in_order(folds, margins)


def log_loss(target: np.ndarray, margin: np.ndarray) -> float:
    """Return the mean log loss of log odds, computed without overflow."""
    return float(row_log_loss(target, margin).mean())


def row_log_loss(target: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Return each row's log loss of its log odds, shape (rows,)."""
    return np.logaddexp(0.0, np.where(target == 1, -margin, margin))


def choose(
    target: np.ndarray,
    trials: Sequence[Trial],
    logistic: np.ndarray,
    default: np.ndarray,
    largest: int,
    standard_errors: float,
    learning_rate: float,
    composed: Literal["best", "greedy"] = "best",
) -> dict[str, Any]:
    """Choose the simplest model whose loss out of fold can't be told from the best one's.

    From simple to complex: logistic regression, default XGBoost, the best trial, the mean of
    trials (as many, up to `largest`, as are best together). These are the best ones, or what
    `draw` draws. "Can't be told" is the standard error rule of Breiman et al. (1984), on the rows'
    paired differences of log loss.

    Returns:
        `recipe` (what `train` fits), `chosen`, and under `out_of_fold` the log loss of each with
        its excess over the best and the excess's standard error.
    """
    ranked = sorted((t for t in trials if t.margins is not None), key=lambda t: (t.loss, t.number))
    if composed == "greedy":
        ranked = [ranked[place] for place in draw(target, [t.margins for t in ranked], largest)]
    margins = np.array([t.margins for t in ranked[:largest]])
    together = [log_loss(target, margins[:k].mean(axis=0)) for k in range(1, len(margins) + 1)]
    size = int(np.argmin(together)) + 1
    rows = {
        "logistic": row_log_loss(target, logistic),
        "default": row_log_loss(target, default),
        "tuned": row_log_loss(target, margins[0]),
        "ensemble": row_log_loss(target, margins[:size].mean(axis=0)),
    }
    best = min(rows.values(), key=lambda loss: float(loss.mean()))
    compared = {name: _excess(loss, best) for name, loss in rows.items()}
    chosen = next(
        name
        for name, found in compared.items()
        if found["excess"] <= standard_errors * found["standard_error"]
    )
    # each time with other seeds: the log loss of a mean of fits is at most the mean of theirs
    again = largest // size if composed == "greedy" else 1
    fitted = {"tuned": ranked[:1], "ensemble": ranked[:size] * again}.get(chosen, [])
    members = [_member(trial, learning_rate) for trial in fitted]
    if chosen == "default":
        members = [boosting.DEFAULT]
    kind = "logistic" if chosen == "logistic" else "xgboost"
    return {
        "chosen": chosen,
        "recipe": {"kind": kind, "members": members},
        "out_of_fold": compared,
        "ensemble_sizes": {str(k): loss for k, loss in enumerate(together, start=1)},
    }


def draw(target: np.ndarray, margins: Sequence[Any], draws: int) -> list[int]:
    """Draw models one by one, each the one that makes the mean of all drawn best: greedy ensemble
    selection with replacement (Caruana, Niculescu-Mizil, Crew, Ksikes 2004), on log loss.

    A model that is drawn twice weighs twice as much. The first of equals is drawn, so that the
    result depends on nothing but what is given.

    Args:
        target: 0 or 1, shape (rows,).
        margins: Each model's log odds out of fold, of shape (rows,).
        draws: How many are drawn.
    """
    total, drawn = np.zeros(len(target)), []
    for count in range(1, draws + 1):
        losses = [log_loss(target, (total + margin) / count) for margin in margins]
        drawn.append(int(np.argmin(losses)))
        total += margins[drawn[-1]]
    return drawn


def _excess(loss: np.ndarray, best: np.ndarray) -> dict[str, float]:
    difference = loss - best
    return {
        "log_loss": float(loss.mean()),
        "excess": float(difference.mean()),
        "standard_error": float(difference.std(ddof=1) / np.sqrt(len(difference))),
    }


def _member(trial: Trial, learning_rate: float) -> dict[str, Any]:
    params = {**kinds.parameters(trial.kind, trial.params), "learning_rate": learning_rate}
    return {"params": params, "rounds": int(np.ceil(np.mean(trial.rounds)))}
