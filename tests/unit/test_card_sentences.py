"""A sentence of the model card: it says what its artefact has, no more, and shows it in one way."""

from typing import Any

import pytest

from perennial.core.card.sentences import Sentence, Source, say, shown


def test_a_sentence_without_an_artefact_is_refused() -> None:
    with pytest.raises(ValueError, match="no artefact says: It is good"):
        say("It is good.")
    with pytest.raises(ValueError, match="no artefact says"):
        Sentence("It is good.", ())


def test_a_number_that_the_artefact_does_not_have_is_refused() -> None:
    source = Source("reports/metrics.json", {"auc": 0.7119, "n": 1015})
    assert say("{} on {} rows.", source["/auc"], source["/n"]).text == "0.712 on 1,015 rows."
    with pytest.raises(ValueError, match=r"no artefact says 0\.8: "):
        say("0.8 on {} rows.", source["/n"])
    with pytest.raises(KeyError):
        source["/accuracy"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.71197, "0.712"),
        (9.17e-07, "9.17e-07"),
        (626146.0, "626,146"),
        (42591, "42,591"),
        ([30, 60], "30, 60"),
        (None, "none"),
        (True, "true"),
        ({"value": 0.5, "low": 0.4, "high": None, "n": 3}, "0.5 [0.4, none]"),
        ("two\nlines ", "two lines"),
    ],
)
def test_a_value_is_shown_in_one_way(value: Any, words: str) -> None:
    assert shown(value) == words


def test_a_count_and_a_sum_are_places_too() -> None:
    source = Source("a.json", {"gates": [{"verdict": "pass", "n": 2}, {"verdict": "fail", "n": 3}]})
    assert source["count /gates/*"].shown == "2"
    assert source["count /gates/*/verdict = fail"].shown == "1"
    assert source["sum /gates/*/n"].shown == "5"


def test_a_place_within_another_is_not_named_twice() -> None:
    source = Source("a.json", {"auc": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 9}})
    sentence = say("{} on {} rows.", source["/auc"], source["/auc/n"])
    assert sentence.places == {"a.json": ["/auc"]}
