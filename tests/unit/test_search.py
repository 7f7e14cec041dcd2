"""The search: folds, losses out of fold, and the simplest model as good as the best."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

from perennial.core import search
from perennial.core.model import boosting, kinds, linear
from perennial.core.search import Trial

from .planted import part

TARGET = np.random.default_rng(0).integers(0, 2, 2000)
NOISE = np.random.default_rng(1).normal(size=(8, 2000))


def margins(signal: float, noise: int) -> np.ndarray:
    """Log odds that are right by `signal`, with noise of their own."""
    return signal * (2 * TARGET - 1) + NOISE[noise]


def trial(number: int, found: np.ndarray | None, rounds: tuple[int, ...] = (10, 13)) -> Trial:
    loss = 0.9 if found is None else search.log_loss(TARGET, found)
    return Trial(number, {"max_depth": number}, loss, rounds, found)


def choose(
    trials: list[Trial],
    logistic: np.ndarray,
    default: np.ndarray,
    largest: int = 3,
    standard_errors: float = 1.0,
    composed: Any = "best",
) -> dict[str, Any]:
    return search.choose(TARGET, trials, logistic, default, largest, standard_errors, 0.1, composed)


# losses


def test_log_loss_of_log_odds_equals_scikit_learns() -> None:
    odds = margins(0.5, 0)
    expected = log_loss(TARGET, 1 / (1 + np.exp(-odds)))
    assert search.log_loss(TARGET, odds) == pytest.approx(expected, abs=1e-12)


def test_log_loss_of_far_log_odds_does_not_overflow() -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss = search.row_log_loss(np.array([1, 0, 1, 0]), np.array([-1e4, 1e4, 1e4, -1e4]))
    assert loss == pytest.approx([1e4, 1e4, 0, 0])


def test_logistic_margins_are_those_of_models_that_did_not_see_the_row() -> None:
    rows = part(300, seed=1)
    folds = search.make_folds(rows, 3, seed=1)
    found = search.logistic_margins(rows.features, rows.target, folds)
    for fold in folds:
        rest = np.setdiff1d(np.arange(300), fold)
        model = linear.fit(rows.features.iloc[rest], rows.target[rest])
        assert np.array_equal(found[fold], model.margin(rows.features.iloc[fold]))
    turned = rows.target.copy()
    turned[folds[0]] = 1 - turned[folds[0]]
    again = search.logistic_margins(rows.features, turned, folds)
    assert np.array_equal(again[folds[0]], found[folds[0]])


def test_a_task_without_early_stopping_fits_all_its_rounds() -> None:
    rows = part(300, seed=1)
    folds = search.make_folds(rows, 3, seed=1)
    shared = search.Shared(rows.features, rows.target, folds, seed=1, threads=1)
    task = search.Task({"learning_rate": 1.0, "max_depth": 6}, 30, 0, 0)
    _, stopped = shared.fit(search.Task(task.params, 30, 2, 0))
    assert stopped < 30
    margin, rounds = shared.fit(task)
    assert margin.shape == folds[0].shape
    assert rounds == 30


def test_the_default_is_judged_by_the_rounds_that_it_is_fitted_with() -> None:
    rows = part(400, seed=1)
    folds = search.make_folds(rows, 3, seed=1)
    fold = folds[0]
    recipe: Any = boosting.DEFAULT
    task = search.Task(recipe["params"], recipe["rounds"], 0, 0)
    shared = search.Shared(rows.features, rows.target, folds, seed=1, threads=1)
    found, rounds = shared.fit(task)
    rest = np.setdiff1d(np.arange(400), fold)
    fitted = boosting.fit(rows.features.iloc[rest], rows.target[rest], recipe, 1)
    expected = boosting.margin(fitted, boosting.matrix(rows.features.iloc[fold]))
    assert rounds == recipe["rounds"]
    assert found == pytest.approx(expected, abs=1e-5)


def test_more_rounds_are_never_fewer_and_never_more_than_the_bound() -> None:
    members = [{"params": {"max_depth": n}, "rounds": n} for n in (10, 30, 90)]
    recipe = {"kind": "xgboost", "members": members}
    more = search.with_rounds(recipe, 2.05, at_most=60)
    assert [member["rounds"] for member in more["members"]] == [20, 60, 90]
    assert [member["params"] for member in more["members"]] == [m["params"] for m in members]
    assert [member["rounds"] for member in recipe["members"]] == [10, 30, 90]


# the choice


def test_logistic_regression_is_chosen_where_it_cannot_be_told_from_the_best() -> None:
    best = margins(1.0, 0)
    found = choose([trial(0, best)], best + 0.01 * NOISE[3], margins(0.5, 4))
    assert found["chosen"] == "logistic"
    assert found["recipe"] == {"kind": "logistic", "members": []}


def test_default_xgboost_is_chosen_before_a_tuned_one_that_is_no_better() -> None:
    best = margins(1.0, 0)
    found = choose([trial(0, best)], margins(0.2, 1), best + 0.01 * NOISE[3])
    assert found["chosen"] == "default"
    assert found["recipe"] == {"kind": "xgboost", "members": [boosting.DEFAULT]}


def test_the_best_trial_is_chosen_where_simple_models_are_worse_and_more_do_not_help() -> None:
    trials = [trial(0, margins(0.3, 0)), trial(7, margins(1.5, 1) / 2), trial(2, None)]
    found = choose(trials, margins(0.1, 2), margins(0.2, 3))
    assert found["chosen"] == "tuned"
    assert found["recipe"]["members"] == [
        {"params": {"max_depth": 7, "learning_rate": 0.1}, "rounds": 12}  # 11.5, rounded up
    ]


def test_an_ensemble_is_chosen_where_averaging_is_better() -> None:
    trials = [trial(i, margins(1.0, i)) for i in range(4)]
    found = choose(trials, margins(0.1, 6), margins(0.1, 7))
    assert found["chosen"] == "ensemble"
    assert len(found["recipe"]["members"]) == 3  # as many as are allowed
    losses = [found["ensemble_sizes"][k] for k in ("1", "2", "3")]
    assert losses == sorted(losses, reverse=True)
    used = {member["params"]["max_depth"] for member in found["recipe"]["members"]}
    ranked = sorted(trials, key=lambda t: t.loss)
    assert used == {t.number for t in ranked[:3]}


def test_greedy_draws_what_completes_the_others_and_not_the_second_best() -> None:
    """Two that err alike, and a worse one that errs elsewhere."""
    best, like_it, other = margins(1.0, 0), margins(1.0, 0) * 1.001 + 0.01, margins(0.8, 1)
    trials = [trial(0, best), trial(1, like_it), trial(2, other)]
    ranked = sorted(trials, key=lambda t: t.loss)
    assert ranked[2].number == 2
    found = choose(trials, margins(0.1, 6), margins(0.1, 7), 2, composed="greedy")
    used = [member["params"]["max_depth"] for member in found["recipe"]["members"]]
    assert used == [ranked[0].number, 2]


def test_greedy_weighs_by_drawing_again() -> None:
    good, poor = margins(1.5, 0), margins(1.2, 1)
    drawn = search.draw(TARGET, [poor, good], 5)
    assert drawn[0] == 1
    assert 1 <= drawn.count(0) < drawn.count(1)
    means = [np.mean([[poor, good][d] for d in drawn[:k]], axis=0) for k in (1, 2, 3)]
    again = [search.log_loss(TARGET, (2 * means[1] + other) / 3) for other in (poor, good)]
    assert drawn[2] == int(np.argmin(again))  # each draw is the best given those before it


def test_greedy_draws_the_first_of_equals() -> None:
    same = margins(1.0, 0)
    assert search.draw(TARGET, [same, same, same], 3) == [0, 0, 0]


def test_what_is_drawn_is_fitted_again_while_there_is_room_but_not_beyond() -> None:
    trials = [trial(i, margins(1.0, i)) for i in range(2)]
    found = choose(trials, margins(0.1, 6), margins(0.1, 7), 7, composed="greedy")
    assert found["chosen"] == "ensemble"
    size = min(found["ensemble_sizes"], key=lambda k: found["ensemble_sizes"][k])
    members = found["recipe"]["members"]
    assert len(members) == 7 // int(size) * int(size)
    assert members[: int(size)] == members[int(size) : 2 * int(size)] or int(size) > 3


def test_greedy_is_no_worse_out_of_fold_than_the_mean_of_the_best() -> None:
    trials = [trial(i, margins(1.0 - 0.1 * i, i)) for i in range(5)]
    by = {
        composed: choose(trials, margins(0.1, 6), margins(0.1, 7), 5, composed=composed)
        for composed in ("best", "greedy")
    }
    losses = {k: found["out_of_fold"]["ensemble"]["log_loss"] for k, found in by.items()}
    assert losses["greedy"] <= losses["best"] + 1e-4


def test_a_member_is_fitted_with_the_parameters_of_its_kind() -> None:
    leafwise = Trial(3, dict(kinds.SOUND), 0.1, (10, 12, 14), margins(2.0, 0), "leafwise")
    found = choose([leafwise], margins(0.1, 6), margins(0.1, 7))
    expected = {**kinds.parameters("leafwise", kinds.SOUND), "learning_rate": 0.1}
    assert found["recipe"]["members"] == [{"params": expected, "rounds": 12}]


def test_no_standard_errors_leave_only_the_best() -> None:
    best = margins(1.0, 0)
    found = choose([trial(0, best)], best + 0.01 * NOISE[3], margins(0.5, 4), standard_errors=0)
    smallest = min(found["out_of_fold"], key=lambda k: found["out_of_fold"][k]["log_loss"])
    assert found["out_of_fold"][found["chosen"]]["log_loss"] == pytest.approx(
        found["out_of_fold"][smallest]["log_loss"]
    )


def test_the_excess_over_the_best_is_paired_row_by_row() -> None:
    trials = [trial(0, margins(1.0, 0))]
    found = choose(trials, margins(0.2, 1), margins(0.3, 2))["out_of_fold"]
    losses = {
        name: search.row_log_loss(TARGET, m)
        for name, m in (("logistic", margins(0.2, 1)), ("tuned", margins(1.0, 0)))
    }
    gap = losses["logistic"] - losses["tuned"]
    assert found["tuned"]["excess"] == 0
    assert found["logistic"]["excess"] == pytest.approx(gap.mean())
    assert found["logistic"]["standard_error"] == pytest.approx(gap.std(ddof=1) / 2000**0.5)


def test_the_choice_does_not_depend_on_the_order_of_trials() -> None:
    trials = [trial(i, margins(1.0, i)) for i in range(4)]
    assert choose(trials, margins(0.1, 6), margins(0.1, 7)) == choose(
        trials[::-1], margins(0.1, 6), margins(0.1, 7)
    )


def test_a_sample_is_spread_evenly_over_the_rows_and_few_rows_are_all_there() -> None:
    rows = replace(part(1000, 1), key=np.arange(1000) // 3)
    few = search.sampled(rows, 100)
    assert len(few.target) == len(few.features) == len(few.groups) == 100
    place = few.features.index.to_numpy()
    assert place[0] == 0
    assert place[-1] == 999
    assert set(np.diff(place)) <= {10, 11}
    assert (few.target == rows.target[place]).all()
    assert few.key is not None
    assert few.key.tolist() == (place // 3).tolist()
    assert search.sampled(rows, 1000) is rows
