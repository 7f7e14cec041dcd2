"""Logistic regression stored as numbers: it is scikit-learn's, and it explains itself."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from perennial.core.model import linear
from perennial.core.model.linear import Logistic

from .planted import part

TRAIN = part(800, seed=1)
OTHERS = part(300, seed=2)


def with_holes(matrix: pd.DataFrame) -> pd.DataFrame:
    """The same with a number and a category missing in every fifth row."""
    hole = pd.Series(np.arange(len(matrix)) % 5 == 0)
    return matrix.assign(x=matrix["x"].mask(hole), level=matrix["level"].mask(hole.shift(2) == 1))


def design(matrix: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """The design by pandas alone: medians for holes, a column for each level and for missing."""
    columns: dict[str, Any] = {}
    for name in like:
        if isinstance(like[name].dtype, pd.CategoricalDtype):
            for level in like[name].cat.categories:
                columns[f"{name}={level}"] = (matrix[name] == level).astype(float)
        else:
            columns[name] = matrix[name].fillna(like[name].median())
        if like[name].isna().any():
            columns[f"{name} missing"] = matrix[name].isna().astype(float)
    return pd.DataFrame(columns)


def reference(train: pd.DataFrame, others: pd.DataFrame) -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    plain = design(train, train)
    both = [(design(m, train) - plain.mean()) / plain.std(ddof=0) for m in (train, others)]
    model = LogisticRegression(tol=1e-10, max_iter=5000).fit(both[0].to_numpy(), TRAIN.target)
    return model, both[0], both[1]


@pytest.mark.parametrize("holes", [False, True], ids=["whole", "with holes"])
def test_margins_equal_scikit_learns_on_the_one_hot_design(holes: bool) -> None:
    train, others = (with_holes(p.features) if holes else p.features for p in (TRAIN, OTHERS))
    model, _, columns = reference(train, others)
    found = linear.fit(train, TRAIN.target).margin(others)
    assert found == pytest.approx(model.decision_function(columns.to_numpy()), abs=1e-4)


@pytest.mark.parametrize("holes", [False, True], ids=["whole", "with holes"])
def test_contributions_equal_shaps_linear_explainer(holes: bool) -> None:
    import shap

    train, others = (with_holes(p.features) if holes else p.features for p in (TRAIN, OTHERS))
    model, background, columns = reference(train, others)
    masker = shap.maskers.Independent(background.to_numpy(), max_samples=len(background))
    values = shap.LinearExplainer(model, masker).shap_values(columns.to_numpy())
    names = [c.split("=")[0].split()[0] for c in columns]
    expected = pd.DataFrame(values).T.groupby(names).sum().T[list(others)]
    found = linear.fit(train, TRAIN.target).contributions(others)
    assert found == pytest.approx(expected.to_numpy(), abs=1e-4)


def test_contributions_and_intercept_sum_to_the_margin() -> None:
    model = linear.fit(TRAIN.features, TRAIN.target)
    total = model.intercept + model.contributions(OTHERS.features).sum(axis=1)
    assert total == pytest.approx(model.margin(OTHERS.features), abs=1e-12)


def test_contributions_are_centred_on_the_training_rows() -> None:
    found = linear.fit(TRAIN.features, TRAIN.target).contributions(TRAIN.features)
    assert found.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-6)


def test_integer_weights_are_repeated_rows() -> None:
    weight = np.random.default_rng(0).integers(1, 4, len(TRAIN.target))
    again = np.repeat(np.arange(len(weight)), weight)
    weighted = linear.fit(TRAIN.features, TRAIN.target, weight.astype(float))
    repeated = linear.fit(TRAIN.features.iloc[again], TRAIN.target[again])
    # standardised by other means and spreads, so the penalty differs a little
    assert weighted.margin(OTHERS.features) == pytest.approx(
        repeated.margin(OTHERS.features), abs=0.01
    )


def test_the_model_comes_back_from_json_exactly() -> None:
    model = linear.fit(with_holes(TRAIN.features), TRAIN.target)
    back = Logistic.from_json(json.loads(json.dumps(model.to_json())))
    assert back == model
    assert np.array_equal(back.margin(OTHERS.features), model.margin(OTHERS.features))


def test_what_was_never_missing_in_training_gets_the_median_and_no_level() -> None:
    model = linear.fit(TRAIN.features, TRAIN.target)
    row = OTHERS.features.iloc[[0]]
    hole = row.assign(x=np.nan)
    median = row.assign(x=TRAIN.features["x"].median())
    assert np.array_equal(model.margin(hole), model.margin(median))
    nothing = row.assign(level=pd.Categorical([None], categories=["u", "v", "w"]))
    assert np.isfinite(model.margin(nothing)).all()


def test_the_order_of_columns_is_that_of_the_matrix_it_is_given() -> None:
    model = linear.fit(TRAIN.features, TRAIN.target)
    turned = OTHERS.features[["level", "x", "proxy"]]
    assert model.margin(turned) == pytest.approx(model.margin(OTHERS.features), abs=1e-12)
    plain = model.contributions(OTHERS.features)
    assert np.array_equal(model.contributions(turned), plain[:, [2, 0, 1]])


def test_a_constant_column_says_nothing_and_breaks_nothing() -> None:
    constant = TRAIN.features.assign(same=0.1)
    model = linear.fit(constant, TRAIN.target)
    found = model.contributions(OTHERS.features.assign(same=0.1))
    assert found[:, 3] == pytest.approx(0, abs=1e-6)
    without = linear.fit(TRAIN.features, TRAIN.target).margin(OTHERS.features)
    assert model.margin(OTHERS.features.assign(same=0.1)) == pytest.approx(without, abs=1e-6)


def test_a_number_without_any_value_says_nothing_and_breaks_nothing() -> None:
    empty = TRAIN.features.assign(x=np.nan)
    assert np.isfinite(linear.fit(empty, TRAIN.target).margin(OTHERS.features)).all()


def test_contributions_of_large_numbers_with_a_small_spread_are_centred_too() -> None:
    late = TRAIN.features.assign(x=1_612_345_678_901 + TRAIN.features["x"])
    found = linear.fit(late, TRAIN.target).contributions(late)
    assert found[:, 0].mean() == pytest.approx(0, abs=1e-2)
