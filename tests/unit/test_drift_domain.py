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
    return domain.classify(reference, current, SETTINGS, 0.95, seed)


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
    fold = domain._folds(target, 4, 0, None)
    assert [int(target[fold == i].sum()) for i in range(4)] == [10] * 4
    assert np.bincount(fold).tolist() == [110] * 4


def test_persons_who_are_known_again_are_no_drift() -> None:
    """Each has five rows that look alike; both sides are drawn from the same persons' world."""
    sides, keys = [], []
    for side, count in enumerate((120, 60)):
        one = rows(count, 0.0, side)
        sides.append(one.loc[one.index.repeat(5)].reset_index(drop=True))
        keys.append(np.repeat([f"{side}-{n}" for n in range(count)], 5))
    told = classify(*sides)
    assert told.drifted  # where folds part the rows of a person
    kept = domain.classify(*sides, SETTINGS, 0.95, 0, (keys[0], keys[1]))
    assert not kept.drifted
    assert kept.roc_auc.value < 0.6


def test_features_that_are_constant_tell_nothing() -> None:
    reference, current = (pd.DataFrame({"a": np.ones(n)}) for n in (300, 200))
    found = classify(reference, current)
    assert found.importance == {"a": 0}
    assert not found.drifted


def test_too_few_rows_for_the_folds_are_named() -> None:
    with pytest.raises(ValueError, match="300 reference and 7 current rows are too few"):
        classify(rows(300, 0.5, 0), rows(7, 0.5, 1))


def test_as_json_the_features_that_carry_it_come_first() -> None:
    written = json.loads(json.dumps(classify(rows(900, 0.9, 0), rows(600, 0.0, 1)).to_json()))
    assert set(written) == {"roc_auc", "importance", "threshold", "drifted"}
    shares = [one["share"] for one in written["importance"]]
    assert shares == sorted(shares, reverse=True)
