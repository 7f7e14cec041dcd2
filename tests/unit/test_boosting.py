"""Boosting: the same bytes for any number of threads, and a stored booster is the booster."""

import numpy as np
import pytest
import xgboost

from perennial.core.model import boosting

from .planted import part

RECIPE = {"params": {"max_depth": 4, "subsample": 0.8, "colsample_bytree": 0.7}, "rounds": 12}
ROWS = part(20_000, seed=1)  # enough for XGBoost to split the sums of a node over threads


def test_the_bytes_are_the_same_for_any_number_of_threads() -> None:
    one, two = (
        boosting.fit(
            ROWS.features,
            ROWS.target,
            {**RECIPE, "params": {**RECIPE["params"], "nthread": threads}},
            seed=3,
        )
        for threads in (1, 2)
    )
    assert boosting.to_bytes(one) == boosting.to_bytes(two)


def test_another_seed_gives_another_booster() -> None:
    first, again, other = (
        boosting.to_bytes(boosting.fit(ROWS.features[:500], ROWS.target[:500], RECIPE, seed))
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_a_booster_comes_back_from_its_bytes() -> None:
    booster = boosting.fit(ROWS.features[:500], ROWS.target[:500], RECIPE, seed=3)
    content = boosting.to_bytes(booster)
    back = boosting.from_bytes(content)
    rows = boosting.matrix(ROWS.features[500:900])
    assert boosting.to_bytes(back) == content
    assert np.array_equal(boosting.margin(back, rows), boosting.margin(booster, rows))


def test_contributions_equal_xgboosts_own() -> None:
    booster = boosting.fit(ROWS.features[:500], ROWS.target[:500], RECIPE, seed=3)
    rows = ROWS.features[500:600]
    values, base = boosting.contributions(booster, rows)
    expected = booster.predict(boosting.matrix(rows), pred_contribs=True)
    assert values == pytest.approx(expected[:, :-1], abs=1e-4)
    assert base == pytest.approx(expected[0, -1], abs=1e-4)


def test_a_fold_stops_early_and_states_the_margins_of_its_best_round() -> None:
    train = boosting.matrix(ROWS.features[:400], ROWS.target[:400])
    valid = boosting.matrix(ROWS.features[400:800], ROWS.target[400:800])
    params = {"max_depth": 6, "learning_rate": 0.5}
    margins, rounds = boosting.fit_fold(train, valid, params, 200, 5, seed=1, threads=1)
    assert 1 <= rounds < 100
    settings = {**boosting.FIXED, **params, "seed": 1}
    alone = xgboost.train(settings, train, rounds)
    assert margins == pytest.approx(alone.predict(valid, output_margin=True), abs=1e-6)
    losses = [
        np.logaddexp(0, -(2 * valid.get_label() - 1) * m).mean()
        for m in (
            alone.predict(valid, iteration_range=(0, r), output_margin=True)
            for r in range(1, rounds + 1)
        )
    ]
    assert int(np.argmin(losses)) + 1 == rounds


def test_integer_weights_are_repeated_rows() -> None:
    """But for the bins of numbers, which see weights and rows a little differently."""
    weight = np.random.default_rng(0).integers(1, 4, 500)
    again = np.repeat(np.arange(500), weight)
    recipe = {"params": {"max_depth": 3, "max_bin": 1024}, "rounds": 5}
    rows, target = ROWS.features[:500], ROWS.target[:500]
    weighted = boosting.fit(rows, target, recipe, 1, weight.astype("float64"))
    repeated = boosting.fit(rows.iloc[again], target[again], recipe, 1)
    asked = boosting.matrix(ROWS.features[500:900])
    found, expected = (boosting.margin(b, asked) for b in (weighted, repeated))
    assert np.corrcoef(found, expected)[0, 1] > 0.99
