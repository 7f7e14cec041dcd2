"""Signals and the rows they look at: what each says, when it fires, and whether that is harm."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from perennial.core.drift import label_shift, signals
from perennial.core.drift.rows import Rows, view
from perennial.core.drift.signals import Signal
from perennial.core.statistics.estimates import Estimate
from perennial.errors import InputError

from .monitored import champion, params, reference, rows


def seen(**planted: Any) -> Rows:
    raw, target = rows(2000, 77, **planted)
    return view(champion(), raw, target)


def looked(labelled: Rows, **harm: float) -> dict[str, Signal]:
    """Every signal by name, of rows whose labels are there."""
    asked = params()
    limits = asked.monitor.harm.model_copy(update=harm)
    settings = asked.monitor.model_copy(update={"harm": limits})
    found = signals.without_labels(
        signals.baseline(reference(), settings, 0), labelled, settings, seed=0
    )
    measured, _ = signals.with_labels(
        reference(), labelled, found[-1], settings, asked.training.utility
    )
    return {signal.name: signal for signal in [*found, *measured]}


@pytest.mark.parametrize("method", ["none", "thresholds"])
@pytest.mark.parametrize("kind", ["xgboost", "logistic"])
def test_rows_are_seen_as_the_champion_predicts_them(kind: str, method: str) -> None:
    """Probability and decision are what `predict` gives, thresholds per group included."""
    model, (raw, target) = champion(kind, method), rows(300, 5)
    found, predicted = view(model, raw, target), model.predict(raw)
    assert found.probability.tolist() == predicted["probability"].tolist()
    assert found.decision.tolist() == predicted["decision"].tolist()
    assert found.margin.tolist() == model.margin(found.features).tolist()
    assert (len(found), list(found.derived)) == (300, ["a", "b", "region"])


def test_a_column_the_champion_needs_and_a_batch_lacks_is_named() -> None:
    """The newest batch may have lost a column: exit 2 with its name, not a traceback."""
    with pytest.raises(InputError, match="column b: not in the rows"):
        view(champion(), rows(50, 5)[0].drop(columns="b"), None)


def test_on_rows_like_the_reference_no_signal_fires() -> None:
    """Six looks, with labels, and no alarm."""
    found = looked(seen())
    assert list(found) == [
        "estimated_roc_auc",
        "estimated_prior",
        "roc_auc",
        "calibration",
        "prior",
        "concept",
    ]
    assert not signals.fired(list(found.values()))


@pytest.mark.parametrize(
    ("planted", "name", "harm"),
    [
        ({"noisy": "s"}, "roc_auc", {"roc_auc": 0.9}),
        ({"odds": -1.5}, "calibration", {"log_loss": 0.9}),
        ({"odds": -1.5}, "prior", {"prior": 0.9}),
        ({"shift": 1.0}, "estimated_prior", {"prior": 0.9}),
    ],
)
def test_a_signal_fires_on_its_cause_and_not_where_so_much_is_allowed(
    planted: dict[str, Any], name: str, harm: dict[str, float]
) -> None:
    """The bound of the interval is held to `monitor.harm`, so a larger limit silences it."""
    current = seen(**planted)
    found = looked(current)[name]
    assert found.fired
    assert not looked(current, **harm)[name].fired
    assert found.estimate is not None
    assert f"{found.estimate.value:.3f} [" in found.says


def test_a_lasting_rise_of_the_errors_is_a_signal_with_both_means() -> None:
    """Adaptive windowing, warmed up on the reference, sees the errors rise on labelled rows."""
    found = looked(seen(noisy="s"))["concept"]
    assert found.fired
    assert not found.harm
    assert "mean squared error rises from 0.1" in found.says


def test_errors_that_fall_are_no_signal() -> None:
    """A champion that got better is none that drifted."""
    current = seen()
    better = replace(current, probability=np.where(current.target == 1, 0.99, 0.01))
    assert not looked(better)["concept"].fired


def test_only_what_labels_show_of_ranking_and_calibration_is_harm() -> None:
    """A moved rate is no harm in itself, and no estimate without labels is."""
    harmful = {name for name, signal in looked(seen()).items() if signal.harm}
    assert harmful == {"roc_auc", "calibration"}


def test_what_fired_is_given_harm_first_in_the_order_of_the_looks() -> None:
    """The reasons begin with what matters most."""
    fired = [s.name for s in signals.fired(list(looked(seen(odds=-1.5)).values()))]
    assert fired[0] == "calibration"
    assert "prior" in fired[1:]


@pytest.mark.parametrize(
    ("estimate", "away"),
    [((0.5, 0.4, 0.6), 0.1), ((0.3, 0.2, 0.35), 0.0), ((0.1, 0.0, 0.2), 0.1)],
)
def test_an_interval_is_as_far_from_a_value_as_its_nearer_bound(
    estimate: tuple[float, float, float], away: float
) -> None:
    """Inside it is not away at all."""
    assert signals._away(Estimate(*estimate, 100), 0.3) == pytest.approx(away)


def weak(count: int, seed: int, odds: float = 0.0) -> Rows:
    """Rows of a champion that knows little, and whose calibration is off by 0.15 log odds."""
    random = np.random.default_rng(seed)
    margin = random.normal(0, 0.4, count) + odds
    target = (random.random(count) < expit(margin)).astype("int64")
    probability, nothing = expit(margin - 0.15), pd.DataFrame(index=range(count))
    return Rows(nothing, nothing, margin, probability, (probability > 0.5).astype("int64"), target)


def test_a_weak_champions_calibration_is_not_taken_for_a_change_of_the_rate() -> None:
    """What its probabilities say of the newer rows is held to what they say of the reference: by
    themselves they would put the rate wrong by five times what the calibration is off."""
    settings, fired, wrong = params().monitor, 0, 0
    for seed in range(20):
        known, newer = weak(1500, 2 * seed), weak(400, 2 * seed + 1)
        (signal,) = (
            s
            for s in signals.without_labels(
                signals.baseline(known, settings, seed), newer, settings, seed
            )
            if s.name == "estimated_prior"
        )
        fired += signal.fired
        alone = label_shift.estimated_prior(
            newer.probability, known.target.mean(), settings.confidence, settings.replicates, seed
        )
        wrong += signals._away(alone, known.target.mean()) > settings.harm.prior
    assert wrong >= 10
    assert fired <= 1
    known = signals.baseline(weak(1500, 1), settings, 0)
    (moved,) = signals.without_labels(known, weak(4000, 2, odds=-0.8), settings, 0)[1:]
    assert moved.fired
    assert moved.estimate.high < -settings.harm.prior


@pytest.mark.parametrize("labels", ["none", "few", "few in the reference"])
def test_labels_that_are_missing_or_of_one_class_give_no_signal(labels: str) -> None:
    """Nothing is said of ranking or calibration, rather than nonsense."""
    current, known = seen(), reference()
    few = np.zeros(2000, dtype="int64")
    few[: signals.MIN_OF_A_CLASS - 1] = 1
    if labels == "none":
        current = replace(current, target=None)
    elif labels == "few":
        current = replace(current, target=few)
    else:
        known = replace(known, target=np.r_[few, np.zeros(1000, dtype="int64")])
    asked = params()
    prior = Signal("estimated_prior", Estimate(0.5, 0.4, 0.6, 100), 0.1, False, False, "")
    assert signals.with_labels(known, current, prior, asked.monitor, asked.training.utility) == (
        [],
        {},
    )
