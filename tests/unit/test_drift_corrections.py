"""Corrections: what a new calibration, prior or threshold would have gained on labelled rows."""

import numpy as np
import pytest
from scipy.special import expit

from perennial.core.drift import corrections
from perennial.core.drift.corrections import Labelled, gains, to_json
from perennial.core.statistics.estimates import Estimate

from .planted import WIN_OR_ANNOY


def labelled(target: np.ndarray, margin: np.ndarray, wrong: float = 0.0) -> Labelled:
    """Rows of a champion whose calibration is off by `wrong` log odds."""
    probability = expit(margin + wrong)
    return Labelled(target, margin, probability, (probability >= 0.5).astype("int64"))


def drawn(rows: int, wrong: float = 0.0, seed: int = 0) -> Labelled:
    random = np.random.default_rng(seed)
    margin = random.normal(0, 1.5, rows)
    return labelled((random.random(rows) < expit(margin)).astype("int64"), margin, wrong)


def gained(rows: Labelled, new_prior: float = 0.5) -> dict[str, Estimate]:
    return gains(rows, 0.5, new_prior, WIN_OR_ANNOY, 0.95)


def test_a_sound_champion_has_nothing_to_gain() -> None:
    """No gain is proven, and none is large."""
    found = gained(drawn(3000))
    assert all(gain.low <= 0 for gain in found.values())
    assert abs(found["recalibration"].value) < 0.005
    assert (found["prior"].value, found["prior"].n) == (0.0, 3000)


def test_wrong_calibration_is_gained_back_whole() -> None:
    """The gain is what the true probabilities would save, but for the fit's own error."""
    rows = drawn(3000, wrong=2.0)
    truth = expit(rows.margin)
    saved = np.where(
        rows.target == 1,
        np.log(truth / rows.probability),
        np.log((1 - truth) / (1 - rows.probability)),
    )
    found = gained(rows)["recalibration"]
    assert found.low > 0.2
    assert found.value == pytest.approx(saved.mean(), abs=0.01)


def test_a_threshold_that_annoys_is_worth_moving() -> None:
    """Decisions that call everybody lose utility, which a new threshold wins back."""
    rows = drawn(3000, wrong=-1.0)
    all_called = Labelled(rows.target, rows.margin, rows.probability, np.ones(3000, dtype="int64"))
    assert gained(all_called)["threshold"].low > 0.1


def test_an_adjusted_prior_gains_only_where_the_prior_really_moved() -> None:
    """Labels decide whether what was estimated without them is worth anything."""
    random = np.random.default_rng(0)
    rows = drawn(6000)
    kept = (rows.target == 1) | (random.random(6000) < 0.2)
    shifted = labelled(rows.target[kept], rows.margin[kept])
    now = float(shifted.target.mean())
    assert gained(shifted, now)["prior"].low > 0.02
    assert gained(rows, now)["prior"].high < 0


def test_each_fifth_is_measured_by_what_the_others_taught() -> None:
    """One fifth with labels turned round can't teach itself: it loses, all the others gain."""
    rows = drawn(1000, wrong=2.0)
    turned = labelled(np.r_[rows.target[:800], 1 - rows.target[800:]], rows.margin, 2.0)
    fitted = corrections._recalibrated(turned)
    untouched = corrections._recalibrated(rows)
    assert fitted[800:] == pytest.approx(untouched[800:])
    assert fitted[:800] != pytest.approx(untouched[:800], abs=0.01)


@pytest.mark.parametrize("positives", [0, 1, 30])
def test_where_the_rest_has_one_class_the_champions_own_word_stays(positives: int) -> None:
    """All positives arrived in one fifth: that fifth can't be fitted by the others, nor is it."""
    target = np.zeros(500, dtype="int64")
    target[:positives] = 1
    rows = labelled(target, np.random.default_rng(0).normal(size=500))
    assert corrections._recalibrated(rows)[:100].tolist() == rows.probability[:100].tolist()
    assert corrections._redecided(rows, WIN_OR_ANNOY)[:100].tolist() == rows.decision[:100].tolist()
    assert np.isfinite([(g.value, g.low, g.high) for g in gained(rows).values()]).all()


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_an_estimated_prior_at_its_bound_makes_no_infinite_loss(prior: float) -> None:
    """An estimate without labels may say 0 or 1, which no row's probability may become."""
    found = gained(drawn(500), prior)["prior"]
    assert np.isfinite([found.value, found.low, found.high]).all()
    assert found.high < 0


def test_a_gain_is_proven_by_its_low_bound_against_what_is_needed() -> None:
    """Log loss needs `monitor.harm.log_loss`; utility needs to be above nothing."""
    at, above = Estimate(0.1, 0.02, 0.2, 9), Estimate(0.1, 0.021, 0.2, 9)
    written = to_json({"recalibration": at, "prior": above, "threshold": at}, needed=0.02)
    assert [(c["name"], c["proven"]) for c in written] == [
        ("recalibration", False),
        ("prior", True),
        ("threshold", True),
    ]
    assert written[0]["gain"] == {"value": 0.1, "low": 0.02, "high": 0.2, "n": 9}
    assert [c["unit"] for c in written][1:] == ["nats of log loss a row", "utility a row"]
