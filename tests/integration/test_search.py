"""The search with real workers and a real disk: the same result however it comes about."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.searches import (
    KINDS,
    ROOT,
    SETTINGS,
    fits,
    make_project,
    outputs,
    run,
    trials,
)

from perennial import paths
from perennial.adapters.engine import processors
from perennial.adapters.parquet import matrices
from perennial.core.model import kinds
from perennial.core.search import Shared, Task, make_folds
from perennial.errors import InputError


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(make_project(tmp_path_factory.mktemp("undisturbed")))


def test_two_worker_processes_give_the_bytes_of_one(undisturbed: Path, tmp_path: Path) -> None:
    both = run(make_project(tmp_path), worker_count=2)
    assert outputs(both) == outputs(undisturbed)
    assert fits(both).keys() == fits(undisturbed).keys()


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(make_project(tmp_path_factory.mktemp("several"), **KINDS))


def test_two_workers_give_the_bytes_of_one_for_several_kinds_too(
    several: Path, tmp_path: Path
) -> None:
    assert outputs(run(make_project(tmp_path, **KINDS), worker_count=2)) == outputs(several)


def test_a_search_of_several_kinds_starts_with_the_portfolio_and_its_table_says_the_kinds(
    several: Path,
) -> None:
    found = trials(several)
    wanted = [kind for kind, _ in kinds.PORTFOLIO][: len(found)]
    assert [trial["kind"] for trial in found] == wanted
    for trial, (_, point) in zip(found, kinds.PORTFOLIO, strict=False):
        assert int(trial["max_depth"]) == {**kinds.SOUND, **point}["max_depth"]


def test_greedy_members_of_several_kinds_are_what_train_fits(several: Path) -> None:
    recipe = json.loads((several / paths.RECIPE).read_bytes())
    choice = json.loads((several / paths.SEARCH_REPORT / "choice.json").read_bytes())
    assert recipe["kind"] == "xgboost"
    assert 1 <= len(recipe["members"]) <= KINDS["ensemble"]
    if choice["chosen"] == "ensemble":
        assert len(recipe["members"]) > KINDS["ensemble"] // 2


DYING = """
import os
from perennial.adapters import study
from perennial.stages.tune import tune

put, kept = study.Memo.put, []

def put_and_die(self, task, fit):
    put(self, task, fit)
    kept.append(task)
    if len(kept) == 8:
        os.kill(os.getpid(), 9)

