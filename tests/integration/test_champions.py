"""champion.json: a champion that can't be read is never nobody."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.errors import IntegrityError

CHAMPION = Champion(
    model="m",
    version="3",
    digest="d" * 64,
    plan={"hyperparameters": {"learning_rate": 0.1 + 0.2}},
    verdict="promote",
    when="2020-01-01T00:00:00Z",
    attempts=[{"period": "2020-01", "verdict": "keep"}],
)


def champion_file(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / "champion.json"
    champions.write(CHAMPION, path)
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))
    return path


def unreadable(path: Path) -> str:
    """Return why it can't be told who is champion, which is never `nobody`."""
    with pytest.raises(IntegrityError) as caught:
        champions.read(path)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_a_champion_comes_back_with_every_digit_of_its_plan(tmp_path: Path) -> None:
    champions.write(CHAMPION, tmp_path / "champion.json")
    assert champions.read(tmp_path / "champion.json") == CHAMPION


def test_the_file_of_a_fresh_clone_names_nobody(tmp_path: Path) -> None:
    named = ("version", "digest", "plan", "verdict", "when")
    path = champion_file(tmp_path, lambda c: c.update(dict.fromkeys(named)))
    assert champions.read(path) is None


@pytest.mark.parametrize("key", ["version", "digest", "plan", "verdict", "when"])
def test_a_champion_named_in_part_is_not_nobody(tmp_path: Path, key: str) -> None:
    path = champion_file(tmp_path, lambda c: c.update({key: None}))
    assert f"without {key}" in unreadable(path)


@pytest.mark.parametrize("key", sorted(champions.KEYS))
def test_a_missing_key_is_not_nobody(tmp_path: Path, key: str) -> None:
    assert key in unreadable(champion_file(tmp_path, lambda c: c.pop(key)))


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    assert "nickname" in unreadable(champion_file(tmp_path, lambda c: c.update(nickname="x")))


def test_a_missing_or_torn_file_is_not_nobody(tmp_path: Path) -> None:
    path = tmp_path / "champion.json"
    unreadable(path)
    champions.write(CHAMPION, path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 9):
        path.write_bytes(whole[:length])
        unreadable(path)
    path.unlink()
    path.mkdir()
    unreadable(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("digest", ""), ("digest", 5), ("plan", "x"), ("version", 3), ("attempts", None)],
)
def test_a_champion_of_a_wrong_type_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    unreadable(champion_file(tmp_path, lambda c: c.update({key: value})))
