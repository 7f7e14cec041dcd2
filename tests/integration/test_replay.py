"""`perennial replay` on small histories whose truth is known: it retrains where the concept
changes, it does not where nothing does, its gates block, and it goes on after a kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration import replays

from perennial import paths
from perennial.adapters.files.configuration import read_params
from perennial.commands import replay, replaying
from perennial.commands.past import found, past
from perennial.core.replay.rules import Rule, parse
from perennial.errors import InputError

CHANGED_AT = 5


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return replays.make_project(tmp_path_factory.mktemp("quiet"))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return replays.make_project(tmp_path_factory.mktemp("changed"), CHANGED_AT)


def records(folder: Path, policy: str, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replay one policy in this process."""
    monkeypatch.chdir(folder)
    params = read_params()
    first, periods = replay._periods(None, params)
    state, rule = replaying.bootstrap(params, first), parse(policy)
    taken = []
    for number, period in enumerate(periods, start=1):
        step = replaying.step(rule, state, number, period, params)
        taken.append(step.record)
        state = step.state
    return taken


def actions(taken: list[dict[str, Any]]) -> list[str]:
    return [record["action"] for record in taken]


def test_a_quiet_history_is_never_retrained_on_drift(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(actions(records(quiet, "drift", monkeypatch))) == {"keep"}


def test_a_changed_concept_is_retrained_on_from_the_period_it_shows_in_and_not_before(
    changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = records(changed, "drift", monkeypatch)
    done = {record["period"]: record["action"] for record in taken}
    assert done["04"] == "keep"
    assert done["05"] in ("retrain", "retune")
    assert next(r for r in taken if r["period"] == "05")["because"] == "harmful"


def test_never_keeps_its_model_and_its_harm_shows(
    changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = records(changed, "never", monkeypatch)
    assert set(actions(taken)) == {"keep"}
    assert len({record["champion"] for record in taken}) == 1
    before, after = taken[0]["roc_auc"], taken[CHANGED_AT - 4]["roc_auc"]
    assert before["low"] > 0.7
    assert after["high"] < 0.6


def test_a_candidate_that_a_gate_blocks_does_not_take_charge(
    changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first period of the new concept, all that can be trained on is of the old one: such
    a candidate ranks the holdout no better than the champion does."""
    taken = records(changed, "always", monkeypatch)
    at = {record["period"]: record for record in taken}
    assert at["05"]["verdict"] == "block"
    assert "quality_floor" in at["05"]["judged"]
    assert at["06"]["champion"] == at["05"]["champion"] != at["05"]["candidate"]


def test_a_candidate_that_is_promoted_is_in_charge_from_the_next_period_and_mends_the_harm(
    changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = {record["period"]: record for record in records(changed, "always", monkeypatch)}
    assert at["08"]["verdict"] == "promote"
    assert at["08"]["champion"] == at["04"]["champion"]
    assert at["09"]["champion"] == at["08"]["candidate"]
    assert at["08"]["roc_auc"]["high"] < 0.6 < at["09"]["roc_auc"]["low"]


def test_scheduled_retrains_every_so_many_periods(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = records(quiet, "scheduled(2)", monkeypatch)
    assert actions(taken) == ["keep", "retrain"] * 3
    assert {r["because"] for r in taken if r["action"] == "retrain"} == {"request"}


def test_a_second_replay_computes_nothing(quiet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = records(quiet, "drift", monkeypatch)
    monkeypatch.setattr(replaying, "act", None)  # whatever is computed again fails
    assert records(quiet, "drift", monkeypatch) == first


def test_what_follows_from_a_parameter_is_computed_again_when_it_changes(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = replays.make_project(tmp_path)
    (folder / ".perennial").symlink_to(quiet / ".perennial")
    records(quiet, "drift", monkeypatch)
    replays.write_params(folder, policy={"cooldown": 3})
    monkeypatch.setattr(replaying, "act", None)
    with pytest.raises(TypeError):
        records(folder, "drift", monkeypatch)


KILLED = """
import os, signal
from pathlib import Path
from perennial.adapters import files
write, kept = files.write_bytes, []
def write_and_die(path, content):
    write(path, content)
    kept.append(path)
    if sum("steps" in str(p) for p in kept) == 3:
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
files.write_bytes = write_and_die
"""


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(replays.ROOT / "src"), "PERENNIAL_WORKERS": "1"}
    command = [sys.executable, "-m", "perennial.cli", "replay", "--quick", "--json"]
    return subprocess.run(
        command, cwd=folder, env=env | environment, capture_output=True, text=True, check=False
    )


def without_seconds(content: Any) -> Any:
    if isinstance(content, dict):
        return {k: without_seconds(v) for k, v in content.items() if k != "seconds"}
    return [without_seconds(v) for v in content] if isinstance(content, list) else content


@pytest.mark.slow
def test_a_replay_that_was_killed_goes_on_and_ends_with_the_same_report(
    changed: Path, tmp_path: Path
) -> None:
    whole = run(changed)
    assert whole.returncode == 0, whole.stderr
    folder = replays.make_project(tmp_path / "killed", CHANGED_AT)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(KILLED)
    both = os.pathsep.join([str(tmp_path / "site"), str(replays.ROOT / "src")])
    assert run(folder, PYTHONPATH=both).returncode == -signal.SIGKILL
    steps = {p: p.stat().st_mtime_ns for p in (folder / replaying.STEPS).glob("*.json")}
    assert len(steps) == 3
    assert not (folder / paths.REPLAY_REPORT).exists()
    again = run(folder)
    assert again.returncode == 0, again.stderr
    assert {p: p.stat().st_mtime_ns for p in steps} == steps  # not one was computed twice
    reports = [json.loads((f / paths.REPLAY_REPORT).read_text()) for f in (changed, folder)]
    assert without_seconds(reports[0]) == without_seconds(reports[1])
    assert json.loads(again.stdout)["policies"][0]["policy"] == "never"
    page = (folder / paths.REPLAY_PAGE).read_text()
    assert "data:image/png;base64,iVBOR" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize("name", ["sometimes", "scheduled(0)", "scheduled()"])
def test_a_policy_that_is_unknown_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no such policy"):
        parse(name)


def test_a_start_that_is_no_period_is_refused_with_those_there_are(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(quiet)
    with pytest.raises(InputError, match="no such period among 00 to 09"):
        replay._periods("1999", read_params())
    with pytest.raises(InputError, match="no period is later"):
        replay._periods("09", read_params())


def test_without_a_start_it_is_the_first_period_with_rows_enough(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(quiet)
    params = read_params()
    anywhere = params.replay.model_copy(update={"start": None})
    first, periods = replay._periods(None, params.model_copy(update={"replay": anywhere}))
    assert (first, periods[0], periods[-1]) == ("03", "04", "09")


def test_batches_after_the_accepted_ones_are_replayed_and_quarantined_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = replays.make_project(tmp_path)
    monkeypatch.chdir(folder)
    (folder / paths.ACCEPTED).mkdir()
    for period in ("00", "01", "03"):  # 02 was quarantined, 04 is later than as_of
        source = folder / paths.BATCHES / f"{period}.parquet"
        (folder / paths.ACCEPTED / source.name).write_bytes(source.read_bytes())
    assert [batch.period for batch in found()] == ["00", "01", *(f"{n:02}" for n in range(3, 10))]


def test_a_period_is_scored_by_the_champion_of_its_time(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(quiet)
    params = read_params()
    state = replaying.bootstrap(params, "03")
    step = replaying.step(Rule("never"), state, 1, "04", params)
    raw = replays.frame(quiet, "04")
    said = replaying.load(state.digest).predict(raw)["probability"].to_numpy()
    np.testing.assert_allclose(np.load(step.scores), said, atol=1e-9)
    assert past(params).until("04")[0][-1]["period"] == "04"
