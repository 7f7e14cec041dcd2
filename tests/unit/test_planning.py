"""From a choice to its plan, and from the plan to the trees: what stays and what is new."""

from typing import Any

import numpy as np
import pytest

from perennial.core import training
from perennial.core.dataset import features
from perennial.core.dataset.part import Part
from perennial.core.dataset.plan import PARTS, newest_period
from perennial.core.model import boosting
from perennial.core.model.candidate import Candidate
from perennial.core.monitoring import planning
from perennial.core.monitoring.policy import Choice
from perennial.params import Params, Split

from . import planted
from .monitored import RECIPE, Store, params, rows, split

CHOSEN = {"kind": "chosen", "last": None}


def store() -> Store:
    return Store(*(rows(500, seed) for seed in range(6)))


def followed(action: Any, asked: Split, because: str = "drift") -> tuple[Any, Any]:
    kept = store()
    known = kept.known(split_by=split("time", 500))
    recipe = None if action == "retune" else RECIPE
    return planning.follow(Choice(action, because, ""), known, recipe, kept.read, params(asked))


def periods(plan: Any) -> dict[str, list[str]]:
    return {part: [ref["period"][-2:] for ref in plan["parts"][part]] for part in PARTS}


@pytest.mark.parametrize(("action", "recipe"), [("retrain", RECIPE), ("retune", None)])
def test_a_retraining_takes_all_labelled_batches_in(action: str, recipe: Any) -> None:
    """Under `retrain` with the champion's recipe; a search brings its own."""
    plan, history = followed(action, split("time", 500))
    assert (plan["action"], plan["because"], plan["hyperparameters"]) == (action, "drift", recipe)
    assert periods(plan) == {
        "train": ["01", "02", "03", "04"],
        "calibration": ["05"],
        "holdout": ["06"],
    }
    assert history is None


def test_a_recalibration_keeps_what_was_trained_on_and_nothing_chooses_a_history() -> None:
    """Only calibration and holdout are new, whatever split.history says."""
    for history in (None, CHOSEN, {"kind": "periods", "last": 1}):
        plan, chosen = followed("recalibrate", split("time", 500, history=history), "harmful")
        assert periods(plan) == {"train": ["01"], "calibration": ["05"], "holdout": ["06"]}
        assert (plan["action"], plan["hyperparameters"]) == ("recalibrate", RECIPE)
        assert chosen is None


def test_a_chosen_history_is_in_the_plan_and_in_the_report() -> None:
    """It was chosen on the calibration batch, and the rest of the plan stays."""
    plan, history = followed("retrain", split("time", 500, history=CHOSEN))
    assert history["chosen"] in history["roc_auc"]
    assert set(history["roc_auc"]) == {"all", "half", "quarter"}
    expected = {"all": ["01", "02", "03", "04"], "half": ["03", "04"], "quarter": ["04"]}
    assert periods(plan)["train"] == expected[history["chosen"]]
    assert periods(plan)["calibration"] == ["05"]


def test_a_retraining_under_a_split_by_row_has_every_batch_in_every_part() -> None:
    """So the newest period is the newest labelled one, and the next newer batch is seen as such."""
    plan, _ = followed("retrain", split("stratified", 500))
    assert all(len(refs) == 6 for refs in plan["parts"].values())
    assert newest_period(plan) == "2020-06"


def fitted(plan: Any, asked: Params, kept: Store) -> Candidate:
    """Return what the DAG would make of a plan."""
    parts = {}
    for name in PARTS:
        raw, target = kept.read(plan["parts"][name])
        derived = features.derive(raw, asked.features.columns)
        if name == "train":
            spec = features.fit(derived, asked.features, asked.sensitive)
        groups = features.groups(raw, asked.sensitive)
        assert target is not None
        parts[name] = Part(features.apply(spec, derived), target, groups)
    return training.fit_candidate(
        RECIPE, spec, parts["train"], parts["calibration"], asked.training, asked.seed
    )


@pytest.mark.parametrize("method", ["none", "thresholds", "reweighing"])
def test_a_recalibration_gives_the_same_trees_byte_for_byte_and_a_new_calibration(
    method: str,
) -> None:
    """The same rows, recipe and seed; a retraining on the same batches gives others."""
    shifted = [rows(500, seed, odds=-2.0) for seed in (3, 4, 5)]
    kept = Store(*(rows(500, seed) for seed in (0, 1, 2)), *shifted)
    known = kept.known(split_by=split("time", 500))
    asked = params(split("time", 500)).model_copy(update={"training": planted.training(method)})
    old = fitted(known.plan, asked, kept)
    plans = {
        action: planning.follow(Choice(action, "harmful", ""), known, RECIPE, kept.read, asked)[0]
        for action in ("recalibrate", "retrain")
    }
    new, retrained = (fitted(plans[action], asked, kept) for action in ("recalibrate", "retrain"))
    trees = [[boosting.to_bytes(b) for b in one.boosters] for one in (old, new, retrained)]
    assert trees[0] == trees[1] != trees[2]
    assert new.spec.to_json() == old.spec.to_json()
    raw, target = rows(3000, 9, odds=-2.0)
    rates = [one.predict(raw)["probability"].mean() for one in (old, new)]
    assert abs(rates[1] - target.mean()) < 0.05 < abs(rates[0] - target.mean())
    assert np.argsort(old.predict(raw)["probability"], kind="stable").tolist() == (
        np.argsort(new.predict(raw)["probability"], kind="stable").tolist()
    )
