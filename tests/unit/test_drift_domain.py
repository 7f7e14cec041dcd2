"""The domain classifier: it sees what no single feature shows, and nothing where nothing is."""

import json

import numpy as np
import pandas as pd
import pytest

from perennial.core.drift import domain, univariate
from perennial.params.drift import DomainClassifier

SETTINGS = DomainClassifier(rows=1500, folds=4, rounds=20, roc_auc=0.6)


def rows(count: int, correlation: float, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    pair = random.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], count)
    level = pd.Categorical(random.choice(["u", "v"], count), categories=["u", "v"])
    return pd.DataFrame({"a": pair[:, 0], "b": pair[:, 1], "noise": level})


def classify(reference: pd.DataFrame, current: pd.DataFrame, seed: int = 0) -> domain.DomainShift:
    found = domain.classify(reference, current, SETTINGS, 0.95, seed)
    assert found is not None
    return found


def persons(count: int, side: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Persons who have five rows each that look alike, and whose each row is."""
    one = rows(count, 0.0, side)
    names = np.array([f"{side}-{number}" for number in range(count)], dtype=object)
    return one.loc[one.index.repeat(5)].reset_index(drop=True), np.repeat(names, 5)


def keyed(
    reference: pd.DataFrame, current: pd.DataFrame, whose: np.ndarray, who: np.ndarray
) -> domain.DomainShift | None:
    return domain.classify(reference, current, SETTINGS, 0.95, 0, (whose, who))


def test_features_that_no_longer_go_together_are_drift_though_each_stands() -> None:
    reference, current = rows(1500, 0.9, 0), rows(500, 0.0, 1)
    for name in "ab":
        tests = univariate.tests(name, "number", reference[name], current[name], 10)
        assert max(test.effect for test in tests) < 0.15
    found = classify(reference, current)
    assert found.drifted
    assert found.roc_auc.low > 0.6
    assert set(list(found.importance)[:2]) == {"a", "b"}
    assert sum(found.importance.values()) == pytest.approx(1)


def test_rows_of_one_kind_are_not_told_apart() -> None:
    """At most one in twenty of the intervals lies above a half, and none above the threshold."""
    found = [classify(rows(600, 0.5, s), rows(300, 0.5, s + 99), s) for s in range(30)]
    assert sum(one.roc_auc.low > 0.5 for one in found) <= 4
    assert not any(one.drifted for one in found)
    assert np.mean([one.roc_auc.value for one in found]) == pytest.approx(0.5, abs=0.03)


def test_the_same_seed_gives_the_same_result() -> None:
    reference, current = rows(600, 0.5, 0), rows(300, 0.0, 1)
    assert classify(reference, current) == classify(reference, current)


def test_no_more_rows_than_allowed_are_looked_at_evenly_spaced() -> None:
    """The last row counts as well as the first: a change at the end of the window is seen."""
    reference, current = rows(6000, 0.5, 0), rows(3000, 0.5, 1)
    current.loc[2000:, "a"] += 9
    found = classify(reference, current)
    assert found.roc_auc.n == 3000
    assert found.drifted


def test_every_fold_has_the_same_share_of_both_sides() -> None:
    target = np.repeat([0, 1], [400, 40])
    fold = domain._folds(target, 4, 0, np.arange(440))
    assert [int(target[fold == i].sum()) for i in range(4)] == [10] * 4
    assert np.bincount(fold).tolist() == [110] * 4


def test_persons_who_are_known_again_are_no_drift() -> None:
    """Each has five rows that look alike; both sides are drawn from the same persons' world."""
    (reference, whose), (current, who) = persons(120, 0), persons(60, 1)
    assert classify(reference, current).drifted  # where folds part the rows of a person
    kept = keyed(reference, current, whose, who)
    assert kept is not None
    assert not kept.drifted
    assert kept.roc_auc.value < 0.6


@pytest.mark.parametrize("count", [8, 60])
def test_persons_who_come_from_another_world_are_drift(count: int) -> None:
    """Few of them too, as long as each fold has some; and those whose rows have no key."""
    (reference, whose), (current, who) = persons(120, 0), persons(count, 1)
    current["a"] += 3
    for key in (who, np.where(np.arange(len(who)) % 5 > 0, who, None), np.full(len(who), None)):
        found = keyed(reference, current, whose, key)
        assert found is not None
        assert found.drifted


def test_of_too_few_persons_for_the_folds_nothing_is_said() -> None:
    """However many rows each has; on either side."""
    (reference, whose), (current, who) = persons(120, 0), persons(7, 1)
    current["a"] += 9
    assert keyed(reference, current, whose, who) is None
    assert keyed(current, reference, who, whose) is None


def test_a_person_on_both_sides_is_in_one_fold() -> None:
    target = np.repeat([0, 1], 200)
    who = np.concatenate([np.arange(200), np.arange(100, 300)])
    fold = domain._folds(target, 4, 0, who)
    assert (fold[100:200] == fold[200:300]).all()
    assert np.bincount(fold[target == 1]).tolist() == [50] * 4


def test_features_that_are_constant_tell_nothing() -> None:
    reference, current = (pd.DataFrame({"a": np.ones(n)}) for n in (300, 200))
    found = classify(reference, current)
    assert found.importance == {"a": 0}
    assert not found.drifted


def test_of_too_few_rows_for_the_folds_nothing_is_said() -> None:
    for sides in ((300, 7), (7, 300)):
        reference, current = (rows(count, 0.5, count) for count in sides)
        assert domain.classify(reference, current, SETTINGS, 0.95, 0) is None
    assert classify(rows(300, 0.5, 0), rows(8, 0.5, 1)).roc_auc.n == 308


def test_as_json_the_features_that_carry_it_come_first() -> None:
    written = json.loads(json.dumps(classify(rows(900, 0.9, 0), rows(600, 0.0, 1)).to_json()))
    assert set(written) == {"roc_auc", "importance", "threshold", "drifted"}
    shares = [one["share"] for one in written["importance"]]
    assert shares == sorted(shares, reverse=True)
