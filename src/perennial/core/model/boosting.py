"""Gradient boosting with XGBoost: fit, margins and contributions of one booster."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xgboost

# XGBoost's own defaults, said aloud: the simple model that a tuned one is compared with.
DEFAULT = {"params": {"learning_rate": 0.3, "max_depth": 6}, "rounds": 100}
CPU = "cpu"
FIXED = {"objective": "binary:logistic", "tree_method": "hist", "verbosity": 0}


def matrix(features: pd.DataFrame, target: Any = None, weight: Any = None) -> "xgboost.DMatrix":
    """Return XGBoost's view of a feature matrix; categories stay categories."""
    import xgboost

    return xgboost.DMatrix(features, label=target, weight=weight, enable_categorical=True)


def fit(
    features: pd.DataFrame,
    target: np.ndarray,
    recipe: Mapping[str, Any],
    seed: int,
    weight: np.ndarray | None = None,
) -> "xgboost.Booster":
    """Fit a booster by its recipe, `{"params", "rounds"}`.

    The bytes are the same for any number of threads (XGBoost's `hist` sums in a fixed order).
    """
    return fit_on(matrix(features, target, weight), recipe, seed)


def fit_on(
    rows: "xgboost.DMatrix", recipe: Mapping[str, Any], seed: int, device: str = CPU
) -> "xgboost.Booster":
    """Fit a booster as `fit` does, on rows that several fits share: they are cut into bins once."""
    import xgboost

    params = {**FIXED, **recipe["params"], **_on(device), "seed": seed}
    return xgboost.train(params, rows, recipe["rounds"])


def _on(device: str) -> dict[str, str]:
    return {} if device == CPU else {"device": device}


def fit_fold(
    train: "xgboost.DMatrix",
    valid: "xgboost.DMatrix",
    params: Mapping[str, Any],
    max_rounds: int,
    early_stopping_rounds: int,
    seed: int,
    threads: int,
    device: str = CPU,
) -> tuple[np.ndarray, int]:
    """Fit on one part of the training rows, stop early on the other (not with 0).

    Returns:
        The other part's margins (log odds), shape (rows,), and the number of rounds that was best.
    """
    import xgboost

    settings = {
        **FIXED,
        **params,
        **_on(device),
        "seed": seed,
        "nthread": threads,
        "eval_metric": "logloss",
    }
    booster = xgboost.train(
        settings,
        train,
        max_rounds,
        evals=[(valid, "valid")],
        early_stopping_rounds=early_stopping_rounds or None,
        verbose_eval=False,
    )
    rounds = booster.best_iteration + 1 if early_stopping_rounds else max_rounds
    return booster.predict(valid, iteration_range=(0, rounds), output_margin=True), rounds


def margin(booster: "xgboost.Booster", rows: "xgboost.DMatrix") -> np.ndarray:
    """Return the log odds of each row, shape (rows,), float64."""
    return booster.predict(rows, output_margin=True).astype("float64")


def contributions(booster: "xgboost.Booster", features: pd.DataFrame) -> tuple[np.ndarray, float]:
    """Return SHAP values by TreeSHAP (Lundberg et al. 2020), shape (rows, features), in log odds,
    and the value they start from."""
    import shap

    explainer = shap.TreeExplainer(booster)
    values = explainer.shap_values(matrix(features))
    return values.astype("float64"), float(np.ravel(explainer.expected_value)[0])


def to_bytes(booster: "xgboost.Booster") -> bytes:
    """Return the booster as UBJSON: no pickle, read back by any XGBoost."""
    return bytes(booster.save_raw("ubj"))


def from_bytes(content: bytes) -> "xgboost.Booster":
    """Return the booster that `to_bytes` wrote."""
    import xgboost

    return xgboost.Booster(model_file=bytearray(content))
