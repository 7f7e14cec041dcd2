"""A folder as a clone has it, small and with a commit, that `init` can be called in."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.pipelines import NOBODY

from perennial.commands.init import Made, init
from perennial.core.profiling.wished import Wishes

ROOT = Path(__file__).parents[2]
NAMES = ("params.yaml", "dvc.yaml", "expectations/batch.json", "data/README.md")
NAMES += ("data/make_batches.py", "dvc.lock", "reports/validation.json", "reports/.gitignore")


def git(folder: Path, *arguments: str) -> str:
    named = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", *named, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped") / "project"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "champion.json").write_text(json.dumps(NOBODY))
    shutil.copytree(ROOT / "data/batches", folder / "data/batches")
    (folder / ".gitignore").write_text("/.perennial/\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "shipped")
    return folder


@pytest.fixture
def project(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is the working folder."""
    folder = tmp_path / "project"
    shutil.copytree(shipped, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PERENNIAL_RUN_LOCK", raising=False)
    return folder


Init = Callable[..., Made]


@pytest.fixture
def call(project: Path) -> Init:
    def act(data: object, target: str, **how: object) -> Made:
        options = {name: how.pop(name) for name in ("query", "dry_run", "force") if name in how}
        return init(str(data), options.pop("query", None), Wishes(target, **how), **options)  # type: ignore[arg-type]

    return act


def state(folder: Path) -> dict[str, bytes]:
    """Every file but Git's own, and its content."""
    found = {}
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(base) / name
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
