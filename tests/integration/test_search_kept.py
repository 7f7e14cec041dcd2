"""What the search keeps of a fit: found by its task alone, and forgotten once damaged."""

from pathlib import Path

import numpy as np
import pytest

from perennial.adapters import study
from perennial.core.search import Task

TASK = Task({"max_depth": 3, "subsample": 0.5}, 60, 8, 0)
FIT = (np.linspace(-1, 1, 50, dtype="float32"), 17)


def kept(folder: Path) -> Path:
    study.Memo(folder).put(TASK, FIT)
    return next(folder.glob("*.npz"))


def remembered(folder: Path) -> bool:
    """Return whether the fit is found; if it is, it must be the one that was kept."""
    found = study.Memo(folder).get(TASK)
    if found is None:
        return False
    assert np.array_equal(found[0], FIT[0])
    assert found[0].dtype == FIT[0].dtype
    assert found[1] == FIT[1]
    return True


def test_a_fit_is_found_by_its_task_and_by_no_other(tmp_path: Path) -> None:
    kept(tmp_path)
    assert remembered(tmp_path)
    memo = study.Memo(tmp_path)
    for other in (
        Task({"max_depth": 4, "subsample": 0.5}, 60, 8, 0),
        Task(TASK.params, 61, 8, 0),
        Task(TASK.params, 60, 9, 0),
        Task(TASK.params, 60, 8, 1),
    ):
        assert memo.get(other) is None


def test_a_fit_torn_anywhere_is_forgotten(tmp_path: Path) -> None:
    path = kept(tmp_path)
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        assert not remembered(tmp_path)


def test_a_flipped_bit_in_the_margins_of_a_fit_is_not_believed(tmp_path: Path) -> None:
    path = kept(tmp_path)
    whole = path.read_bytes()
    start = whole.index(FIT[0].tobytes())
    for at in range(start, start + FIT[0].nbytes):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not remembered(tmp_path)


@pytest.mark.parametrize("damage", ["empty", "a flipped bit"])
def test_a_fit_damaged_in_any_way_is_fitted_again(tmp_path: Path, damage: str) -> None:
    path = kept(tmp_path)
    whole = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
        assert not remembered(tmp_path)
        return
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        remembered(tmp_path)
