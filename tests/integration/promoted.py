"""A project whose candidate may be promoted, for the tests of promotion."""

import copy
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.integration.pipelines import Pipeline, enter, make

from perennial import paths
from perennial.adapters import bundles, dag, files, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion

ROOT = Path(__file__).parents[2]
MODEL = "bank-deposits"


class Registry:
    """A registry in memory: MLflow's own is in test_registry.py."""

    def __init__(self) -> None:
        self.versions: dict[str, registry.Version] = {}
        self.bundles: dict[str, dict[str, bytes]] = {}
        self.aliases: dict[str, str] = {}

    def register(self) -> str:
        """Register the candidate that is here."""
        number, digest = str(len(self.versions) + 1), bundles.digest(paths.CANDIDATE)
        self.versions[number] = registry.Version(number, digest, f"run-{number}", "nowhere")
        self.bundles[number] = {p.name: p.read_bytes() for p in paths.CANDIDATE.iterdir()}
        report = {"model": MODEL, "version": number, "run_id": f"run-{number}", "digest": digest}
        files.write_json(paths.REGISTRATION, {"schema_version": 1, **report})
        return number

    def find_version(self, _: str, __: str, digest: str) -> str | None:
        return next((v.version for v in self.versions.values() if v.digest == digest), None)

    def download(self, _: str, __: str, version: str, folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name, content in self.bundles[version].items():
            (folder / name).write_bytes(content)
        return folder

    def tags(self, *_: str) -> dict[str, dict[str, str]]:
        return {}

    def drop_alias(self, _: str, __: str, alias: str) -> None:
        self.aliases.pop(alias, None)

    def faults(self, _: str, __: str, version: registry.Version) -> list[str]:
        if version.version not in self.bundles:
            return ["its files are gone"]
        with tempfile.TemporaryDirectory() as folder:
            bundle = self.download(_, __, version.version, Path(folder) / "bundle")
            found = bundles.faults(bundle, version.digest)
        return [fault.removeprefix(f"{bundle}/") for fault in found]

    def set_alias(self, _: str, __: str, alias: str, version: str) -> None:
        self.aliases[alias] = version


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, Registry]:
    """A project whose candidate was judged `promote` and registered as version 1."""
    made, known = make(tmp_path_factory.mktemp("judged") / "project"), Registry()
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(made.folder)
        patched.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        shutil.copy(ROOT / "params.yaml", "params.yaml")
        judge(made, known, "first model")
    return made, known


@pytest.fixture
def remembered(judged: tuple[Pipeline, Registry], monkeypatch: pytest.MonkeyPatch) -> Registry:
    known = copy.deepcopy(judged[1])
    for name in ("find_version", "download", "drop_alias", "faults", "set_alias", "tags"):
        monkeypatch.setattr(registry, name, getattr(known, name))
    monkeypatch.setattr(registry, "versions", lambda *_: list(known.versions.values()))
    monkeypatch.setattr(registry, "alias_version", lambda _, __, alias: known.aliases.get(alias))
    return known


@pytest.fixture
def pipeline(
    judged: tuple[Pipeline, Registry],
    remembered: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Pipeline:
    """A copy of the project, for a test to change."""
    shutil.copytree(judged[0].folder, tmp_path / "project")
    return enter(Pipeline(tmp_path / "project"), monkeypatch)


def judge(pipeline: Pipeline, remembered: Registry, model: str) -> None:
    """Make a candidate, judge it `promote` and register it."""
    bundles.write(paths.CANDIDATE, {"model.json": model.encode(), "spec.json": b"{}"})
    pipeline.verdict("promote")
    pipeline.touch(model)
    dag.walk(lambda step: str(step.run(lambda _: None)))
    remembered.register()


def state(remembered: Registry) -> dict[str, Any]:
    """Everything that a promotion leaves, but for the moment it was made at."""
    shown = {
        path.as_posix(): _timeless(path.read_text())
        for path in (paths.CHAMPION, paths.HISTORY, Path("models/champion.dvc"))
    }
    bundle = {p.name: p.read_bytes() for p in paths.CHAMPION_BUNDLE.iterdir()}
    left = sorted(p.name for p in [*Path("models").iterdir(), *paths.STATE.iterdir()])
    return {**shown, "bundle": bundle, "aliases": remembered.aliases, "left": left}


def _timeless(text: str) -> str:
    """Return a text without the moment that a promotion was made at, and what follows from it."""
    text = text.replace(champion().when, "THEN")
    return re.sub(r'("(?:previous|sha256|history)": )"[0-9a-f]{64}"', r"\1THEN", text)


def champion() -> Champion:
    found = champions.read()
    assert found is not None
    return found
