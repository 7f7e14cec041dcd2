"""Rows of one person say less than as many rows of different persons; intervals must know."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from perennial.core import fairness
from perennial.core.evaluation import slices
from perennial.core.statistics import clusters, estimates, metrics, roc
from perennial.core.statistics.estimates import Estimate

TIMES = 5
Measure = Callable[[pd.DataFrame, "np.ndarray | None"], Estimate]


def drawn(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    odds = 1.2 * random.normal(size=rows)
    truth = 1 / (1 + np.exp(-odds))
    return pd.DataFrame(
        {
            "target": (random.random(rows) < truth).astype("int64"),
            "probability": truth,
            "other": 1 / (1 + np.exp(-odds - 0.8 * random.normal(size=rows))),
            "decision": (truth > 0.5).astype("int64"),
            "group": np.where(random.random(rows) < 0.5, "a", "b"),
        }
    )


def repeated(frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Every row five times, in another order, and whose it is."""
    order = np.random.default_rng(1).permutation(len(frame) * TIMES) % len(frame)
    return frame.iloc[order].reset_index(drop=True), order + 7


def holdout(name: str) -> Measure:
    def measure(rows: pd.DataFrame, key: np.ndarray | None) -> Estimate:
        columns = (rows[c].to_numpy() for c in ("target", "probability", "decision"))
        found = metrics.holdout_metrics(*columns, 10, 0.95, 400, 0, key)
        return found[name]

    return measure


def auc_difference(rows: pd.DataFrame, key: np.ndarray | None) -> Estimate:
    columns = (rows[c].to_numpy() for c in ("target", "probability", "other"))
    return roc.roc_auc_difference(*columns, 0.95, key)


def between_groups(rows: pd.DataFrame, key: np.ndarray | None) -> Estimate:
    columns = (rows[c].to_numpy() for c in ("target", "decision", "group"))
    counted = fairness.counts(*columns, key)
    pair = (counted[name]["selection_rate"] for name in ("a", "b"))
    return estimates.difference(*pair, 0.95)


def over_groups(rows: pd.DataFrame, key: np.ndarray | None) -> Estimate:
    columns = (rows[c].to_numpy() for c in ("target", "decision", "group"))
    counted = fairness.counts(*columns, key)
    pair = (counted[name]["true_positive_rate"] for name in ("a", "b"))
    return estimates.ratio(*pair, 0.95)


def slice_of(rows: pd.DataFrame, key: np.ndarray | None) -> Estimate:
    losses = pd.DataFrame({"it": rows["probability"] - rows["target"]})
    found = slices.search(rows[["group"]], losses, 50, 2, key)
    return slices.largest_excess(found, 0.95)[0]


MEASURES: dict[str, Measure] = {
    **{name: holdout(name) for name in metrics.METRICS},
    "auc_difference": auc_difference,
    "between_groups": between_groups,
    "over_groups": over_groups,
    "slice": slice_of,
}


def width(estimate: Estimate) -> float:
    return estimate.high - estimate.low


@pytest.mark.parametrize("name", MEASURES)
def test_rows_repeated_under_their_persons_say_no_more_than_once(name: str) -> None:
    """Taken for independent they would, by the square root of how often each is there."""
    once = drawn(500)
    rows, key = repeated(once)
    alone, together, as_if = (
        MEASURES[name](once, None),
        MEASURES[name](rows, key),
        MEASURES[name](rows, None),
    )
    assert together.n == TIMES * alone.n
    assert width(together) == pytest.approx(width(alone), rel=0.12)
    assert width(as_if) < 0.65 * width(alone)


@pytest.mark.parametrize("name", MEASURES)
def test_persons_with_one_row_each_are_independent_rows(name: str) -> None:
    rows = drawn(500)
    key = np.random.default_rng(2).permutation(len(rows))
    found, expected = MEASURES[name](rows, key), MEASURES[name](rows, None)
    assert found.value == pytest.approx(expected.value, abs=1e-12)
    assert width(found) == pytest.approx(width(expected), rel=0.12)


