"""Two derivations compared: what differs first, and what it may come from."""

from typing import Any

import pytest

from perennial.core.reproduction import (
    differences,
    environments,
    first_in_folder,
    first_in_json,
    given,
)


def entry(**changes: Any) -> dict[str, Any]:
    plain = {
        "cmd": "python -m stage",
        "deps": [{"path": "src/a.py", "md5": "1"}, {"path": "data/rows", "md5": "2.dir"}],
        "params": {"params.yaml": {"seed": 7, "search": {"folds": 3, "space": {"depth": [2, 9]}}}},
        "outs": [{"path": "models/one", "md5": "3"}],
    }
    return {**plain, **changes}


def test_equal_entries_differ_in_nothing() -> None:
    assert differences("train", entry(), entry()) == []


@pytest.mark.parametrize(
    ("changes", "kind", "name", "derived"),
    [
        ({"cmd": "python other"}, "command", "cmd", "python other"),
        ({"deps": [{"path": "src/a.py", "md5": "9"}]}, "dependency", "src/a.py", "9"),
        ({"params": {"params.yaml": {"seed": 8}}}, "parameter", "params.yaml: seed", "8"),
        ({"outs": [{"path": "models/one", "md5": "9"}]}, "output", "models/one", "9"),
        ({"outs": []}, "output", "models/one", None),
    ],
)
def test_each_kind_of_difference_is_found(
    changes: dict[str, Any], kind: str, name: str, derived: str | None
) -> None:
    first = differences("train", entry(), entry(**changes))[0]
    assert (first.stage, first.kind, first.name, first.derived) == ("train", kind, name, derived)


def test_what_goes_in_comes_before_what_comes_out() -> None:
    changed = entry(
        outs=[{"path": "models/one", "md5": "9"}],
        params={"params.yaml": {"seed": 7, "search": {"folds": 3, "space": {"depth": [2, 5]}}}},
    )
    found = differences("train", entry(), changed)
    assert [each.name for each in found] == ["params.yaml: search.space.depth", "models/one"]


def test_a_stage_that_is_gone_is_a_difference() -> None:
    assert [each.kind for each in differences("train", entry(), None)] == ["command"]
    assert differences("train", None, None) == []


def test_what_another_stage_made_is_not_what_a_stage_was_given() -> None:
    deps = [{"path": "src/a.py", "md5": "9"}, {"path": "data/rows", "md5": "9.dir"}]
    found = differences("train", entry(), entry(deps=deps))
    assert [each.name for each in given(found, ["data/rows"])] == ["src/a.py"]
    assert given(differences("train", entry(), entry(outs=[])), []) == []


def test_environments_are_compared_by_what_may_change_bytes() -> None:
    one = {
        "schema_version": 1,
        "python": "CPython 3.11.7",
        "requirements_lock_sha256": "a" * 64,
        "packages": {"numpy": "2.4.6", "onnx": None},
        "cpu": {"model": "one", "features": ["avx2", "fma"]},
    }
    other = {
        **one,
        "requirements_lock_sha256": "b" * 64,
        "packages": {"numpy": "2.4.7", "onnx": "1.20"},
        "cpu": {"model": "other", "features": ["avx2", "avx512f"]},
    }
    assert environments(one, one) == []
    assert environments(one, other) == [
        f"requirements.lock {'a' * 12} → {'b' * 12}",
        "numpy 2.4.6 → 2.4.7",
        "onnx absent → 1.20",
        "CPU one → other",
        "CPU without fma",
        "CPU with avx512f",
    ]


@pytest.mark.parametrize(
    ("recorded", "derived", "said"),
    [
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "a.b[1]: 2 → 3"),
        ({"a": 1}, {"a": 1, "b": 2}, "b: added"),
        ({"a": 1}, {}, "a: gone"),
        ({"a": [1]}, {"a": [1, 2]}, "a: [1] → [1, 2]"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}]}, None),
    ],
)
def test_the_first_difference_of_two_reports_is_named(
    recorded: Any, derived: Any, said: str | None
) -> None:
    assert first_in_json(recorded, derived) == said


def test_the_first_difference_of_two_folders_is_named() -> None:
    one = {"a": "1", "b": "2", "c": "3"}
    assert first_in_folder(one, one) is None
    assert first_in_folder(one, {**one, "b": "9"}) == "b differs"
    assert first_in_folder(one, {"a": "9", "b": "2"}) == "a differs, and 1 more of 3 files"
    assert first_in_folder({}, {"a": "1"}) == "a is new"
    assert first_in_folder({"a": "1"}, {}) == "a is gone"
