"""Gates of data: each passes the sound and fails the planted."""

import pytest

from perennial.core.gates import data

from .gated import SURE, alone, limit


def test_one_row_on_both_sides_is_too_many() -> None:
    sound = {"what": "rows", "shared": 0, "rows": 100}
    assert data.overlap(sound).verdict == "pass"
    assert data.overlap({**sound, "shared": 1}).verdict == "fail"


def test_one_row_that_is_not_older_is_too_many_where_rows_are_split_by_time() -> None:
    assert data.time_order(None).verdict == "pass"
    assert data.time_order({"backwards": 0, "rows": 100}).verdict == "pass"
    assert data.time_order({"backwards": 1, "rows": 100}).verdict == "fail"


def test_a_feature_that_knows_the_answer_alone_fails_and_is_named() -> None:
    sound = {"a": alone(0.55), "b": alone(0.6)}
    assert data.single_feature(sound, limit(0.75), SURE).verdict == "pass"
    for leak in (0.9, 1.0):
        found = data.single_feature({**sound, "c": alone(leak)}, limit(0.75), SURE)
        assert found.verdict == "fail"
        assert "of c alone" in found.why


def test_a_feature_alone_is_judged_more_carefully_the_more_there_are() -> None:
    near = alone(0.72, 0.008)
    assert data.single_feature({"a": near}, limit(0.75), SURE).verdict == "pass"
    many = {f"f{i}": near for i in range(200)}
    assert data.single_feature(many, limit(0.75), SURE).verdict == "insufficient"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_feature_of_which_nothing_is_known_is_no_pass(place: int) -> None:
    """One person had all the positives, so there is no error: null, as the report has it."""
    known = [("a", alone(0.55)), ("b", alone(0.6))]
    known.insert(place, ("c", {**alone(0.5), "error": None, "rarer": 1, "clustered": True}))
    found = data.single_feature(dict(known), limit(0.75), SURE)
    assert (found.verdict, found.blocks) == ("insufficient", True)


def test_a_feature_whose_values_hardly_repeat_names_the_row() -> None:
    assert data.identifier({"a": 0.1, "b": 0.9}, 100, 0.9).verdict == "pass"
    found = data.identifier({"a": 0.1, "b": 0.91}, 100, 0.9)
    assert found.verdict == "fail"
    assert " b " in found.why


def test_no_feature_that_could_name_a_row_is_no_fault() -> None:
    assert data.identifier({}, 100, 0.9).verdict == "pass"
