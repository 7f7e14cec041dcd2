"""A disk that is full and a folder that is read-only: one clear message, and nothing lost."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Project


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount a small disk of its own, where the machine lets us."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.call(command):
        pytest.skip("needs to mount a small tmpfs, which only root may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def batches(project: Project) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (project.folder / "data/batches").iterdir()}


def test_a_full_disk_is_named_and_nothing_is_lost(
    fresh: Callable[[str], Project], tmp_path: Path
) -> None:
    with mounted(tmp_path / "small", "size=32M") as disk:
        project = fresh("full").copy(disk / "project")
        before = batches(project)
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - 500_000))
        by_dvc = project.dvc("repro")
        assert by_dvc.returncode != 0
        assert "The disk is full" in by_dvc.stderr
        by_us = project.perennial("run")
        assert by_us.returncode == 2, by_us.stdout + by_us.stderr
        assert "the disk is full" in by_us.stderr
        assert "Traceback" not in by_dvc.stderr + by_us.stderr
        assert batches(project) == before


def test_a_read_only_folder_is_named_and_nothing_is_lost(
    fresh: Callable[[str], Project], tmp_path: Path
) -> None:
    with mounted(tmp_path / "small", "size=200M") as disk:
        project = fresh("readonly").copy(disk / "project")
        (project.folder.parent / "home").mkdir()
        before = batches(project)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        result = project.perennial("run")
        assert result.returncode == 2, result.stdout + result.stderr
        assert str(project.folder) in result.stderr or ".perennial" in result.stderr
        assert "Traceback" not in result.stderr
        assert batches(project) == before
