"""A bare Git remote, a folder as DVC's remote, and retraining in a clone as a job does it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.e2e.conftest import Project

BOT = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "bot", "EMAIL": "bot@example.org"}.items()
}


@dataclass(frozen=True)
class Site:
    """The two remotes, and where clones of the one go."""

    root: Path

    @property
    def bare(self) -> Path:
        return self.root / "bare.git"

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        done = subprocess.run(
            command, cwd=folder or self.bare, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def clone(self, name: str) -> Project:
        self.git("clone", "-q", str(self.bare), str(self.root / name / "project"), folder=self.root)
        return Project(self.root / name / "project")

    def publish(self, project: Project, what: str) -> None:
        """Commit all that differs, and push it to the branch that people work on."""
        self.git("add", "--all", folder=project.folder)
        self.git("commit", "-qm", what, folder=project.folder)
        self.git("push", "-q", "origin", "HEAD:main", folder=project.folder)

    def branches(self) -> dict[str, str]:
        listed = self.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
        return dict(line.split() for line in listed.splitlines())

    def copy(self, folder: Path) -> "Site":
        shutil.copytree(self.root, folder, symlinks=True)
        return Site(folder)


@dataclass(frozen=True)
class Run:
    """What a run left for the next steps of a job."""

    code: int
    told: str
    outputs: dict[str, str]
    summary: str


def retrain(project: Project, *arguments: str) -> Run:
    """Run it as a job of GitHub Actions would."""
    output, summary = (project.folder.parent / name for name in ("output", "summary.md"))
    for path in (output, summary):
        path.write_text("")
    done = project.perennial(
        *("retrain", "--push", *arguments),
        GITHUB_OUTPUT=str(output),
        GITHUB_STEP_SUMMARY=str(summary),
        **BOT,
    )
    pairs = [line.split("=", 1) for line in output.read_text().splitlines()]
    told = f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    return Run(done.returncode, told, dict(pairs), summary.read_text())


def deliver(project: Project) -> None:
    """Put two months there: real rows, of people with 20,000 more, called 25 times more often."""
    months = [f"2010-0{month}" for month in range(1, 9)]
    known = [pd.read_parquet(project.folder / f"data/batches/{month}.parquet") for month in months]
    rows = pd.concat(known, ignore_index=True)
    rows["balance"] += 20_000
    rows["campaign"] += 25
    for first, month in enumerate(("2010-09", "2010-10")):
        part = rows.iloc[first::2].reset_index(drop=True)
        part.to_parquet(project.folder / f"data/batches/{month}.parquet", index=False)
