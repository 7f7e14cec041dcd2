"""A project with three champions behind it, whose stages take a moment: real Git, DVC and MLflow,
the real stage `register` and the real promotion. The second came of code that was not committed."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.command_line import perennial
from tests.integration.pipelines import NOBODY
from tests.integration.registered import RECIPES, fitted

from perennial import paths
from perennial.adapters import dag
from perennial.commands.promote import promote
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.stages.register import register

ROOT = Path(__file__).parents[2]
MONTHS = ("2009-08", "2009-09", "2009-10", "2009-12", "2010-01")
DVC_YAML = """
stages:
  accept:
    cmd: python src/small.py accept
    deps: [data/batches]
    outs: [data/accepted]
  decide:
    cmd: python src/small.py decide
    params:
    - champion.json: [digest, plan]
    deps: [data/accepted, src]
    outs: [data/plan.json]
  features:
    cmd: python src/small.py features
    params: [seed]
    deps: [data/plan.json, src]
    outs: [data/features]
  train:
    cmd: python src/small.py train
    deps: [data/features, src]
    outs: [models/candidate]
    metrics:
    - reports/metrics.json: {cache: false}
  judge:
    cmd: python src/small.py judge
    params:
    - champion.json: [digest, plan]
    deps: [models/candidate, reports/metrics.json, src]
    metrics:
    - reports/gate.json: {cache: false}
  register:
    cmd: python -m perennial.stages.register
    always_changed: true
    deps: [reports/gate.json]
"""
STAGES = '''
"""Stages that do next to nothing, by what they are given alone; but for LEAK, which is not."""
import hashlib, json, os, pathlib, shutil, sys
from perennial.adapters import bundles, files
from perennial.adapters.parquet.batches import describe, find

def read(path):
    return json.loads(pathlib.Path(path).read_text())

def accept():
    shutil.copytree("data/batches", "data/accepted", dirs_exist_ok=True)

def decide():
    refs = [describe(batch) for batch in find(pathlib.Path("data/accepted"))]
    plan = read("champion.json")["plan"]
    if plan is None or refs[-1]["period"] != plan["parts"]["holdout"][-1]["period"]:
        parts = {"train": refs[:-2], "calibration": refs[-2:-1], "holdout": refs[-1:]}
        plan = {"schema_version": 1, "action": "bootstrap", "because": "bootstrap", "parts": parts,
                "split": {"kind": "time", "key": None}, "hyperparameters": None}
    files.write_bytes(pathlib.Path("data/plan.json"), files.exact_json_bytes(plan))

def features():
    seed = [line for line in open("params.yaml") if line.startswith("seed:")]
    for part, refs in read("data/plan.json")["parts"].items():
        paths = [pathlib.Path("data/accepted", ref["period"] + ".parquet") for ref in refs]
        seen = [files.sha256(path) for path in paths]
        assert seen == [ref["sha256"] for ref in refs]
        text = "\\n".join([*seen, *seed])
        files.write_bytes(pathlib.Path("data/features") / f"{part}.txt", text.encode())

def train():
    made = {path.name: path.read_bytes() for path in pathlib.Path("src/artefacts").iterdir()}
    seen = b"".join(p.read_bytes() for p in sorted(pathlib.Path("data/features").iterdir()))
    seen += b"another way" * ANOTHER + os.environ.get("LEAK", "").encode()
    score = int(hashlib.sha256(seen).hexdigest()[:4], 16) / 2**16
    model = json.loads(made["model.json"])
    model["decision"]["threshold"] = score
    made["model.json"] = json.dumps(model).encode()
    bundles.write(pathlib.Path("models/candidate"), made)
    value = {"value": score, "low": score, "high": score, "n": 10}
    files.write_json(pathlib.Path("reports/metrics.json"), {"holdout": {"roc_auc": value}})

def judge():
    candidate = bundles.digest(pathlib.Path("models/candidate"))
    champion = read("champion.json")["digest"]
    if champion is not None:  # as the real one: it must be had
        assert bundles.is_whole(pathlib.Path("models/champion"), champion)
    gate = {"name": "floor", "verdict": "pass"}
    report = {"verdict": "keep" if candidate == champion else "promote", "why": "as told",
              "candidate": candidate, "champion": champion, "gates": [gate]}
    files.write_json(pathlib.Path("reports/gate.json"), report)

ANOTHER = 0
try:
    from new import ANOTHER
except ImportError:
    pass
{"accept": accept, "decide": decide, "features": features, "train": train,
 "judge": judge}[sys.argv[1]]()
'''
GONE = """
schema: '2.0'
stages:
  gone:
    cmd: python src/small.py gone
    outs:
    - {path: reports/gone.json, hash: md5, md5: d41d8cd98f00b204e9800998ecf8427e, size: 0}
