"""What Git says of a project's code, and dvc.lock of its stages."""

import subprocess
from pathlib import Path

import pytest

from perennial.adapters import git, lockfile
from perennial.errors import InputError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    commands = (
        "git init -q",
        "git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first",
    )
    for command in commands:
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    return tmp_path


def test_outside_of_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert git.commit(tmp_path) is None
    assert git.dirty(tmp_path) is None


def test_without_git_nothing_is_known(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git.commit(repository) is None


def test_before_the_first_commit_nothing_is_known(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert git.commit(tmp_path) is None
    assert git.dirty(tmp_path) is None


def test_a_change_makes_the_code_dirty_unless_it_does_not_count(repository: Path) -> None:
    assert len(git.commit(repository) or "") == 40
    assert git.dirty(repository) is False
    (repository / "reports").mkdir()
    (repository / "reports/a.json").touch()
    (repository / "dvc.lock").touch()
    ignoring = (Path("reports"), Path("dvc.lock"))
    assert git.dirty(repository) is True
    assert git.dirty(repository, ignoring) is False
    (repository / "reports-of-mine.py").touch()
    assert git.dirty(repository, ignoring) is True


def test_a_lock_file_gives_one_digest_a_stage(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    assert lockfile.stage_digests(lock) == {}
    lock.write_text("")
    assert lockfile.stage_digests(lock) == {}
    lock.write_text("schema: '2.0'\nstages:\n  b: {cmd: x, outs: [{md5: 1}]}\n  a: {cmd: x}\n")
    before = lockfile.stage_digests(lock)
    lock.write_text("schema: '2.0'\nstages:\n  b: {outs: [{md5: 2}], cmd: x}\n  a: {cmd: x}\n")
    after = lockfile.stage_digests(lock)
    assert list(before) == ["a", "b"]
    assert before["a"] == after["a"]
    assert before["b"] != after["b"]


@pytest.mark.parametrize("content", ["stages: [", "just text", "stages: 3"])
def test_a_lock_file_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "dvc.lock").write_text(content)
    with pytest.raises(InputError, match=r"dvc\.lock: not readable"):
        lockfile.stage_digests(tmp_path / "dvc.lock")