study.Memo.put = put_and_die
tune()
"""


@pytest.fixture
def killed(tmp_path: Path, undisturbed: Path) -> Path:
    """A project whose search was killed midway in a round, when it had kept its eighth fit."""
    folder = make_project(tmp_path)
    process = subprocess.run(
        [sys.executable, "-c", DYING],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PERENNIAL_WORKERS": "1"},
        check=False,
        capture_output=True,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert 8 == len(fits(folder)) < len(fits(undisturbed))
    assert not (folder / paths.RECIPE).exists()
    return folder


def test_a_killed_search_ends_with_the_bytes_of_an_undisturbed_one_and_fits_nothing_twice(
    undisturbed: Path, killed: Path
) -> None:
    before = fits(killed)
    after = fits(run(killed))
    assert outputs(killed) == outputs(undisturbed)
    assert len(trials(killed)) == SETTINGS["trials"]
    assert after.keys() == fits(undisturbed).keys()
    assert {name: after[name] for name in before} == before


def test_a_search_that_is_run_again_fits_nothing(undisturbed: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(undisturbed, tmp_path / "again"))
    before = fits(again)
    shutil.rmtree(again / paths.SEARCH_REPORT)
    run(again)
    assert fits(again) == before
    assert outputs(again) == outputs(undisturbed)


def test_fits_that_were_torn_are_fitted_again_and_no_other(
    undisturbed: Path, tmp_path: Path
) -> None:
    project = Path(shutil.copytree(undisturbed, tmp_path / "torn"))
    torn = sorted((project / paths.STUDIES).glob("*/*.npz"))[:3]
    torn[0].write_bytes(torn[0].read_bytes()[:100])
    torn[1].write_bytes(b"no fit at all")
    content = torn[2].read_bytes()
    torn[2].write_bytes(content[:400] + bytes([content[400] ^ 1]) + content[401:])
    before = fits(project)
    after = fits(run(project))
    assert outputs(project) == outputs(undisturbed)
    assert {name for name in before if after[name] != before[name]} == {p.name for p in torn}
    assert torn[2].read_bytes() == content


def test_hopeless_trials_are_pruned_and_cost_fewer_fits(undisturbed: Path) -> None:
    found = trials(undisturbed)
    pruned = [int(trial["number"]) for trial in found if trial["state"] == "pruned"]
    assert pruned
    assert min(pruned) >= SETTINGS["trials_per_round"]  # nothing to compare the first round with
    folds = SETTINGS["folds"]
    full = folds * (len(found) - len(pruned))
    default = folds
    assert full + default < len(fits(undisturbed)) < full + default + folds * len(pruned)


def test_the_best_complete_trial_is_what_the_recipe_starts_with(undisturbed: Path) -> None:
    recipe = json.loads((undisturbed / paths.RECIPE).read_bytes())
    complete = [t for t in trials(undisturbed) if t["state"] == "complete"]
    best = min(complete, key=lambda t: float(t["log_loss"]))
    params = recipe["members"][0]["params"]
    assert params["max_depth"] == int(best["max_depth"])
    assert params["subsample"] == pytest.approx(float(best["subsample"]), rel=1e-5)
    assert params["learning_rate"] == SETTINGS["learning_rate"]


def test_other_rows_or_another_seed_meet_no_fit_of_these(tmp_path: Path) -> None:
    short = {"trials": 1, "folds": 2, "max_rounds": 3}
    project = run(make_project(tmp_path, **short))
    assert len(list((project / paths.STUDIES).iterdir())) == 1
    run(make_project(tmp_path, seed=8, **short))
    assert len(list((project / paths.STUDIES).iterdir())) == 2
    whole = matrices.read_part(project / paths.FEATURES, "train")
    rows = matrices.read_rows(project / paths.FEATURES, "train")
    matrices.write_part(project / paths.FEATURES, "train", whole.features[::-1], rows)
    run(project)
    assert len(list((project / paths.STUDIES).iterdir())) == 3


def test_a_recipe_that_the_plan_brings_is_passed_on_exactly_and_nothing_is_searched(
    tmp_path: Path,
) -> None:
    recipe = {"kind": "xgboost", "members": [{"params": {"reg_lambda": 0.123456789}, "rounds": 3}]}
    project = run(make_project(tmp_path, recipe=recipe))
    assert json.loads((project / paths.RECIPE).read_bytes()) == recipe
    assert trials(project) == []
    assert fits(project) == {}


def test_a_search_on_fewer_rows_says_so_and_keeps_fits_of_its_own(tmp_path: Path) -> None:
    short = {"trials": 1, "folds": 4, "max_rounds": 3}
    folder = run(make_project(tmp_path, max_rows=200, **short))
    choice = json.loads((folder / paths.SEARCH_REPORT / "choice.json").read_text())
    assert choice["sample"] == {"rows": 400, "of": 800, "judged": 100, "rounds": 1.0}
    kept = [path.parent.name for path in (folder / paths.STUDIES).rglob("*.npz")]
    assert len(kept) == 3  # default and trial once, and how many rounds all rows bear
    assert kept.count("400-rows") == 2
    short["trials"] = 2
    most = run(make_project(tmp_path / "most", max_rows=500, **short))
    sample = json.loads((most / paths.SEARCH_REPORT / "choice.json").read_text())["sample"]
    assert sample == {"rows": 800, "of": 800, "judged": 200}  # with nothing left out, by one fold
    assert len(fits(most)) == 3
    whole = run(make_project(tmp_path, max_rows=800, **short))
    assert "sample" not in json.loads((whole / paths.SEARCH_REPORT / "choice.json").read_text())


@pytest.mark.parametrize("bound", [40, 300])
def test_what_was_found_on_fewer_rows_gets_the_rounds_that_all_rows_bear(
    tmp_path: Path, bound: int
) -> None:
    """As many more as early stopping on a fold of all rows says; never more than the bound."""
    wanted = {"trials": 3, "composed": "best", "ensemble": 1, "folds": 4}
    folder = run(make_project(tmp_path, max_rows=150, max_rounds=bound, **wanted))
    choice = json.loads((folder / paths.SEARCH_REPORT / "choice.json").read_text())
    assert choice["chosen"] == "tuned"
    (member,) = choice["recipe"]["members"]
    assert choice["sample"]["rounds"] > 1
    part = matrices.read_part(folder / paths.FEATURES, "train")
    whole = Shared(part.features, part.target, make_folds(part, 4, 7), seed=7, threads=1)
    _, rounds = whole.fit(Task(member["params"], bound, SETTINGS["early_stopping_rounds"], 0))
    assert member["rounds"] == rounds <= bound


# workers


@pytest.mark.parametrize("wanted", ["0", "-1", "two", "", "1.5"])
def test_a_number_of_workers_that_is_none_is_the_users_to_correct(
    monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("PERENNIAL_WORKERS", wanted)
    with pytest.raises(InputError, match="PERENNIAL_WORKERS"):
        processors.count()


def test_without_a_wish_there_is_a_worker_for_each_processor_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PERENNIAL_WORKERS", raising=False)
    assert processors.count() == len(os.sched_getaffinity(0))
    monkeypatch.setenv("PERENNIAL_WORKERS", "3")
    assert processors.count() == 3
