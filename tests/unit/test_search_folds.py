"""The folds of a search: which rows are judged together, and by whom they were not learnt."""

import numpy as np
import pandas as pd
import pytest

from perennial.core import search
from perennial.core.dataset.part import Part
from perennial.errors import InputError

TARGET = np.random.default_rng(0).integers(0, 2, 2000)


def some(target: np.ndarray, key: np.ndarray | None = None) -> Part:
    return Part(pd.DataFrame(index=range(len(target))), target, pd.DataFrame(), key)


def test_every_row_is_in_one_fold_and_folds_are_stratified() -> None:
    target = np.repeat([1, 0], [30, 270])
    folds = search.make_folds(some(target), 3, seed=1)
    assert sorted(np.concatenate(folds)) == list(range(300))
    assert [int(target[fold].sum()) for fold in folds] == [10, 10, 10]


def test_folds_are_drawn_by_the_seed() -> None:
    first, again, other = (
        np.concatenate(search.make_folds(some(TARGET), 3, seed)).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("positives", [0, 2, 98, 100])
def test_fewer_rows_of_a_class_than_folds_is_said_with_the_numbers(positives: int) -> None:
    target = np.repeat([1, 0], [positives, 100 - positives])
    with pytest.raises(InputError) as caught:
        search.make_folds(some(target), 3, seed=1)
    assert str(min(positives, 100 - positives)) in caught.value.faults[0]
    assert "3 folds" in caught.value.faults[0]


@pytest.mark.parametrize(("stratified", "near"), [(True, 0.002), (False, 0.05)])
def test_rows_of_one_key_are_in_one_fold_and_each_fold_has_its_share_of_the_classes(
    monkeypatch: pytest.MonkeyPatch, stratified: bool, near: float
) -> None:
    """However many the rows are; where keys are too many to be stratified, by chance."""
    monkeypatch.setattr(search, "STRATIFIED", 3000 if stratified else 0)
    key = np.random.default_rng(3).integers(0, 900, 3000)
    target = (key % 10 == 0).astype("int64")  # one key in ten is positive, in all its rows
    folds = search.make_folds(some(target, key), 3, seed=1)
    assert sorted(np.concatenate(folds)) == list(range(3000))
    assert sum(len(set(key[fold])) for fold in folds) == len(set(key))
    gaps = [abs(target[fold].mean() - target.mean()) for fold in folds]
    assert max(gaps) < near
    assert stratified or max(gaps) > 0.002


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("positives", [1, 59])
def test_a_class_that_is_of_one_key_alone_is_the_users_to_correct(
    monkeypatch: pytest.MonkeyPatch, stratified: bool, positives: int
) -> None:
    monkeypatch.setattr(search, "STRATIFIED", 600 if stratified else 0)
    key = np.repeat(np.arange(60), 10)
    with pytest.raises(InputError) as caught:
        search.make_folds(some((key < positives).astype("int64"), key), 3, seed=1)
    assert "each of the 3 folds has both classes" in caught.value.faults[0]


def test_fewer_keys_than_folds_are_said_with_the_numbers() -> None:
    with pytest.raises(InputError) as caught:
        search.make_folds(some(TARGET, TARGET), 3, seed=1)
    assert "2 values of split.key" in caught.value.faults[0]
    assert "3 folds" in caught.value.faults[0]


def test_margins_of_the_folds_that_are_fitted_stand_in_the_order_of_their_rows() -> None:
    folds = [np.array([5, 1]), np.array([4, 2])]
    assert search.out_of(folds).tolist() == [1, 2, 4, 5]
    found = search.in_order(folds, [np.array([50.0, 10.0]), np.array([40.0, 20.0])])
    assert found.tolist() == [10, 20, 40, 50]
