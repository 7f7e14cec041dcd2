"""A champion of planted rows, batches in memory and what may happen to them: for tests of drift,
policy and plan."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from perennial.adapters.files.configuration import read_params
from perennial.core import training
from perennial.core.dataset import features
from perennial.core.dataset.part import Part
from perennial.core.dataset.plan import BatchRef, make_plan
from perennial.core.drift.rows import Rows, view
from perennial.core.model.candidate import Candidate
from perennial.core.monitoring.finding import Known, Read
from perennial.params import Params, Split

from . import planted

SHIPPED = read_params(path=Path(__file__).parents[2] / "params.yaml")
RECIPE = {
    "kind": "xgboost",
    "members": [{"params": {"learning_rate": 0.2, "max_depth": 3}, "rounds": 30}],
}
LOGISTIC: dict[str, Any] = {"kind": "logistic", "members": []}
COLUMNS = {
    "a": planted.feature("number", "a"),
    "b": planted.feature("number", "b"),
    "region": planted.feature("category", "region"),
}
Frame = tuple[pd.DataFrame, np.ndarray]


def split(
    kind: str = "time",
    rows: int = 1500,
    key: str | None = None,
    history: Mapping[str, Any] | None = None,
) -> Split:
    return Split.model_validate(
        {
            "kind": kind,
            "key": key,
            "calibration_rows": rows,
            "holdout_rows": rows,
            "history": history or {"kind": "all", "last": None},
        }
    )


def params(asked: Split | None = None, **policy: Any) -> Params:
    """The shipped parameters on the planted columns, with fewer replicates."""
    groups = {
        "split": asked or split(),
        "features": planted.features(**COLUMNS),
        "sensitive": {"g": planted.sensitive("region")},
        "training": planted.training(),
        "monitor": SHIPPED.monitor.model_copy(update={"replicates": 200}),
        "policy": SHIPPED.policy.model_copy(update={"cooldown": 0, "confirm": 1} | policy),
    }
    return SHIPPED.model_copy(update=groups)


def rows(
    count: int, seed: int, shift: float = 0.0, odds: float = 0.0, noisy: str | None = None
) -> Frame:
    """Raw rows and targets.

    Args:
        count: Of rows.
        seed: Of the draw.
        shift: Of both numbers: covariate shift.
        odds: Added to every row's log odds: calibration is off, the ranking holds.
        noisy: A region where the target hangs on nothing: concept drift that no feature shows.
    """
    random = np.random.default_rng(seed)
    a, b = random.normal(shift, 1, count), random.normal(shift, 1, count)
    region = random.choice(["n", "s"], count)
    margin = np.where(region == noisy, 0.0, 1.5 * a + b) + odds
    target = (random.random(count) < 1 / (1 + np.exp(-margin))).astype("int64")
    return pd.DataFrame({"a": a, "b": b, "region": region}), target


@cache
def champion(kind: str = "xgboost", method: str = "none") -> Candidate:
    """A champion of planted rows that nothing has happened to."""
    parts = [_part(*rows(count, seed)) for count, seed in ((4000, 1), (1500, 2))]
    settings = planted.training(method)
    recipe = LOGISTIC if kind == "logistic" else RECIPE
    return training.fit_candidate(recipe, _spec(), *parts, settings, seed=0)


@cache
def reference(kind: str = "xgboost") -> Rows:
    """The rows that the champion was calibrated and judged on."""
    both = [rows(1500, seed) for seed in (2, 3)]
    raw = pd.concat([frame for frame, _ in both], ignore_index=True)
    return view(champion(kind), raw, np.concatenate([target for _, target in both]))


@cache
def _spec() -> features.FeatureSpec:
    wanted = params()
    derived = features.derive(rows(4000, 1)[0], COLUMNS)
    return features.fit(derived, wanted.features, wanted.sensitive)


def _part(raw: pd.DataFrame, target: np.ndarray) -> Part:
    matrix = _spec().transform(raw)
    return Part(matrix, target, features.groups(raw, _spec().sensitive))


class Store:
    """Batches in memory by period, one a month."""

    def __init__(self, *batches: Frame, unlabelled: Sequence[str] = ()) -> None:
        self.batches = {f"2020-{i:02}": batch for i, batch in enumerate(batches, start=1)}
        self.unlabelled = set(unlabelled)
        self.asked: list[list[str]] = []

    @property
    def refs(self) -> list[BatchRef]:
        return [
            {"period": period, "sha256": f"{i:064x}", "rows": len(target)}
            for i, (period, (_, target)) in enumerate(self.batches.items())
        ]

    @property
    def read(self) -> Read:
        def read(refs: Sequence[BatchRef]) -> tuple[pd.DataFrame, np.ndarray | None]:
            periods = [ref["period"] for ref in refs]
            self.asked.append(periods)
            frames = [self.batches[period] for period in periods]
            raw = pd.concat([frame for frame, _ in frames], ignore_index=True)
            known = not self.unlabelled & set(periods)
            return raw, np.concatenate([target for _, target in frames]) if known else None

        return read

    def known(
        self,
        plan: Mapping[str, Any] | None = None,
        attempts: Sequence[Mapping[str, Any]] = (),
        split_by: Split | None = None,
    ) -> Known:
        """What is known, of a champion that was planned on the first three batches."""
        plan = plan or make_plan(self.refs[:3], split_by or split(), "bootstrap", "bootstrap")
        labelled = [ref for ref in self.refs if ref["period"] not in self.unlabelled]
        return Known(plan, attempts, self.refs, labelled)


def arriving(*newer: Frame, unlabelled: Sequence[str] = ()) -> Store:
    """Three batches that the champion was trained, calibrated and judged on, and newer ones."""
    return Store(rows(4000, 1), rows(1500, 2), rows(1500, 3), *newer, unlabelled=unlabelled)


def loads(model: Candidate) -> Callable[[], Candidate]:
    return lambda: model
