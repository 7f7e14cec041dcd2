"""A small pipeline with real Git and DVC, whose stages do as a test says.

first → second → judge, and last, which always runs. A stage reads `behave/<name>` when it starts:
what it prints, which status it leaves, how it ends.
"""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perennial.adapters import dag
from perennial.errors import PerennialError

STAGES = ("first", "second", "judge", "last")
DVC_YAML = """
stages:
  first:
    cmd: python stage.py first
    deps: [input.txt]
    outs: [data/first.txt]
  second:
    cmd: python stage.py second
    deps: [data/first.txt]
    outs: [data/second.txt]
  judge:
    cmd: python stage.py judge
    deps: [data/second.txt, verdict.txt]
    outs: [data/plan.json]
    metrics:
    - reports/gate.json: {cache: false}
    - reports/metrics.json: {cache: false}
  last:
    cmd: python stage.py last
    always_changed: true
    deps: [reports/gate.json]
"""
STAGE = """
import json, os, pathlib, sys, time
name = sys.argv[1]
root = pathlib.Path.cwd()
with (root / "ran.txt").open("a") as file:
    file.write(name + "\\n")
path = root / "behave" / (name + ".json")
behave = json.loads(path.read_text()) if path.exists() else {}
for line in behave.get("says", [name + ": done as told"]):
    print(line)
if "waits_for" in behave:
    until = time.monotonic() + 20
    while not (root / behave["waits_for"]).exists() and time.monotonic() < until:
        time.sleep(0.02)
    print("waited in vain" if time.monotonic() > until else "heard")
if "shows" in behave:
    (root / "shown.txt").write_text((root / behave["shows"]).read_text())
if behave.get("once"):
    path.unlink()
if "code" in behave:
    status = root / ".perennial/status"
    status.mkdir(parents=True, exist_ok=True)
    left = {"stage": name, "exit_code": behave["code"], "message": behave.get("message", "")}
    (status / (name + ".json")).write_text(json.dumps(left))
    sys.exit(behave["code"])
if "signal" in behave:
    os.kill(os.getpid(), behave["signal"])
if behave.get("crashes"):
    raise KeyError("a fault of our own")
for folder in ("data", "reports"):
    (root / folder).mkdir(exist_ok=True)
if name in ("first", "second"):
    before = {"first": "input.txt", "second": "data/first.txt"}[name]
    (root / "data" / (name + ".txt")).write_text((root / before).read_text() + name + "\\n")
for path, content in behave.get("writes", {}).items():
    (root / path).write_text(json.dumps(content))
if name == "judge":
    verdict = (root / "verdict.txt").read_text().strip()
    value = {"value": 0.7, "low": 0.65, "high": 0.75, "n": 1000}
    gate = {"name": "quality_floor", "verdict": "fail" if verdict == "block" else "pass",
            "estimate": value, "threshold": 0.6, "why": "AUC 0.7 [0.65, 0.75] must be above 0.6",
            "insufficient": "block", "blocks": verdict == "block"}
    manifest = root / "models/candidate/manifest.json"
    import hashlib
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.exists() else "c" * 64
    champion = json.loads((root / "champion.json").read_text())["digest"]
    report = {"schema_version": 1, "verdict": verdict, "why": "as told", "candidate": digest,
              "champion": champion, "gates": [gate]}
    if champion == digest:
        report["verdict"] = "keep"
    (root / "reports/gate.json").write_text(json.dumps(report))
    (root / "reports/metrics.json").write_text(json.dumps({"holdout": {"roc_auc": value}}))
    ref = [{"period": "2010-08", "sha256": "0", "rows": 1000}]
    parts = {"train": ref, "calibration": ref, "holdout": ref}
    plan = {"schema_version": 1, "action": "bootstrap", "because": "bootstrap", "parts": parts}
    (root / "data/plan.json").write_text(json.dumps(plan))
    if report["verdict"] == "block":
        status = root / ".perennial/status"
        status.mkdir(parents=True, exist_ok=True)
        left = {"stage": name, "exit_code": 1, "message": ""}
        (status / (name + ".json")).write_text(json.dumps(left))
        sys.exit(1)
"""
ROOT = Path(__file__).parents[2]
PLAN_OF_JUDGE = "    outs: [data/plan.json]\n"
SECOND = """    outs: [data/second.txt, data/plan.json]
    metrics:
    - reports/drift.json: {cache: false}"""
