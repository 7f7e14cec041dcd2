"""Who comes before whom: rollbacks in a row end, and a promotion goes on from where one is."""

from typing import Any

import pytest

from perennial.core import succession


def told(*acts: str) -> list[dict[str, Any]]:
    """Entries of acts such as `+a` (a promotion) and `-a` (a rollback to it)."""
    entries: list[dict[str, Any]] = []
    for act in acts:
        kind, digest = {"+": "promote", "-": "rollback"}[act[0]], act[1:]
        before = entries[-1]["to"] if entries else None
        entries.append({"action": kind, "from": before, "to": {"digest": digest}})
    return entries


@pytest.mark.parametrize(
    ("acts", "before"),
    [
        ("", None),
        ("+a", None),
        ("+a +b", "a"),
        ("+a +b +c", "b"),
        ("+a +b +c -b", "a"),
        ("+a +b +c -b -a", None),
        ("+a +b +c -a", None),
        ("+a +b +c -a -c", "b"),  # forward again: the line is as it was
        ("+a +b -a +c", "a"),  # b was moved away from, and is not in the line of c
        ("+a +b -a +c -a", None),
        ("+a +b -a +c -b", "c"),  # named, from outside the line: as if it came next
        ("+a +b +a", "b"),  # the same model again: the one before it is b
        ("+a +b +a -b", "a"),
        ("+a +b +a -b -a", None),  # and there it ends: no going back and forth for ever
    ],
)
def test_the_one_before(acts: str, before: str | None) -> None:
    assert succession.before(told(*acts.split())) == before


def test_rollbacks_in_a_row_always_end() -> None:
    entries = told(*["+a", "+b", "+a", "+b", "+c", "-b", "+a"])
    for _ in range(len(entries) + 1):
        digest = succession.before(entries)
        if digest is None:
            return
        entries += [{"action": "rollback", "from": entries[-1]["to"], "to": {"digest": digest}}]
    pytest.fail("it goes on")


def test_a_project_begun_anew_has_nobody_before() -> None:
    entries = [*told("+a", "+b"), {"action": "promote", "from": None, "to": {"digest": "c"}}]
    assert succession.before(entries) is None


@pytest.mark.parametrize(
    ("acts", "away"),
    [
        ("+a +b", ""),
        ("+a +b -a", "b"),
        ("+a +b -a -b", "a"),
        ("+a +b -a +c", "b"),
        ("+a +b -a +b", ""),
        ("+a +b +c -b -a", "bc"),
    ],
)
def test_whom_a_person_moved_away_from(acts: str, away: str) -> None:
    """A champion that another one beat was not moved away from by anybody."""
    assert set(succession.moved_away_from(told(*acts.split()))) == set(away)


def test_the_promotion_is_the_last_one() -> None:
    entries = told("+a", "+b", "+a", "-b")
    assert succession.promotion(entries, "a") is entries[2]
    assert succession.promotion(entries, "c") is None
