"""The command line: help, errors and their exit codes, and what each command but `run` says."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.command_line import perennial, pipeline
from tests.integration.pipelines import STAGES, Pipeline

from perennial import paths
from perennial.adapters import histories
from perennial.adapters.bundles import champions
from perennial.cli import app
from perennial.core.ledger import hash_chain

__all__ = ["pipeline"]
COMMANDS = [
    command.callback.__name__.replace("_", "-")
    for command in app.registered_commands
    if command.callback
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    shown = perennial(command, "--help").output
    assert re.search(rf"Example: .*perennial {command}", shown)


def test_help_says_what_exit_codes_mean() -> None:
    shown = " ".join(perennial("--help").output.split())
    assert "0 done, 1 blocked by a gate, 2 your input is wrong, 3 a digest differs, 4" in shown


def test_starting_up_imports_nothing_slow(pipeline: Pipeline) -> None:
    """Neither --help nor status waits for what only a run needs."""
    slow = ("prefect", "mlflow", "pandas", "numpy", "xgboost", "sklearn", "great_expectations")
    code = (
        "import sys; from typer.testing import CliRunner; from perennial.cli import app;"
        "answer = CliRunner().invoke(app, sys.argv[1:]);"
        f"print([m for m in {(*slow, 'dvc')} if m in sys.modules], answer.exit_code)"
    )
    for arguments, expected in ((["--help"], "[] 0"), (["status"], "['dvc'] 0")):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


def test_a_traceback_is_shown_for_debug_only(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("champion.json").write_text("{")
    command = [sys.executable, "-m", "perennial.cli"]
    for arguments, shown in ((["status"], False), (["--debug", "status"], True)):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert "champion.json: can't tell who is champion" in done.stderr
        assert ("Traceback" in done.stderr) == shown
    done = subprocess.run(
        [*command, "status", "--debug"], capture_output=True, text=True, check=False
    )
    assert "Traceback" in done.stderr


def test_a_fault_of_our_own_is_said_to_be_one(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(champions, "read", broken)
    answer = perennial("status")
    assert answer.exit_code == 70
    assert "no fault of your input" in answer.stderr
    assert "Traceback" not in answer.output


def test_an_error_is_json_where_json_was_asked_for(pipeline: Pipeline) -> None:
    Path("champion.json").write_text("{")
    answer = perennial("status", "--json")
    assert json.loads(answer.stdout)["exit_code"] == answer.exit_code == 3


def test_status_of_a_fresh_clone(pipeline: Pipeline) -> None:
    """Nothing was run: nobody is champion, everything is to be done, nothing is wrong."""
    answer = perennial("status")
    assert answer.exit_code == 0, answer.output
    shown = " ".join(answer.output.split())
    assert "champion nobody" in shown
    for name in STAGES:
        assert f"{name} (never run)" in shown


def test_status_after_a_run(pipeline: Pipeline) -> None:
    """Champion, plan, verdicts, what is set aside and what is stale; for a program too."""
    pipeline.dvc("repro")
    batches = [{"period": "2010-07", "quarantined": True, "why": "a column is missing"}]
    paths.VALIDATION_REPORT.write_text(json.dumps({"batches": batches}))
    drift = {"period": "2010-09", "verdict": "drift", "action": "retrain", "why": "age moved"}
    paths.DRIFT_REPORT.write_text(json.dumps(drift))
    plan = json.loads(paths.PLAN.read_text())
    champions.write(
        champions.Champion("m", "3", "d" * 64, plan, "promote", "2026-01-01T00:00:00Z", [])
    )
    pipeline.touch("other")
    shown = " ".join(perennial("status").output.split())
    assert "m version 3 (dddddddddddd), since 2026-01-01T00:00:00Z" in shown
    assert "plan bootstrap (because: bootstrap) train: 2010-08 to 2010-08, 1 batch" in shown
    assert "drift drift → retrain: age moved" in shown
    assert "gate keep: as told" in shown
    assert "quarantined 2010-07: a column is missing" in shown
    assert "stale first (input.txt: modified)" in shown
    found = json.loads(perennial("status", "--json").stdout)
    assert found["champion"]["version"] == "3"
    assert found["stale"] == {"first": ["input.txt: modified"]}
    assert found["plan"]["parts"]["holdout"]["rows"] == 1000


def test_history_is_newest_first(pipeline: Pipeline) -> None:
    assert "Nobody was promoted yet" in perennial("history").output
    people: list[dict[str, Any]] = [
        {"version": "1", "digest": "a" * 64},
        {"version": "2", "digest": "b" * 64},
    ]
    entries = [
        {
            "when": f"2026-01-0{number}T00:00:00Z",
            "who": "Ada",
            "action": "promote",
            "from": before,
            "to": after,
            "verdict": "promote",
            "why": "it is [better]",
            "commit": "c" * 40,
        }
        for number, (before, after) in enumerate([(None, people[0]), tuple(people)], start=1)
    ]
    for entry in entries:
        histories.append(hash_chain.seal(entry, histories.head(histories.read())))
    end, plan = histories.read()[-1], {"action": "retrain"}
    second = champions.Champion("m", "2", "b" * 64, plan, "promote", "2026", [], end["sha256"])
    champions.write(second)
    shown = " ".join(perennial("history").output.split())
    newer, older = (
        shown.index("version 2 (bbbbbbbbbbbb) after version 1"),
        shown.index("after nobody"),
    )
    assert newer < older
    assert "promote: it is [better]" in shown
    assert f"2 entries, each chained to the one before; the last is {end['sha256'][:12]}" in shown
    told = json.loads(perennial("history", "--json").stdout)["history"]
    assert [{k: v for k, v in each.items() if k in entries[0]} for each in told] == entries
    assert told[0]["sha256"] == told[1]["previous"]


def test_a_history_that_was_edited_is_exit_3_with_the_line(pipeline: Pipeline) -> None:
    entry = {"action": "promote", "from": None, "to": {"version": "1", "digest": "a" * 64}}
    histories.append(hash_chain.seal(entry, hash_chain.GENESIS))
    paths.HISTORY.write_text(paths.HISTORY.read_text().replace("promote", "promoted"))
    answer = perennial("history")
    assert answer.exit_code == 3
    assert "history.jsonl, line 1: was edited" in answer.stderr
    assert "perennial doctor" in answer.stderr


def test_rollback_says_why_it_refuses(pipeline: Pipeline) -> None:
    answer = perennial("rollback")
    assert answer.exit_code == 2
    assert "nobody is champion" in answer.stderr


def test_the_doctor_of_a_fresh_clone_finds_nothing(pipeline: Pipeline) -> None:
    answer = perennial("doctor")
    assert answer.exit_code == 0, answer.output
    assert "all is well" in answer.output
    paths.HISTORY.write_text("no entry\n")
    answer = perennial("doctor", "--check")
    assert answer.exit_code == 3
    assert "✗ history.jsonl, line 1: no entry" in answer.output
    assert json.loads(perennial("doctor", "--json").stdout)["exit_code"] == 3


def test_verify_says_what_was_checked_and_fails_on_a_fault(pipeline: Pipeline) -> None:
    answer = perennial("verify")
    assert answer.exit_code == 0
    assert "2 things checked, no fault" in answer.output
    plan: dict[str, Any] = {}
    champions.write(champions.Champion("bank-deposits", "1", "d" * 64, plan, "promote", "2026", []))
    answer = perennial("verify")
    assert answer.exit_code == 3
    assert "models/champion/manifest.json: no such file" in answer.output
    assert "the registry of this folder is empty" in " ".join(answer.output.split())
    found = json.loads(perennial("verify", "--json").stdout)
    assert found["faults"] == sum(len(each["faults"]) for each in found["checked"]) == 2


def test_promote_says_why_it_refuses(pipeline: Pipeline) -> None:
    answer = perennial("promote")
    assert answer.exit_code == 2
    assert "Nothing has been judged yet" in answer.stderr
