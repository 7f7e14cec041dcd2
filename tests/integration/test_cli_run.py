"""perennial run: what it shows, how it ends, one run at a time, and what a kill leaves."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.command_line import flow, perennial, pipeline
from tests.integration.pipelines import Pipeline

from perennial import paths
from perennial.adapters import runlock
from perennial.commands import environment

__all__ = ["pipeline"]
VALUE = {"value": 0.712, "low": 0.669, "high": 0.751, "n": 1015}
GATE = {
    "verdict": "promote",
    "why": "no gate blocks",
    "candidate": "c" * 64,
    "champion": None,
    "gates": [
        {
            "name": "quality_floor",
            "verdict": "pass",
            "blocks": False,
            "estimate": VALUE,
            "threshold": 0.6,
            "why": "roc_auc 0.712 [0.669, 0.751] must be above 0.6",
        }
    ],
}
END = {"event": "end", "exit_code": 0, "faults": [], "remedy": None}
JUDGED = {"event": "judged", "gate": GATE, "metrics": {"roc_auc": VALUE}}
STAGE = {"event": "stage", "stage": "tune", "seconds": 61.0, "line": "found it"}


def test_run_shows_stages_verdict_gates_metrics_and_champion(pipeline: Pipeline) -> None:
    flow({**STAGE, "state": "running"}, {**STAGE, "state": "ran"}, JUDGED, END)
    answer = perennial("run")
    assert answer.exit_code == 0, answer.output
    shown = " ".join(answer.output.split())
    assert "✓ tune 1 min 1 s found it" in shown
    assert "Verdict: promote no gate blocks" in shown
    assert "pass 1 gate quality_floor" in shown
    assert "ROC AUC 0.712 [0.669, 0.751]" in shown
    assert "champion now nobody" in shown
    assert "not an event" not in shown


def test_run_as_json_is_json_alone(pipeline: Pipeline) -> None:
    flow({**STAGE, "state": "ran"}, JUDGED, END)
    answer = perennial("run", "--json")
    summary = json.loads(answer.stdout)
    assert summary["verdict"] == "promote"
    assert summary["gates"] == GATE["gates"]
    assert summary["stages"] == [
        {k: v for k, v in STAGE.items() if k != "event"} | {"state": "ran"}
    ]
    assert "tune" in answer.stderr


def test_a_block_is_exit_1_with_the_gate_that_blocks(pipeline: Pipeline) -> None:
    blocks = {**GATE["gates"][0], "verdict": "fail", "blocks": True}  # type: ignore[index]
    gate = {**GATE, "verdict": "block", "why": "quality_floor: too low", "gates": [blocks]}
    flow({**JUDGED, "gate": gate}, {**END, "exit_code": 1, "faults": ["blocked"], "remedy": "see"})
    answer = perennial("run")
    assert answer.exit_code == 1
    assert "BLOCKS  quality_floor" in answer.output
    assert "Verdict: block" in answer.output


@pytest.mark.parametrize("code", [2, 3, 4, 70])
def test_a_failure_is_said_on_stderr_with_its_remedy_and_code(
    pipeline: Pipeline, code: int
) -> None:
    flow({**END, "exit_code": code, "faults": ["b.parquet: torn"], "remedy": "bring it again"})
    answer = perennial("run")
    assert answer.exit_code == code
    assert answer.stderr == "b.parquet: torn\n→ bring it again\n"
    assert "Verdict" not in answer.output


def test_a_flow_that_says_nothing_of_its_end_crashed(pipeline: Pipeline) -> None:
    flow(then="raise KeyError('x')")
    answer = perennial("run")
    assert answer.exit_code == 70
    assert ".perennial/logs/flow.log" in answer.stderr
    assert "KeyError" in (paths.LOGS / "flow.log").read_text()
    assert "Traceback" not in answer.output


def test_wrong_parameters_stop_it_before_anything_starts(pipeline: Pipeline) -> None:
    flow(then="open('started', 'w')")
    with Path("params.yaml").open("a") as file:
        file.write("\nunknown_group: 1\n")
    answer = perennial("run")
    assert answer.exit_code == 2
    assert re.search(r"params\.yaml, line \d+, unknown_group: unknown key", answer.stderr)
    assert not Path("started").exists()


def test_without_prefect_the_extra_is_named(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow(END)
    monkeypatch.setattr(environment, "find_spec", lambda _: None)
    answer = perennial("run")
    assert answer.exit_code == 2
    assert "pip install 'perennial[flows]'" in answer.stderr
    assert "dvc repro" in answer.stderr


@pytest.mark.parametrize("command", ["run", "promote", "rollback", "doctor"])
def test_a_second_run_at_once_says_so_and_leaves(pipeline: Pipeline, command: str) -> None:
    flow(then="open('started', 'w')")
    with runlock.alone():
        answer = perennial(command)
    assert answer.exit_code == 4
    assert f"another run is at work in this project (process {os.getpid()}" in answer.stderr
    assert not Path("started").exists()


def started(then: str) -> "subprocess.Popen[str]":
    """Start `perennial run` with a flow that is at work, and wait until it is."""
    flow({**STAGE, "state": "ran"}, then=then)
    # a shell starts what it puts in the background with SIGINT ignored, and children inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "perennial.cli", "run"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "tune" in process.stdout.readline()
    return process


def gone(pid: int) -> bool:
    """Return whether a process is gone, or will be in a moment."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_it_stops_the_flow_and_its_stages(pipeline: Pipeline, number: int) -> None:
    process = started(
        "import subprocess; stage = subprocess.Popen(['sleep', '60'])\n"
        "open('pids', 'w').write(f'{os.getpid()} {stage.pid}'); stage.wait()"
    )
    until = time.monotonic() + 10
    while not (Path("pids").exists() and Path("pids").read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(20) == 128 + number
    assert all(gone(int(pid)) for pid in Path("pids").read_text().split()[:1])
    with runlock.alone():
        pass


def test_killing_it_leaves_the_lock_with_the_flow_until_that_ends(pipeline: Pipeline) -> None:
    process = started("while not os.path.exists('go'): time.sleep(0.02)")
    process.kill()
    process.wait()
    assert perennial("run").exit_code == 4
    Path("go").touch()
    flow(END)
    until = time.monotonic() + 10
    while perennial("run").exit_code == 4 and time.monotonic() < until:
        time.sleep(0.05)
    assert perennial("run").exit_code == 0