"""
IGNORED = "/.perennial/\n/data/batches/\n/reports/registration.json\n*.secret\n__pycache__/\n"
SECRET = "swordfish-of-the-test"


@dataclass(frozen=True)
class Derivable:
    """The project's folder; `digests` are those of its versions, oldest first."""

    folder: Path
    digests: tuple[str, ...]

    @property
    def remote(self) -> Path:
        return self.folder.parent / "store"

    def copy(self, folder: Path) -> "Derivable":
        """Return a copy, its remote included, for a test to spoil."""
        shutil.copytree(self.folder.parent, folder, symlinks=True)
        return Derivable(folder / self.folder.name, self.digests)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@contextlib.contextmanager
def within(folder: Path) -> Iterator[None]:
    """Be in the folder, with the `python` of dvc.yaml this one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        patched.setenv("PYTHONPATH", str(ROOT / "src"))
        yield


def make(folder: Path, candidate: Candidate) -> Derivable:
    """Make the project and its three champions."""
    (folder / "src/artefacts").mkdir(parents=True)
    for name, content in to_artefacts(candidate).items():
        (folder / "src/artefacts" / name).write_bytes(content)
    (folder / "dvc.yaml").write_text(textwrap.dedent(DVC_YAML))
    (folder / "dvc.lock").write_text(textwrap.dedent(GONE))
    (folder / "src/small.py").write_text(STAGES)
    (folder / ".gitignore").write_text(IGNORED)
    (folder / ".dvcignore").write_text("__pycache__\n")
    (folder / "champion.json").write_text(json.dumps(NOBODY))
    shutil.copy(ROOT / "params.yaml", folder)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text(
        "[core]\n    analytics = false\n    autostage = false\n    remote = store\n"
        '[remote "store"]\n    url = ../../store\n'
    )
    (folder / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (folder.parent / "store").mkdir()
    git(folder, "init", "-q", "-b", "main")
    digests = []
    with within(folder):
        for count in (3, 4, 5):
            deliver(folder, count)
            if count != 4:
                publish(folder, f"{count} months")
            else:  # code that is new, and what must not be recorded of it
                (folder / "src/new.py").write_text("ANOTHER = 1\n")
                (folder / "expectations").mkdir()
                (folder / "expectations/own.secret").write_text(SECRET)
                (folder / ".env").write_text(f"TOKEN={SECRET}\n")
                (folder / "README.md").write_text("# not read by any stage\n")
            run()
            digests.append(promote().champion.digest)
            run()
            dag.push("store")
            publish(folder, f"champion of {count} months")
    return Derivable(folder, tuple(digests))


def deliver(folder: Path, count: int) -> None:
    """Have the first months of all there."""
    (folder / paths.BATCHES).mkdir(parents=True, exist_ok=True)
    for month in MONTHS[:count]:
        shutil.copy(ROOT / paths.BATCHES / f"{month}.parquet", folder / paths.BATCHES)


def publish(folder: Path, what: str) -> None:
    git(folder, "add", "--all")
    git(folder, "reset", "-q", "--", ".env")
    git(folder, "commit", "-q", "--allow-empty", "-m", what)


def run() -> None:
    """Run the DAG; `register` in this process, which has MLflow imported."""

    def visit(step: dag.Step) -> None:
        if step.name == "register":
            register()
        else:
            step.run(lambda _: None)

    dag.walk(visit)


def state(folder: Path) -> dict[str, Any]:
    """What a reproduction must leave as it is: all but its own folder, and locks."""
    own = (
        paths.STATE / "reproduce",
        Path(".dvc/tmp"),
        paths.STATE / "status",
        paths.STATE / "logs",
    )
    there = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix != ".lock"]
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in there
        if not any(p.is_relative_to(folder / place) for place in own)
    }


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Derivable:
    return make(tmp_path_factory.mktemp("derivable") / "project", fitted(RECIPES["boosted"]))


@pytest.fixture
def project(three: Derivable, tmp_path: Path) -> Iterator[Derivable]:
    """A copy of the project, as the current folder."""
    made = three.copy(tmp_path / "copy")
    with within(made.folder):
        yield made


def reproduce(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = perennial("reproduce", *arguments, "--json")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, json.loads(done.stdout)


def lineage(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = perennial("lineage", *arguments, "--json")
    return done.exit_code, json.loads(done.stdout)


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
