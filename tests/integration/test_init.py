"""init: a clone becomes a project for the user's own data, or nothing is changed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration import users_data
from tests.integration.initiated import Init, call, git, project, shipped, state

from perennial.adapters import swapping
from perennial.adapters.files.configuration import read_params
from perennial.commands import init_guards
from perennial.core.model import boosting
from perennial.errors import InputError

__all__ = ["call", "project", "shipped"]
CHAMPION = {"model": "m", "version": "1", "digest": "d", "verdict": "promote", "when": "now"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    users_data.small().to_csv(path, index=False)
    return path


@pytest.fixture
def timed(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    users_data.timed().to_csv(path, index=False)
    return path


def written(project: Path) -> dict[str, bytes]:
    """All but the project's own state, such as its lock."""
    return {k: v for k, v in state(project).items() if not k.startswith(".perennial/")}


def faults(raised: pytest.ExceptionInfo[InputError]) -> str:
    return " ".join(raised.value.faults)


def test_a_dry_run_shows_all_and_leaves_the_tree_untouched(
    project: Path, small: Path, call: Init
) -> None:
    before = state(project)
    made = call(small, "answer", dry_run=True)
    assert state(project) == before
    assert not made.written
    assert made.removed
    call(small, "answer")
    written = {p.as_posix(): (project / p).read_text() for p in made.texts}
    assert written == {p.as_posix(): text for p, text in made.texts.items()}


def test_what_was_the_old_datas_is_gone_and_the_new_is_there(
    project: Path, small: Path, call: Init
) -> None:
    made = call(small, "answer")
    assert [p.name for p in (project / "data/batches").iterdir()] == ["all.parquet"]
    for name in ("dvc.lock", "reports/validation.json", "data/make_batches.py"):
        assert not (project / name).exists()
    assert (project / "reports/.gitignore").exists()
    champion = json.loads((project / "champion.json").read_text())
    assert champion["model"] == made.model == "answers-answer"
    params = read_params()
    assert params.target.positive == "yes"
    assert params.registry.model == made.model
    assert (params.split.kind, params.split.holdout_rows) == ("stratified", 200)
    assert params.evaluation.slices.declared == {}
    assert params.behaviour.changes == {}
    assert not (project / swapping.FOLDER).exists()
    assert "params.yaml" in git(project, "diff", "--stat")


def test_params_keep_what_is_still_true_and_say_nothing_of_the_bank(
    project: Path, timed: Path, call: Init
) -> None:
    call(timed, "churned")
    text = (project / "params.yaml").read_text().replace("seed: 20101120", "")
    assert "Benjamini-Hochberg" in text
    for word in ("bank", "deposit", "pensioner", "duration", "2010", "2008", "campaign", "crisis"):
        assert word not in text.lower(), word


def test_the_same_data_give_the_same_bytes_also_over_its_own_project(
    project: Path, timed: Path, call: Init
) -> None:
    call(timed, "churned", sensitive=("kind",))
    before = written(project)
    call(timed, "churned", sensitive=("kind",), force=True)
    assert written(project) == before


def test_what_is_the_users_is_overwritten_only_by_force(
    project: Path, small: Path, call: Init
) -> None:
    (project / "params.yaml").write_text((project / "params.yaml").read_text() + "# mine\n")
    (project / "data/batches/2010-12.parquet").write_bytes(b"mine")
    plan = {"champion.json": {"schema_version": 1, **CHAMPION, "plan": {}, "attempts": []}}
    (project / "champion.json").write_text(json.dumps(plan["champion.json"]))
    before = state(project)
    with pytest.raises(InputError) as raised:
        call(small, "answer")
    assert len(raised.value.faults) == 3  # champion, batches, changes: all at once
    assert "--force" in raised.value.remedy
    assert written(project) == before
    assert call(small, "answer", dry_run=True).hindrances
    call(small, "answer", force=True)
    assert read_params().target.column == "answer"


def test_outside_of_git_nothing_is_overwritten_without_force(
    project: Path, small: Path, call: Init
) -> None:
    (project / ".git").rename(project / "elsewhere")
    with pytest.raises(InputError, match="Git"):
        call(small, "answer")


def test_the_batches_that_ship_are_known() -> None:
    """A change of the shipped batches must change the digest that knows them."""
    root = Path(__file__).parents[2]
    assert init_guards.digest(list((root / "data/batches").iterdir())) == init_guards.SHIPPED


@pytest.mark.parametrize("step", [0, 1, 5, 30])
def test_a_kill_leaves_the_old_or_what_the_same_command_finishes(
    project: Path, small: Path, call: Init, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(project)
    steps = {"left": step}

    def dies(path: Path) -> None:
        if not steps["left"]:
            raise KeyboardInterrupt
        steps["left"] -= 1
        real(path)

    real = swapping._remove
    monkeypatch.setattr(swapping, "_remove", dies)
    with pytest.raises(KeyboardInterrupt):
        call(small, "answer")
    monkeypatch.setattr(swapping, "_remove", real)
    assert (project / swapping.JOURNAL).exists()
    assert swapping.finish()
    killed = written(project)
    assert killed != before
    git(project, "checkout", "-q", ".")
    git(project, "clean", "-fdq")
    call(small, "answer")
    assert killed == written(project)


@pytest.mark.long
def test_killed_at_any_moment_it_is_finished_or_undone(project: Path, small: Path) -> None:
    command = [sys.executable, "-m", "perennial.cli", "init", "--data", str(small)]
    command += ["--target", "answer", "--force"]
    git(project, "tag", "start")
    began = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    took = time.monotonic() - began
    whole = written(project)
    for part in np.linspace(0.3, 1.0, 12):
        git(project, "checkout", "-q", "start", "--", ".")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(took * part)
        process.send_signal(signal.SIGKILL)
        process.wait()
        subprocess.run(command, check=True, capture_output=True)
        assert written(project) == whole


def test_all_that_is_asked_for_and_not_there_is_named_at_once(small: Path, call: Init) -> None:
    wishes = {"sensitive": ("sex",), "time": "day", "key": "who", "drop": ("amont",)}
    with pytest.raises(InputError) as raised:
        call(small, "answr", **wishes)
    assert len(raised.value.faults) == 5
    assert "did you mean answer" in faults(raised)
    assert "did you mean amount" in faults(raised)


@pytest.mark.parametrize(
    ("target", "word"), [("three", "multiclass"), ("amount", "regression"), ("one", "one class")]
)
def test_other_targets_are_refused_by_their_name(
    tmp_path: Path, call: Init, target: str, word: str
) -> None:
    frame = users_data.small().assign(three=list("abcd") * 250, one="x")
    frame.to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(InputError, match=word) as raised:
        call(tmp_path / "f.csv", target)
    assert "Nothing was changed" in raised.value.remedy or "nothing was" in raised.value.remedy


def test_a_users_project_searches_several_kinds_and_its_cost_gate_has_room_for_them(
    project: Path, small: Path, call: Init
) -> None:
    call(small, "answer")
    params = read_params(path=project / "params.yaml")
    assert params.search.kinds == ["depthwise", "leafwise", "onehot"]
    assert params.search.composed == "greedy"
    rounds: Any = boosting.DEFAULT["rounds"]
    trees = params.search.ensemble * params.search.max_rounds / rounds
    assert params.gates.cost.node_visits == params.gates.cost.model_size == trees
