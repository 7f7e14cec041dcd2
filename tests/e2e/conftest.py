"""One whole run of the shipped project, small: a clone with a short search, shared by the tests."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from filelock import FileLock

ROOT = Path(__file__).parents[2]
GUARD = Path(__file__).parent / "guard"


@dataclass(frozen=True)
class Project:
    """A clone of the project, and how to work in it."""

    folder: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the virtual environment; only loopback can be reached."""
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PERENNIAL_", "PREFECT_"))}
        env |= {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{GUARD}{os.pathsep}{self.folder / 'src'}",
            "NETWORK_GUARD_LOG": str(self.folder.parent / "network.log"),
            **environment,
        }
        return subprocess.run(
            command, cwd=self.folder, env=env, text=True, capture_output=True, check=False
        )

    def perennial(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "perennial.cli", *arguments, **environment)

    def dvc(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("dvc", *arguments, **environment)

    def read(self, path: str) -> Any:
        return json.loads((self.folder / path).read_text())

    def lock(self) -> dict[str, Any]:
        """The stages of dvc.lock, as they last ran."""
        return yaml.safe_load((self.folder / "dvc.lock").read_text())["stages"]

    def edit(self, path: str, pattern: str, replacement: str) -> None:
        """Replace the one place where the pattern is found."""
        file = self.folder / path
        text, count = re.subn(pattern, replacement, file.read_text(), flags=re.MULTILINE)
        assert count == 1, f"{pattern!r} is {count} times in {path}"
        file.write_text(text)

    def copy(self, folder: Path) -> "Project":
        """Return this project, its state included, in another place."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def ran(self, output: str) -> set[str]:
        """The stages that `dvc repro` says it ran."""
        return set(re.findall(r"Running stage '(\w+)'", output))


def name_nobody(project: Project) -> None:
    """Make champion.json name nobody, as in the project that ships."""
    model = project.read("champion.json")["model"]
    nobody = dict.fromkeys(("version", "digest", "plan", "verdict", "when"))
    content = {"schema_version": 1, "model": model, "attempts": [], **nobody}
    (project.folder / "champion.json").write_text(json.dumps(content))
    for name in ("models/champion.dvc", "history.jsonl"):
        (project.folder / name).unlink(missing_ok=True)


def clone(folder: Path) -> Project:
    """Clone the working tree as it is, committed or not, and make its search small."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    project = Project(folder)
    name_nobody(project)
    project.edit("params.yaml", r"^  trials: \d+", "  trials: 4")
    project.edit("params.yaml", r"^  max_rounds: \d+", "  max_rounds: 60")
    project.edit("params.yaml", r"^  replicates: 2000", "  replicates: 500")
    for command in (
        ["git", "init", "-q", "-b", "main"],
        ["git", "add", "--all"],
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "start"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    return project


NAME, PHONE = "Qzxv-Žanna", 7391846021
SECRETS = {  # what the environment of a run has that must not be written anywhere
    "AWS_SECRET_ACCESS_KEY": "wJqz+PlantedAccessKey+7",
    "GITHUB_TOKEN": "ghp_qzPlantedToken8",
    "MLFLOW_TRACKING_PASSWORD": "qz-planted-tracking-9",
    "PERENNIAL_DATABASE_PASSWORD": "qz-planted-database-10",
    # nobody listens there, and a promotion that can't be told is one all the same
    "PERENNIAL_ALERT_WEBHOOK": "http://127.0.0.1:9/hooks/qz-planted-hook-11",
}


def name_people(project: Project) -> None:
    """Give each row of each batch a name and a number, and mark both columns as such."""
    for path in (project.folder / "data/batches").glob("*.parquet"):
        batch = pd.read_parquet(path)
        names = [f"{NAME} {path.stem} {n}" for n in range(len(batch))]
        batch.assign(name=names, phone=PHONE).to_parquet(path, index=False)
    project.edit("params.yaml", r"^  pii: \[\]", "  pii: [name, phone]")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """A function that makes a fresh clone by a name of its own."""

    def make(name: str) -> Project:
        return clone(tmp_path_factory.mktemp(name) / "project")

    return make


@pytest.fixture(scope="session")
def done(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Project, subprocess.CompletedProcess[str]]:
    """A fresh clone in which `perennial run` has been run once, and what it said.

    It is made once for all processes of the tests. Its batches say who somebody is, in columns that
    `data.pii` names; test_main_job.py looks for them.
    """
    base = tmp_path_factory.getbasetemp()
    # each process of pytest-xdist has a folder of its own below one that all have
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "done"
    said = root / "said.json"
    with FileLock(f"{root}.lock"):
        if not said.exists():
            project = clone(root / "project")
            name_people(project)
            result = project.perennial("run", **SECRETS)
            answer = (result.returncode, result.stdout, result.stderr)
            said.write_text(json.dumps(answer))
    answer = json.loads(said.read_text())
    return Project(root / "project"), subprocess.CompletedProcess(["perennial", "run"], *answer)


@pytest.fixture
def project(done: tuple[Project, subprocess.CompletedProcess[str]], tmp_path: Path) -> Project:
    """A copy of the finished project, for a test to change."""
    return done[0].copy(tmp_path / "project")
