"""What GitHub's workflows may do, and whose code they run."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
LEVELS = ("none", "read", "write")
COMMENTED = re.compile(r"uses: [^@\s]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
SCOPES = {"contents": "read", "pull-requests": "none"}  # what any job may have
MORE = {"retrain": {"contents": "write", "pull-requests": "write"}}  # jobs that need more, by name


def load(path: Path) -> dict[str, Any]:
    # YAML 1.1 takes the key `on` for a truth value; GitHub doesn't
    content = yaml.safe_load(path.read_text())
    content["on"] = content.pop(True, content.get("on"))
    return content


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def faults(workflow: dict[str, Any]) -> list[str]:
    """Return what is wrong with a workflow's permissions, actions, times and commands."""
    found = []
    if workflow.get("permissions") != {}:
        found.append("the workflow as a whole has more than nothing, or does not say")
    for name, job in workflow["jobs"].items():
        granted, most = job.get("permissions"), SCOPES | MORE.get(name, {})
        if granted is None or not isinstance(granted, dict):
            found.append(f"{job['name']}: does not say what it needs")
        elif any(
            LEVELS.index(level) > LEVELS.index(most.get(scope, "none"))
            for scope, level in granted.items()
        ):
            found.append(f"{job['name']}: permissions {granted}")
        found += _tokens(job)
    found += [
        f"{job['name']}: no time limit" for job in jobs(workflow) if "timeout-minutes" not in job
    ]
    for step in steps(workflow):
        if ("uses" in step) == ("run" in step):
            found.append(f"{step}: neither an action nor a command")
        if "uses" in step and not PINNED.fullmatch(step["uses"]):
            found.append(f"{step['uses']}: not pinned by its commit")
        if "${{" in step.get("run", ""):
            found.append(f"{step['run']}: what is written in there becomes a command")
    return found


def _tokens(job: dict[str, Any]) -> list[str]:
    """Return where a token is left in .git of a job that pushes nothing."""
    granted = job.get("permissions")
    writes = isinstance(granted, dict) and granted.get("contents") == "write"
    return [
        f"{job['name']}: the checkout leaves its token to every later step"
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/checkout@")
        and not writes
        and step.get("with", {}).get("persist-credentials") is not False
    ]


def jobs(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return list(workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_pinned_code_with_few_permissions(path: Path) -> None:
    """Each action by its commit, each permission stated, no expression inside of a command."""
    assert faults(load(path)) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_pin_says_which_version_it_is(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert lines
    assert [line for line in lines if not COMMENTED.search(line)] == []


def test_one_action_has_one_pin() -> None:
    """A commit that one workflow was moved to is not left behind in another."""
    used = {step["uses"] for path in WORKFLOWS for step in steps(load(path)) if "uses" in step}
    assert len({use.partition("@")[0] for use in used}) == len(used)


FAULTS = {
    "a tag": lambda w: steps(w)[0].update(uses="actions/checkout@v5"),
    "a branch": lambda w: steps(w)[1].update(uses="actions/setup-python@main"),
    "a short commit": lambda w: steps(w)[1].update(uses="actions/setup-python@e797f83"),
    "no permissions": lambda w: w.pop("permissions"),
    "all may write": lambda w: w.update(permissions={"contents": "write"}),
    "all may do all": lambda w: w.update(permissions="write-all"),
    "an injection": lambda w: steps(w)[-1].update(run="echo ${{ inputs.request }}"),
    "for ever": lambda w: jobs(w)[0].pop("timeout-minutes"),
}
READER = {
    "a job that does not say": lambda w: jobs(w)[0].pop("permissions"),
    "a job that may do all": lambda w: jobs(w)[0].update(permissions="write-all"),
    "a job that may publish": lambda w: jobs(w)[0].update(permissions={"packages": "write"}),
    "an identity": lambda w: jobs(w)[0].update(permissions={"id-token": "write"}),
    "a push from a job that only reads": lambda w: jobs(w)[0].update(
        permissions={"contents": "write"}
    ),
    "a token that is left": lambda w: steps(w)[0].pop("with"),
}


@pytest.mark.parametrize("plant", READER.values(), ids=READER)
def test_each_fault_of_a_workflow_that_only_reads_is_found(plant: Any) -> None:
    workflow = copy.deepcopy(load(ROOT / ".github/workflows/supply-chain.yml"))
    plant(workflow)
    assert len(faults(workflow)) == 1


@pytest.mark.parametrize("plant", FAULTS.values(), ids=FAULTS)
def test_each_fault_of_a_workflow_is_found(plant: Any) -> None:
    """The check itself fails on what it is for."""
    workflow = copy.deepcopy(load(ROOT / ".github/workflows/retrain.yml"))
    plant(workflow)
    assert len(faults(workflow)) == 1


def test_retraining_has_its_triggers_and_one_run_at_a_time() -> None:
    """By the clock, by hand, by a call from elsewhere and by a batch; a run is not cut short."""
    workflow = load(ROOT / ".github/workflows/retrain.yml")
    assert set(workflow["on"]) == {"schedule", "push", "repository_dispatch", "workflow_dispatch"}
    assert workflow["on"]["push"]["paths"] == ["data/batches/**"]
    assert workflow["concurrency"] == {"group": "retrain", "cancel-in-progress": False}


def test_requests_are_those_of_the_parameters() -> None:
    """The choices of a manual run are the values that policy.request may have."""
    from typing import get_args

    from perennial.commands.retrain import Request
    from perennial.params import Policy

    workflow = load(ROOT / ".github/workflows/retrain.yml")
    offered = workflow["on"]["workflow_dispatch"]["inputs"]["request"]["options"]
    assert offered == list(get_args(Request))
    assert offered == list(get_args(Policy.model_fields["request"].annotation))


def test_outputs_that_are_read_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow reads no output of the step that the command does not set."""
    text = (ROOT / ".github/workflows/retrain.yml").read_text()
    read = set(re.findall(r"steps\.retrain\.outputs\.(\w+)", text))
    source = (ROOT / "src/perennial/commands/retrain.py").read_text()
    assert read
    assert all(f'"{name}"' in source for name in read)
