"""What GitHub's workflows may do, and whose code they run."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
SCOPES = {"contents", "pull-requests"}


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
    granted = [workflow.get("permissions"), *(j.get("permissions") for j in jobs(workflow))]
    if granted[0] is None or "write" in granted[0].values():
        found.append("the workflow as a whole has more than it needs, or does not say")
    for permissions in granted[1:]:
        if permissions is not None and not set(permissions) <= SCOPES:
            found.append(f"permissions {permissions}")
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


def jobs(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return list(workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_pinned_code_with_few_permissions(path: Path) -> None:
    """Each action by its commit, each permission stated, no expression inside of a command."""
    assert faults(load(path)) == []


FAULTS = {
    "a tag": lambda w: steps(w)[0].update(uses="actions/checkout@v5"),
    "no permissions": lambda w: w.pop("permissions"),
    "all may write": lambda w: w.update(permissions={"contents": "write"}),
    "a job that may publish": lambda w: jobs(w)[0].update(permissions={"packages": "write"}),
    "an injection": lambda w: steps(w)[-1].update(run="echo ${{ inputs.request }}"),
    "for ever": lambda w: jobs(w)[0].pop("timeout-minutes"),
}


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
