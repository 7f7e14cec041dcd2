"""The figures of a replay: paired by row, drawn by period, and equal to scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from perennial.core.replay import measure, summary
from perennial.core.replay.summary import Scored
from perennial.params import Evaluation
from perennial.params.slices import Slices

SETTINGS = Evaluation(
    confidence=0.95, replicates=200, bins=5, slices=Slices(min_rows=10, bins=2, declared={})
)
DRAWN = (0.95, 500, 1)


def history(periods: int, rows: int = 200, signal: float = 1.0, seed: int = 0) -> Scored:
    """Periods of rows whose log odds are `signal` times what the model knows of them."""
    random = np.random.default_rng(seed)
    targets, probabilities = [], []
    for _ in range(periods):
        odds = random.normal(size=rows)
        targets.append((random.random(rows) < 1 / (1 + np.exp(-odds))).astype("int64"))
        probabilities.append(1 / (1 + np.exp(-signal * odds)))
    return Scored(targets, probabilities)


def test_pooled_figures_are_those_of_scikit_learn() -> None:
    scored = history(4)
    found = summary.worth(scored, "all", *DRAWN)
    target, probability = (np.concatenate(s) for s in (scored.targets, scored.probabilities))
    assert found["log_loss"]["value"] == pytest.approx(log_loss(target, probability))
    assert found["roc_auc_pooled"]["value"] == pytest.approx(roc_auc_score(target, probability))
    own = [roc_auc_score(y, p) for y, p in zip(scored.targets, scored.probabilities, strict=True)]
    assert found["roc_auc"]["value"] == pytest.approx(np.mean(own))
    assert found["log_loss"]["n"] == len(target)


def test_pooled_auc_of_drawn_periods_is_that_of_their_rows_put_together() -> None:
    """The matrix of won pairs stands for the rows, ties and repeated periods included."""
    scored = history(3, rows=60)
    rounded = Scored(scored.targets, [p.round(1) for p in scored.probabilities])
    weights = np.array([2, 0, 1])
    drawn = np.repeat(np.arange(3), weights)
    expected = roc_auc_score(
        np.concatenate([rounded.targets[i] for i in drawn]),
        np.concatenate([rounded.probabilities[i] for i in drawn]),
    )
    found = summary.statistics(rounded)["roc_auc_pooled"](weights[np.newaxis].astype(float))
    assert found[0] == pytest.approx(expected)


def test_a_better_model_is_proven_better_and_the_same_one_is_not() -> None:
    good, bad = history(10), history(10, signal=-1.0)
    found = summary.difference(good, bad, "all", *DRAWN)
    assert found["log_loss"]["high"] < 0 < found["roc_auc"]["low"]
    same = summary.difference(good, good, "all", *DRAWN)["log_loss"]
    assert (same["low"], same["value"], same["high"]) == (0.0, 0.0, 0.0)


def test_rows_of_a_period_are_not_independent_evidence() -> None:
    """Whole periods are drawn: what differs from period to period widens the interval."""
    calm, even = history(12, rows=300, seed=3), history(12, rows=300, signal=0.5, seed=3)
    uneven = Scored(
        even.targets,
        [
            p if i % 2 else q
            for i, (p, q) in enumerate(
                zip(
                    even.probabilities,
                    history(12, rows=300, signal=-1.0, seed=3).probabilities,
                    strict=True,
                )
            )
        ],
    )
    widths = [
        found["high"] - found["low"]
        for found in (
            summary.difference(other, calm, "all", *DRAWN)["log_loss"] for other in (even, uneven)
        )
    ]
    assert widths[1] > 5 * widths[0]


def test_halves_part_the_periods_and_the_middle_one_is_of_the_first() -> None:
    scored = history(5, rows=30)
    sizes = [len(scored.part(half).targets) for half in ("all", "first_half", "second_half")]
    assert sizes == [5, 3, 2]
    assert scored.part("second_half").targets[0] is scored.targets[3]


def test_saved_log_loss_adds_up_to_the_difference_of_all_rows() -> None:
    good, bad = history(6), history(6, signal=0.2)
    difference = summary.difference(good, bad, "all", *DRAWN)["log_loss"]
    assert summary.saved(good, bad)[-1] == pytest.approx(-difference["value"] * difference["n"])


def test_a_period_with_hardly_a_row_of_a_class_has_no_figures_and_still_counts_pooled() -> None:
    tiny = np.array([1, *[0] * 12])
    assert measure.period(tiny, np.full(13, 0.3), SETTINGS, 0) == dict.fromkeys(measure.MEASURES)
    scored = history(3)
    with_tiny = Scored([*scored.targets, tiny], [*scored.probabilities, np.full(13, 0.3)])
    found = summary.worth(with_tiny, "all", *DRAWN)
    assert found["log_loss"]["n"] == 613
    assert found["roc_auc"]["value"] == summary.worth(scored, "all", *DRAWN)["roc_auc"]["value"]
    pooled = [summary.worth(one, "all", *DRAWN)["roc_auc_pooled"] for one in (scored, with_tiny)]
    assert pooled[0]["value"] != pooled[1]["value"]


def test_the_figures_of_a_period_are_those_of_scikit_learn() -> None:
    scored = history(1)
    target, probability = scored.targets[0], scored.probabilities[0]
    found = measure.period(target, probability, SETTINGS, 0)
    assert found["roc_auc"]["value"] == pytest.approx(roc_auc_score(target, probability))
    assert found["log_loss"]["value"] == pytest.approx(log_loss(target, probability))
    assert found["ece"]["value"] < 0.1
    assert measure.period(target, np.full(200, 0.95), SETTINGS, 0)["ece"]["low"] > 0.2
