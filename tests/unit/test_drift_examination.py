"""The examination: each planted cause, and none, gets its verdict for its reason."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from perennial.adapters import files
from perennial.core.drift import signals
from perennial.core.drift.examination import Examination, examine
from perennial.core.drift.rows import Rows, view
from perennial.core.monitoring import policy
from perennial.core.monitoring.policy import Situation

from .monitored import champion, params, reference, rows

NOW = Situation(["2020-01"], [], labelled_rows=2000, drifted_before=0)


def seen(count: int = 2000, labels: bool = True, kind: str = "xgboost", **planted: Any) -> Rows:
    raw, target = rows(count, 77, **planted)
    return view(champion(kind), raw, target if labels else None)


def examined(current: Rows, labelled: Rows | None, kind: str = "xgboost") -> Examination:
    asked = params()
    return examine(
        champion(kind),
        reference(kind),
        current,
        labelled,
        asked.monitor,
        asked.training.utility,
        seed=0,
    )


@cache
def found(cause: str, labels: bool = True, kind: str = "xgboost") -> Examination:
    planted: dict[str, Any] = {
        "nothing": {},
        "covariates": {"shift": 1.0},
        "concept": {"noisy": "s"},
        "calibration": {"odds": -1.5},
    }[cause]
    current = seen(labels=labels, kind=kind, **planted)
    return examined(current, current, kind)


def fired(examination: Examination) -> set[str]:
    return {signal.name for signal in examination.signals if signal.fired}


@pytest.mark.parametrize("kind", ["xgboost", "logistic"])
def test_where_nothing_happened_nothing_is_found(kind: str) -> None:
    """Rows of the same population, with labels, raise no alarm, whatever kind the champion is."""
    examination = found("nothing", kind=kind)
    assert examination.verdict == "none"
    assert fired(examination) == set()
    assert not examination.domain.drifted
    assert examination.why.startswith("nothing is proven: ")
    assert set(examination.gains) == {"recalibration", "prior", "threshold"}
    needed = params().monitor.harm.log_loss
    assert not any(c["proven"] for c in examination.to_json(needed)["corrections"])


def test_features_that_moved_are_drift_and_no_harm() -> None:
    """Covariate shift is seen by the tests and the domain classifier; the ranking holds."""
    examination = found("covariates")
    assert examination.verdict == "drift"
    assert examination.domain.drifted
    assert {test.feature for test in examination.comparison.tests if test.drifted} >= {"a", "b"}
    assert "a classifier tells the newer rows" in examination.why
    assert "roc_auc" not in fired(examination)


def test_labels_that_hang_on_nothing_in_a_region_are_harm() -> None:
    """Concept drift shows in the AUC on labels, and is the first reason given."""
    examination = found("concept")
    assert examination.verdict == "harmful"
    assert examination.proven("roc_auc")
    assert examination.why.startswith("the ROC AUC on 2,000 labelled rows is 0.")
    assert examination.comparison.verdict == "none"
    assert not examination.domain.drifted


def test_without_labels_concept_drift_is_not_seen_at_all() -> None:
    """What is estimated from the champion's own word can't know that it is wrong."""
    examination = found("concept", labels=False)
    assert examination.verdict == "none"
    assert {signal.name for signal in examination.signals} == {
        "estimated_roc_auc",
        "estimated_prior",
    }
    assert examination.gains == {}


def test_wrong_calibration_alone_is_harm_that_a_new_calibration_mends() -> None:
    """The ranking holds, the probabilities do not: the policy recalibrates and trains nothing."""
    examination = found("calibration")
    assert examination.verdict == "harmful"
    assert {"calibration", "prior"} <= fired(examination)
    assert not examination.proven("roc_auc")
    asked = params()
    choice = policy.choose(examination, NOW, asked.policy, asked.monitor)
    assert choice.action == "recalibrate"


def test_a_lost_ranking_is_retrained_not_recalibrated() -> None:
    """The same policy, where the trees themselves are wrong."""
    asked = params()
    choice = policy.choose(found("concept"), NOW, asked.policy, asked.monitor)
    assert choice.action in {"retrain", "retune"}


def test_an_estimated_loss_is_drift_not_harm() -> None:
    """Rows that the champion is unsure of: it expects to rank worse, which no label has shown."""
    raw, _ = rows(4000, 77)
    unsure = champion().margin(champion().spec.transform(raw))
    raw = raw[np.abs(unsure) < 1.0].reset_index(drop=True)
    examination = examined(view(champion(), raw, None), None)
    assert examination.proven("estimated_roc_auc")
    assert examination.verdict == "drift"


def test_too_few_newer_rows_are_insufficient_and_nothing_else_is_asked() -> None:
    """One row short of monitor.min_rows, however far they moved."""
    few = seen(199, shift=5.0)
    examination = examined(few, few)
    assert examination.verdict == "insufficient"
    assert "199 newer rows are fewer than the 200" in examination.why
    assert (examination.domain, examination.signals, examination.gains) == (None, (), {})
    assert examined(seen(200, shift=5.0), None).verdict == "drift"


def test_too_few_labelled_rows_prove_nothing_on_labels() -> None:
    """Labels of fewer rows than monitor.min_rows are waited for."""
    names = {s.name for s in examined(seen(noisy="s"), seen(199, noisy="s")).signals}
    assert "roc_auc" not in names
    names = {s.name for s in examined(seen(noisy="s"), seen(200, noisy="s")).signals}
    assert "roc_auc" in names


@pytest.mark.parametrize("positives", [0, 9])
def test_labels_of_hardly_more_than_one_class_prove_nothing(positives: int) -> None:
    """A window with few positives has no AUC and no calibration; nothing breaks."""
    current = seen()
    target = np.zeros(len(current), dtype="int64")
    target[:positives] = 1
    labelled = view(champion(), rows(2000, 77)[0], target)
    examination = examined(current, labelled)
    assert {s.name for s in examination.signals} == {"estimated_roc_auc", "estimated_prior"}
    assert examination.gains == {}


@pytest.mark.parametrize("count", [1, 9])
def test_rows_too_few_for_the_domain_classifiers_folds_are_examined_without_it(count: int) -> None:
    """monitor.min_rows may be smaller than the folds need; NaN gets into no signal."""
    asked = params()
    settings = asked.monitor.model_copy(update={"min_rows": 1})
    few = seen(count)
    utility = asked.training.utility
    examination = examine(champion(), reference(), few, few, settings, utility, seed=0)
    assert examination.domain is None
    assert examination.verdict in {"none", "drift"}
    numbers = [(s.estimate.value, s.estimate.low, s.estimate.high) for s in examination.signals]
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("cause", ["nothing", "covariates", "concept", "calibration"])
def test_an_examination_as_json_says_all_and_has_no_number_that_json_lacks(cause: str) -> None:
    """NaN and infinity are no JSON; every correction says whether it is worth having."""
    needed = params().monitor.harm.log_loss
    written = found(cause).to_json(needed)
    json.dumps(written, allow_nan=False)
    assert set(written) == {"verdict", "why", "tests", "domain", "signals", "corrections"}
    proven = {c["name"]: c["proven"] for c in written["corrections"]}
    assert proven["recalibration"] == (cause in {"concept", "calibration"})
    assert {c["unit"] for c in written["corrections"]} == {
        "nats of log loss a row",
        "utility a row",
    }


def test_the_same_rows_give_the_same_bytes() -> None:
    """Whatever is drawn is drawn by the seed."""
    current = seen(shift=0.3)
    first, again = (examined(current, current).to_json(0.02) for _ in "12")
    assert files.json_bytes(first) == files.json_bytes(again)


def test_a_reference_prepared_before_gives_the_same() -> None:
    """What the reference alone says may be kept from window to window: no number changes."""
    asked, current = params(), seen()
    known = signals.baseline(reference(), asked.monitor, 0)
    again = examine(
        champion(), reference(), current, current, asked.monitor, asked.training.utility, 0, known
    )
    assert again.to_json(0.02) == examined(current, current).to_json(0.02)
