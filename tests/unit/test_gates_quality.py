"""Gates of quality: each passes the sound and fails the planted."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core.gates import quality
from perennial.core.gates.result import Gate
from perennial.params.gates import (
    ChampionGate,
    Margin,
    QualityFloor,
)

from .gated import SURE, limit, noise, scores


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "accuracy", "f1"])
def test_the_floor_is_reached_by_a_candidate_and_not_by_noise(metric: Any) -> None:
    settings = QualityFloor(metric=metric, threshold=0.62, insufficient="block")
    sound, guess = scores(), noise()
    bad = scores(probability=guess, decision=(guess > 0.5).astype("int64"))
    assert quality.quality_floor(sound, settings, SURE).verdict == "pass"
    assert quality.quality_floor(bad, settings, SURE).verdict == "fail"


@pytest.mark.parametrize(("metric", "ceiling"), [("brier", 0.25), ("log_loss", 0.69)])
def test_a_loss_has_a_ceiling_for_its_floor(metric: Any, ceiling: float) -> None:
    settings = QualityFloor(metric=metric, threshold=ceiling, insufficient="block")
    found = quality.quality_floor(scores(), settings, SURE)
    assert (found.verdict, found.side) == ("pass", "below")
    assert quality.quality_floor(scores(probability=noise()), settings, SURE).verdict == "fail"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_holdout_of_one_class_reaches_no_floor() -> None:
    settings = QualityFloor(metric="roc_auc", threshold=0.6, insufficient="block")
    found = quality.quality_floor(scores(50, target=1), settings, SURE)
    assert (found.verdict, found.blocks) == ("insufficient", True)


def test_probabilities_that_mean_what_they_say_are_calibrated_and_shifted_ones_not() -> None:
    sound = scores()
    shifted = sound.assign(probability=sound["probability"] ** 0.25)
    assert quality.calibration(sound, limit(0.1), 10, SURE).verdict == "pass"
    assert quality.calibration(shifted, limit(0.1), 10, SURE).verdict == "fail"


def test_few_rows_prove_neither_calibration_nor_its_lack() -> None:
    found = quality.calibration(scores(60), limit(0.1, "tolerate"), 10, SURE)
    assert (found.verdict, found.blocks) == ("insufficient", False)


def test_a_candidate_that_is_worse_than_always_stating_the_prior_fails() -> None:
    sound = scores()
    reversed_ = sound.assign(probability=1 - sound["probability"])
    assert quality.better_than_prior(sound, limit(0.0), SURE).verdict == "pass"
    assert quality.better_than_prior(reversed_, limit(0.0), SURE).verdict == "fail"


def test_a_candidate_that_is_the_prior_is_not_better_than_it() -> None:
    same = quality.better_than_prior(scores(probability=0.5), limit(0.0), SURE)
    assert same.verdict == "insufficient"
    assert same.estimate is not None
    assert same.estimate.value == 0


def test_a_candidate_may_be_worse_than_a_simple_model_by_the_margin_and_not_more() -> None:
    settings = Margin(margin=0.04, insufficient="block")
    sound = scores()
    found = quality.better_than_simple(sound, "logistic", settings, SURE)
    assert (found.name, found.verdict) == ("better_than_logistic", "pass")
    assert found.threshold == -0.04
    bad = sound.assign(probability=noise())
    assert quality.better_than_simple(bad, "logistic", settings, SURE).verdict == "fail"


def compared(table: pd.DataFrame, rival: Any, drifted: bool = False, same: bool = False) -> Gate:
    return quality.champion(table, rival, same, drifted, ChampionGate(margin=0.04), SURE)


def test_with_nobody_to_beat_the_comparison_passes_without_an_estimate() -> None:
    found = compared(scores(), None)
    assert (found.verdict, found.estimate) == ("pass", None)


def test_the_champion_itself_passes_its_own_comparison_without_an_estimate() -> None:
    table = scores()
    found = compared(table, table["probability"].to_numpy(), same=True)
    assert (found.verdict, found.estimate) == ("pass", None)


def test_a_candidate_replaces_a_worse_champion_and_not_a_better_one() -> None:
    table = scores()
    truth = table["probability"].to_numpy()
    assert compared(table, noise()).verdict == "pass"
    worse = compared(table.assign(probability=noise()), truth)
    assert (worse.verdict, worse.blocks) == ("fail", False)


def test_an_equal_candidate_replaces_the_champion_after_drift_only() -> None:
    table = scores()
    equal = np.clip(table["probability"].to_numpy() + 0.001 * (noise() - 0.5), 0, 1)
    assert compared(table, equal, drifted=False).verdict == "insufficient"
    assert compared(table, equal, drifted=True).verdict == "pass"
    bad = table.assign(probability=noise())
    assert compared(bad, equal, drifted=True).verdict == "fail"