NOBODY = {"schema_version": 1, "model": "bank-deposits", "attempts": []} | dict.fromkeys(
    ("version", "digest", "plan", "verdict", "when")
)


@dataclass(frozen=True)
class Pipeline:
    """The small pipeline's folder, and how to have it do what a test is about."""

    folder: Path

    def behave(self, stage: str, **how: Any) -> None:
        """Have a stage behave: `says`, `code` and `message`, `signal`, `waits_for`, `once`,
        `writes`, `shows` (the file that shown.txt is to be a copy of)."""
        path = self.folder / "behave" / f"{stage}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(how))

    def touch(self, text: str) -> None:
        """Change what the first stage depends on."""
        (self.folder / "input.txt").write_text(f"{text}\n")

    def verdict(self, verdict: str) -> None:
        """Choose the verdict of the next judgement."""
        (self.folder / "verdict.txt").write_text(f"{verdict}\n")

    def ran(self) -> list[str]:
        """Return the stages that ran since the last time that this was asked."""
        path = self.folder / "ran.txt"
        names = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return names

    def dvc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run DVC's own command line."""
        env = {**os.environ, "DVC_NO_ANALYTICS": "1"}
        return subprocess.run(
            ["dvc", *arguments],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )


def make(folder: Path) -> Pipeline:
    """Make the pipeline in a new folder, which nothing was run in."""
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n    autostage = false\n")
    (folder / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (folder / "dvc.yaml").write_text(textwrap.dedent(DVC_YAML))
    (folder / "stage.py").write_text(STAGE)
    (folder / "input.txt").write_text("start\n")
    (folder / "verdict.txt").write_text("keep\n")
    (folder / "champion.json").write_text(json.dumps(NOBODY))
    (folder / ".gitignore").write_text("/.perennial/\n/behave/\n/ran.txt\n")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    return Pipeline(folder)


DRIFT = {"period": "2010-12", "reference": None, "n": 400, "tests": []}


def enter(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Make a pipeline the current folder, with this environment's DVC and Python first."""
    monkeypatch.chdir(pipeline.folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return pipeline


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The pipeline as it is made, as the current folder."""
    return enter(make(tmp_path / "project"), monkeypatch)


def walk(said: list[str] | None = None) -> dict[str, str]:
    """Walk all stages and return each one's outcome, in order."""
    outcomes: dict[str, str] = {}

    def visit(step: dag.Step) -> None:
        outcomes[step.name] = step.run((said if said is not None else []).append)

    dag.walk(visit)
    return outcomes


def failing(expected: type[PerennialError]) -> PerennialError:
    """Walk until the error that stops it, and return that."""
    with pytest.raises(PerennialError) as caught:
        walk()
    assert type(caught.value) is expected
    return caught.value


def make_monitored(folder: Path) -> Pipeline:
    """Make the pipeline with params.yaml and a second stage that writes the plan and the drift."""
    made = make(folder)
    definition = folder / "dvc.yaml"
    text = definition.read_text()
    text = text.replace("    outs: [data/second.txt]", SECOND).replace(PLAN_OF_JUDGE, "")
    definition.write_text(text)
    stage = folder / "stage.py"
    stage.write_text(stage.read_text().replace('(root / "data/plan.json").write_text', "str"))
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    for name in ("flows", "prefect.yaml"):
        (folder / name).symlink_to(ROOT / name)
    drifts(made, "keep")
    return made


def drifts(pipeline: Pipeline, action: str, plan: str = "a") -> None:
    """Have the next walk find that something is to be done, by such a plan."""
    verdict = "none" if action == "keep" else "drift"
    drift = {**DRIFT, "action": action, "verdict": verdict, "why": "as the test has it"}
    ref = [{"period": "2010-08", "sha256": "0", "rows": 1000}]
    parts = {"train": ref, "calibration": ref, "holdout": ref}
    content = {"schema_version": 1, "action": action, "because": plan, "parts": parts}
    pipeline.behave("second", writes={"reports/drift.json": drift, "data/plan.json": content})
    pipeline.touch(f"{action} {plan}")
