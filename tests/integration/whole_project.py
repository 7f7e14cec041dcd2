"""A project with a champion: registered, promoted, tracked by DVC; all that `verify` looks at."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.integration.registered import NAME, Project

from perennial import paths
from perennial.adapters import dag, histories, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.commands import entries
from perennial.core.ledger import hash_chain

DVC_YAML = """
stages:
  train:
    cmd: "true"
    outs: [models/candidate]
    metrics:
    - reports/metrics.json: {cache: false}
"""


@pytest.fixture(scope="module")
def promoted_project(registered: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The registered candidate as champion, everywhere that a promotion puts it."""
    folder = tmp_path_factory.mktemp("promoted") / "p"
    shutil.copytree(registered.folder, folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        (folder / ".dvc").mkdir()
        (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
        (folder / "dvc.yaml").write_text(DVC_YAML)
        (folder / "dvc.lock").unlink()
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        shutil.copytree(paths.CANDIDATE, paths.CHAMPION_BUNDLE)
        dag.track(paths.CHAMPION_BUNDLE)
        with dag.opening.opened() as repo:
            repo.commit(force=True)
        project = Project(folder, registered.digest, registered.candidate)
        _promote(project)
    return project


def _promote(project: Project) -> None:
    plan = json.loads(paths.PLAN.read_text())
    objects = {
        "plan": {"sha256": entries.plan_digest(plan), "md5": None},
        "bundle": {"md5": dag.md5_in_lock(paths.CANDIDATE)},
    }
    after = {"version": "1", "digest": project.digest}
    made = entries.made("promote", None, after, objects, "promote", "no gate blocks")
    entry = hash_chain.seal(made, hash_chain.GENESIS)
    champions.write(
        Champion(NAME, "1", project.digest, plan, "promote", entry["when"], [], entry["sha256"])
    )
    histories.append(entry)
    # the database names the folder that it was copied from until it is written to
    registry.register(project.uri, _record(project))
    registry.set_alias(project.uri, NAME, "champion", "1")


def _record(project: Project) -> registry.Record:
    from tests.integration.registered import record

    return record(project)


@pytest.fixture
def champion_project(
    promoted_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """The same folder as the current one: whoever changes it puts it back."""
    monkeypatch.chdir(promoted_project.folder)
    return promoted_project
