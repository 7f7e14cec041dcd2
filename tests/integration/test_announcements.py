"""What was announced is announced again only when that can help."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perennial.commands import announcements

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_plan_is_due_once() -> None:
    """Another plan is due at once."""
    assert announcements.is_due("a", NOW)
    announcements.announced("a", NOW)
    assert not announcements.is_due("a", LATER)
    assert announcements.is_due("b", LATER)


def test_what_was_answered_is_not_due_again_however_long_ago() -> None:
    announcements.announced("a", NOW)
    announcements.answer("answered")
    assert not announcements.is_due("a", NOW + timedelta(days=400))


def test_what_failed_is_due_again_but_not_for_ever() -> None:
    for time in range(announcements.TIMES):
        assert announcements.is_due("a", NOW)
        assert announcements.announced("a", NOW) == time + 1
        announcements.answer("failed")
    assert not announcements.is_due("a", NOW)
    assert announcements.is_due("b", NOW)


def test_what_nobody_answered_for_a_day_is_due_again() -> None:
    announcements.announced("a", NOW)
    assert not announcements.is_due("a", NOW + timedelta(hours=23))
    assert announcements.is_due("a", NOW + timedelta(hours=25))


def test_a_failure_after_the_answer_does_not_ask_again() -> None:
    """It is of another training, for nothing that was announced."""
    announcements.announced("a", NOW)
    announcements.answer("answered")
    announcements.answer("failed")
    assert not announcements.is_due("a", LATER)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_torn_memory_announces_once_more(text: str) -> None:
    announcements.announced("a", NOW)
    announcements.PATH.write_text(text)
    assert announcements.is_due("a", LATER)
    announcements.announced("a", LATER)
    assert not announcements.is_due("a", LATER)
