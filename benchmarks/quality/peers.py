"""One peer on one split, in the peer's own environment: it imports nothing of Perennial.

python peers.py NAME TRAIN.parquet TEST.parquet OUT.json SECONDS SEED
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TARGET, CORES = "target", 2


def autogluon(train: pd.DataFrame, test: pd.DataFrame, seconds: int, seed: int) -> Any:  # noqa: ARG001
    """AutoGluon's best preset; it fixes its own seeds."""
    from autogluon.tabular import TabularPredictor

    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(TARGET, eval_metric="roc_auc", path=folder, verbosity=2)
        fitted = predictor.fit(
            train, presets="best_quality", time_limit=seconds, num_cpus=CORES, num_gpus=0
        )
        return fitted.predict_proba(test.drop(columns=TARGET))[1].to_numpy()


def flaml(train: pd.DataFrame, test: pd.DataFrame, seconds: int, seed: int) -> Any:
    """FLAML with its own choice of learners."""
    from flaml import AutoML

    model = AutoML()
    settings = {"task": "classification", "metric": "roc_auc", "n_jobs": CORES, "seed": seed}
    model.fit(train.drop(columns=TARGET), train[TARGET], time_budget=seconds, **settings)
    return model.predict_proba(test.drop(columns=TARGET))[:, 1]


def tuned_xgboost(train: pd.DataFrame, test: pd.DataFrame, seconds: int, seed: int) -> Any:
    """XGBoost with native categories, tuned by Optuna's TPE on five folds, fitted again on all."""
    import optuna
    import xgboost

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = xgboost.DMatrix(
        train.drop(columns=TARGET), train[TARGET].to_numpy(), enable_categorical=True
    )
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "nthread": CORES, "seed": seed}
    metric = {"eval_metric": "auc"}

    def objective(trial: Any) -> float:
        params = {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "max_depth": trial.suggest_int("max_depth", 2, 10),
            "min_child_weight": trial.suggest_float("min_child_weight", 1, 100, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1),
            "reg_lambda": trial.suggest_float("reg_lambda", 0.01, 100, log=True),
            "reg_alpha": trial.suggest_float("reg_alpha", 0.001, 10, log=True),
        }
        found = xgboost.cv(
            {**fixed, **metric, **params},
            rows,
            2000,
            nfold=5,
            stratified=True,
            early_stopping_rounds=30,
            seed=seed,
        )
        trial.set_user_attr("rounds", len(found))
        return float(found["test-auc-mean"].max())

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, timeout=seconds)
    best = study.best_trial
    booster = xgboost.train({**fixed, **best.params}, rows, best.user_attrs["rounds"])
    return booster.predict(xgboost.DMatrix(test.drop(columns=TARGET), enable_categorical=True))


PEERS = {"autogluon": autogluon, "flaml": flaml, "tuned_xgboost": tuned_xgboost}


def main() -> None:
    """Fit and predict; write the probabilities and the seconds that both took."""
    os.environ.setdefault("OMP_NUM_THREADS", str(CORES))
    name, *files, seconds, seed = sys.argv[1:]
    train, test = (_read(path) for path in files[:2])
    start = time.perf_counter()
    found = PEERS[name](train, test, int(seconds), int(seed))
    took = time.perf_counter() - start
    spent = sum(os.times()[:4])  # of this process and of those it waited for
    written = {
        "seconds": took,
        "processor_seconds": spent,
        "probability": np.asarray(found).tolist(),
    }
    Path(files[2]).write_text(json.dumps(written), encoding="utf-8")


def _read(path: str) -> pd.DataFrame:
    table = pd.read_parquet(path)
    text = [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    return table.astype(dict.fromkeys(text, "category"))


if __name__ == "__main__":
    main()
