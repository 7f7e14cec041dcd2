"""The examination: what is planted in newer rows is found, and named; nothing else is."""

import numpy as np
import pytest

from perennial.core.drift import signals
from perennial.core.drift.rows import view
from perennial.core.policy import Situation, choose
from tests.unit import monitored
from tests.unit.monitored import Known, window

FREE = Situation(("01", "02"), (), 800, 0)


@pytest.fixture(scope="module")
def known() -> Known:
    return monitored.champion()


def fired(found: monitored.Examination) -> set[str]:
    return {signal.name for signal in found.signals if signal.fired}


def test_rows_that_did_not_move_show_nothing(known: Known) -> None:
    """A fresh draw of the same population is neither drift nor harm, and every look has numbers."""
    found = known.examine(*window())
    assert found.verdict == "none"
    assert fired(found) == set()
    assert {s.name for s in found.signals} == {
        "estimated_roc_auc",
        "estimated_prior",
        "roc_auc",
        "calibration",
        "prior",
        "concept",
    }


def test_features_that_moved_are_drift_and_no_harm(known: Known) -> None:
    """Covariate shift is named; without labels nobody can say that it does harm."""
    raw, _ = window()
    raw[["x1", "x3"]] += 1.0
    found = known.examine(raw, None, labelled=False)
    assert found.verdict == "drift"
    assert "x1" in found.why
    assert not any(signal.harm for signal in found.signals)


def test_two_features_that_no_longer_go_together_are_seen_by_the_classifier(known: Known) -> None:
    """Each feature's own distribution is what it was: only the domain classifier can see it."""
    raw, _ = window(2000)
    raw["x4"] = raw["x6"]
    found = known.examine(raw, None, labelled=False)
    assert found.comparison.verdict == "none"
    assert found.domain is not None
    assert found.domain.drifted
    assert found.verdict == "drift"


def test_labels_that_follow_another_rule_are_harm(known: Known) -> None:
    """Concept drift leaves the rows as they were; the labels prove that the ranking is lost."""
    raw, target = window()
    wrong = np.where(raw["x1"] > 0, 1 - target, target)
    found = known.examine(raw, wrong)
    assert found.verdict == "harmful"
    assert "roc_auc" in fired(found)
    assert "ROC AUC" in found.why
    assert known.examine(raw, wrong, labelled=False).verdict == "none"


def test_wrong_calibration_alone_asks_for_a_new_calibration_alone(known: Known) -> None:
    """The ranking holds and the level is wrong: recalibrating is proven to suffice."""
    raw, _ = window(1500)
    seen = view(known.champion, raw, None)
    odds = np.log(seen.probability / (1 - seen.probability)) - 1.2
    target = (np.random.default_rng(0).random(1500) < 1 / (1 + np.exp(-odds))).astype("int64")
    found = known.examine(raw, target)
    assert found.verdict == "harmful"
    assert "calibration" in fired(found)
    assert "roc_auc" not in fired(found)
    params = known.params
    assert choose(found, FREE, params.policy, params.monitor).action == "recalibrate"


def test_a_lost_ranking_is_not_recalibrated(known: Known) -> None:
    """A new calibration can't bring a ranking back, so the model is trained again."""
    raw, target = window()
    found = known.examine(raw, np.where(raw["x1"] > 0, 1 - target, target))
    choice = choose(found, FREE, known.params.policy, known.params.monitor)
    assert choice.action in ("retrain", "retune")


def test_too_few_rows_are_insufficient(known: Known) -> None:
    """Under monitor.min_rows nothing is concluded, whatever the rows look like."""
    raw, target = window(known.params.monitor.min_rows - 1)
    raw[["x1", "x3"]] += 5.0
    found = known.examine(raw, target)
    assert found.verdict == "insufficient"
    assert str(known.params.monitor.min_rows) in found.why


@pytest.mark.parametrize("positives", [0, 1, signals.MIN_OF_A_CLASS - 1])
def test_labels_of_one_class_prove_nothing(known: Known, positives: int) -> None:
    """Ranking and calibration need both classes; without, only the label-free looks are taken."""
    raw, _ = window()
    target = np.zeros(len(raw), dtype="int64")
    target[:positives] = 1
    found = known.examine(raw, target)
    assert {s.name for s in found.signals} == {"estimated_roc_auc", "estimated_prior"}


def test_classes_that_arrive_one_after_the_other_can_be_corrected(known: Known) -> None:
    """All positives in one block of arrival: no correction is fitted on one class alone."""
    raw, target = window()
    order = np.argsort(-target, kind="stable")
    few = np.concatenate([order[:12], order[target.sum() :]])
    found = known.examine(raw.iloc[few].reset_index(drop=True), target[few])
    assert set(found.gains) == {"recalibration", "prior", "threshold"}