def persons(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Target, score and person of 1 to 9 rows a person, whose rows are alike."""
    rows = random.integers(1, 10, size=120)
    key = np.repeat(np.arange(120), rows)
    trait, quirk = random.normal(size=(2, 120))
    target = (random.normal(size=len(key)) + 1.5 * trait[key] > 0).astype("int64")
    score = trait[key] + quirk[key] + 0.5 * random.normal(size=len(key))
    return target, score, key


def test_intervals_of_persons_rows_hold_as_often_as_they_say() -> None:
    """And those of rows taken for independent don't, by far."""
    random = np.random.default_rng(3)
    samples = [persons(random) for _ in range(300)]
    every = [np.concatenate(part) for part in zip(*(s[:2] for s in samples), strict=True)]
    truth = {"auc": roc.roc_auc(*every, 0.95).value, "rate": float(every[0].mean())}
    hits: dict[tuple[str, bool], list[bool]] = {}
    for target, score, key in samples:
        for known in (key, None):
            found = {
                "auc": roc.roc_auc(target, score, 0.95, known),
                "rate": estimates.share(target == 1, 0.95, known),
            }
            for name, one in found.items():
                inside = one.low <= truth[name] <= one.high
                hits.setdefault((name, known is not None), []).append(inside)
    share = {which: float(np.mean(found)) for which, found in hits.items()}
    assert 0.91 <= share["auc", True] <= 0.98
    assert 0.91 <= share["rate", True] <= 0.98
    assert share["auc", False] < 0.85
    assert share["rate", False] < 0.8


def test_the_auc_of_clusters_has_obuchowskis_variance() -> None:
    """By her formulas of 1997, sum by sum."""
    target, score, key = persons(np.random.default_rng(4))
    positive, negative = score[target == 1], score[target == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    auc, m, n = float(wins.mean()), len(positive), len(negative)
    names = np.unique(key)
    above, below = np.zeros(len(names)), np.zeros(len(names))
    np.add.at(above, np.searchsorted(names, key[target == 1]), wins.mean(axis=1) - auc)
    np.add.at(below, np.searchsorted(names, key[target == 0]), wins.mean(axis=0) - auc)
    having = [len(np.unique(key[target == one])) for one in (1, 0)]
    several = len(names)
    variance = (
        having[0] / (having[0] - 1) * (above**2).sum() / m**2
        + having[1] / (having[1] - 1) * (below**2).sum() / n**2
        + 2 * several / (several - 1) * (above * below).sum() / (m * n)
    )
    aucs, covariance = roc.delong(target, score[np.newaxis], key)
    assert aucs[0] == pytest.approx(auc)
    assert covariance[0, 0] == pytest.approx(variance)


def test_many_rows_of_persons_are_drawn_by_groups_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which gives the interval that drawing each person would give."""
    rows, key = repeated(drawn(2000, seed=5))
    found = {name: holdout(name)(rows, key) for name in ("average_precision", "f1", "ece")}
    monkeypatch.setattr(metrics, "MANY", 1000)
    for name, each in found.items():
        merged = holdout(name)(rows, key)
        assert merged.value == pytest.approx(each.value, abs=1e-12)
        assert merged.low == pytest.approx(each.low, abs=0.15 * width(each))
        assert merged.high == pytest.approx(each.high, abs=0.15 * width(each))


@pytest.mark.parametrize("positive", [2, 3, 5, 10])
def test_an_auc_is_no_surer_than_the_persons_of_the_rarer_class_let_it_be(positive: int) -> None:
    """Hundreds of persons of the other class make up for none of them."""
    random = np.random.default_rng(7)
    key = np.concatenate([np.repeat(np.arange(positive), 20), np.repeat(np.arange(300), 2) + 50])
    target = (key < 50).astype("int64")
    hits = []
    for _ in range(200):
        score = random.normal(size=350)[key] + 0.3 * random.normal(size=len(key)) + 0.8 * target
        one = roc.roc_auc(target, score, 0.95, key)
        truth = 0.7067  # of normals 0.8 apart, both of variance 1.09
        hits.append(one.low <= truth <= one.high)
    assert np.mean(hits) >= 0.91


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "ece", "f1", "auc_difference"])
def test_of_one_person_of_a_class_nothing_is_known(name: str) -> None:
    rows = drawn(500)
    key = np.where(rows["target"] == 1, 0, np.arange(500))
    assert np.isnan(MEASURES[name](rows, key).low)


@pytest.mark.parametrize("rate", [0.05, 0.95])
def test_a_group_of_one_person_leaves_no_gate_on_groups_sure(rate: float) -> None:
    """Whichever side of the others it is on: a bound that is not a number once was dropped."""
    random = np.random.default_rng(8)
    group = np.repeat(["a", "b", "c"], [1000, 1000, 100])
    decision = (random.random(2100) < np.where(group == "c", rate, 0.3)).astype("int64")
    key = np.where(group == "c", 5000, np.arange(2100))
    counted = fairness.counts(np.ones(2100, dtype="int64"), decision, group, key)
    for compare in (fairness.largest_difference, fairness.smallest_ratio):
        found = compare(counted, "selection_rate", 50, 0.95)
        assert found is not None
        assert np.isnan(found[0].low)
        assert np.isnan(found[0].high)


def test_one_violation_is_no_better_than_none() -> None:
    """Of few successes it isn't seen whether those of a person go together."""
    key = np.repeat(np.arange(800), 5)
    none, one = np.zeros(4000, dtype=bool), np.arange(4000) == 7
    assert estimates.share(one, 0.99, key).high > estimates.share(none, 0.99, key).high


def test_where_all_rows_agree_those_of_one_person_count_as_one() -> None:
    """No spread is seen between persons, and that is no proof that their rows are independent."""
    key = np.repeat(np.arange(20), 5)
    assert clusters.design(np.ones(100, dtype=bool), key) == (5, 20)
    certain = np.repeat([0, 1], 50)
    found = roc.roc_auc(certain, certain.astype(float), 0.95, key)
    bound = estimates.proportion(10, 10, 0.95, several=10)
    assert found == Estimate(1.0, bound.low, bound.high, 100)


def test_rows_of_one_person_that_differ_more_than_others_are_not_counted_as_more() -> None:
    key = np.repeat(np.arange(50), 2)
    assert clusters.design(np.tile([True, False], 50), key) == (1.0, 50)


@pytest.mark.parametrize("name", [name for name in MEASURES if name != "slice"])
def test_of_one_person_nothing_is_known_however_many_rows(name: str) -> None:
    found = MEASURES[name](drawn(500), np.zeros(500, dtype="int64"))
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_a_slice_of_few_persons_is_not_looked_at() -> None:
    rows = drawn(500)
    losses = pd.DataFrame({"it": rows["probability"] - rows["target"]})
    key = np.where(rows["group"] == "a", np.arange(500) % 9, np.arange(500))
    assert set(slices.search(rows[["group"]], losses, 50, 2, key)["slice"]) == {"group b"}


def test_intervals_of_few_persons_hold_too() -> None:
    """Eight machines with forty rows each: Student's quantile, or they would be too narrow."""
    random = np.random.default_rng(6)
    key = np.repeat(np.arange(8), 40)
    hits = {"rate": 0, "mean": 0, "resampled": 0}
    for _ in range(400):
        value = random.normal(size=8)[key] + random.normal(size=320)
        found = {
            "rate": (estimates.share(value > 0, 0.95, key), 0.5),
            "mean": (estimates.mean(value, 0.95, key), 0.0),
            "resampled": (
                estimates.bootstrap(lambda w, v=value: w @ v / 320, 320, 0.95, 500, 0, key=key),
                0.0,
            ),
        }
        for name, (one, truth) in found.items():
            hits[name] += one.low <= truth <= one.high
    assert all(0.92 <= count / 400 <= 0.985 for count in hits.values()), hits
