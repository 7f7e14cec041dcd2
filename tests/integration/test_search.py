"""The search with real workers and a real disk: the same result however it comes about."""

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from perennial import paths
from perennial.adapters import files, matrices, processors, study
from perennial.adapters.configuration import read_params
from perennial.core.model import kinds
from perennial.core.search import Task, make_folds
from perennial.errors import InputError
from perennial.params.search import Search
from perennial.stages.tune import tune

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "trials": 8,
    "trials_per_round": 2,
    "folds": 3,
    "learning_rate": 0.2,
    "max_rounds": 40,
    "max_rows": 50_000,
    "early_stopping_rounds": 5,
    "ensemble": 3,
    "simpler_within_errors": 0.0,
}


def make_project(folder: Path, seed: int = 7, recipe: Any = None, **settings: Any) -> Path:
    """Write what `tune` starts from: parameters, plan and training matrices."""
    yaml = YAML()
    params = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["seed"] = seed
    params["search"].update({**SETTINGS, **settings})
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / paths.PARAMS).open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    files.write_json(folder / paths.PLAN, {"hyperparameters": recipe})
    random = np.random.default_rng(0)
    x, level = random.normal(size=(800, 3)), random.choice(["u", "v", "w"], 800)
    odds = np.sin(2 * x[:, 0]) * 2 + x[:, 1] * x[:, 2] + (level == "u")
    features = pd.DataFrame(x, columns=["a", "b", "c"]).assign(level=pd.Categorical(level))
    rows = pd.DataFrame({"period": "2020-01", "row": np.arange(800), "g": "all"})
    rows["target"] = (random.random(800) < 1 / (1 + np.exp(-odds))).astype("int64")
    matrices.write_part(folder / paths.FEATURES, "train", features, rows)
    return folder


def run(folder: Path, worker_count: int = 1) -> Path:
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_WORKERS", str(worker_count))
        tune()
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    """Return everything that the search left for DVC, pictures too."""
    found = [folder / paths.RECIPE, *(folder / paths.SEARCH_REPORT).rglob("*")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in found if p.is_file()}


def fits(folder: Path) -> dict[str, tuple[int, int]]:
    """Return each kept fit, and what is another number as soon as it is written again."""
    kept = (folder / paths.STUDIES).glob("*/*.npz")
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in kept if p.name[0] != "."}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(make_project(tmp_path_factory.mktemp("undisturbed")))


def trials(folder: Path) -> list[dict[str, str]]:
    with (folder / paths.SEARCH_REPORT / "trials.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_two_worker_processes_give_the_bytes_of_one(undisturbed: Path, tmp_path: Path) -> None:
    both = run(make_project(tmp_path), worker_count=2)
    assert outputs(both) == outputs(undisturbed)
    assert fits(both).keys() == fits(undisturbed).keys()


KINDS = {"kinds": ["depthwise", "leafwise", "onehot"], "composed": "greedy", "ensemble": 4}


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


def test_what_a_search_of_several_kinds_starts_with_is_not_pruned(tmp_path: Path) -> None:
    found, _ = asked(settings(tmp_path, trials=24, **KINDS))
    start = len(kinds.PORTFOLIO)
    assert all(trial.margins is not None for trial in found[:start])
    assert any(trial.margins is None for trial in found[start:])


def test_after_the_portfolio_the_sampler_chooses_the_kind(tmp_path: Path) -> None:
    found, tasks = asked(settings(tmp_path, trials=16, **KINDS))
    assert {trial.kind for trial in found[len(kinds.PORTFOLIO) :]} <= set(KINDS["kinds"])
    grown = {task.params.get("grow_policy") for task in tasks}
    assert grown == {None, "lossguide"}


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


# asking and telling, with answers made up here


def settings(tmp_path: Path, **changes: Any) -> Search:
    return read_params(path=make_project(tmp_path, **changes) / paths.PARAMS).search


def asked(search: Search, seed: int = 1) -> tuple[list[Any], list[Task]]:
    """Search where deeper trees are worse; return the trials and every task asked for."""
    target = np.tile([0, 1], 60)
    folds, tasks = make_folds(target, search.folds, 1), []

    def evaluate(new: list[Task]) -> list[tuple[np.ndarray, int]]:
        tasks.extend(new)
        return [
            ((2 * target[folds[t.fold]] - 1) * 3.0 / t.params["max_depth"], 5 + t.fold) for t in new
        ]

    return list(study.search(search, target, folds, seed, evaluate)), tasks


def test_trials_come_in_order_and_as_many_as_planned_though_the_last_round_is_short(
    tmp_path: Path,
) -> None:
    found, tasks = asked(settings(tmp_path, trials=11, trials_per_round=4))
    assert [trial.number for trial in found] == list(range(11))
    for trial in found:
        assert (trial.margins is None) == (len(trial.rounds) < 3)
    assert len(tasks) == sum(len(trial.rounds) for trial in found)


def test_a_pruned_trial_is_worse_than_half_of_those_before_it(tmp_path: Path) -> None:
    found, _ = asked(settings(tmp_path, trials=20, trials_per_round=4))
    pruned = [trial for trial in found if trial.margins is None]
    assert pruned
    for trial in pruned:
        before = [t.loss for t in found[: trial.number // 4 * 4] if t.margins is not None]
        assert trial.loss > np.median(before)


def test_the_first_trial_is_the_sound_start_pulled_into_the_ranges(tmp_path: Path) -> None:
    first = asked(settings(tmp_path, trials=1))[0][0]
    assert first.params == kinds.SOUND
    inside = settings(tmp_path, trials=1)
    space = inside.space.model_copy(update={"max_depth": (2, 3), "reg_alpha": (1.0, 2.0)})
    pulled = asked(inside.model_copy(update={"space": space}))[0][0].params
    assert (pulled["max_depth"], pulled["reg_alpha"]) == (3, 1.0)


def test_margins_out_of_fold_are_in_the_order_of_the_rows(tmp_path: Path) -> None:
    found, _ = asked(settings(tmp_path, trials=1))
    expected = (2 * np.tile([0, 1], 60) - 1) * 3.0 / found[0].params["max_depth"]
    assert found[0].margins == pytest.approx(expected)


def test_the_seed_decides_what_is_asked(tmp_path: Path) -> None:
    search = settings(tmp_path, trials=6)
    first, again, other = ([t.params for t in asked(search, seed)[0]] for seed in (1, 1, 2))
    assert first == again
    assert first != other


# what is kept of a fit

TASK = Task({"max_depth": 3, "subsample": 0.5}, 60, 8, 0)
FIT = (np.linspace(-1, 1, 50, dtype="float32"), 17)


def kept(folder: Path) -> Path:
    study.Memo(folder).put(TASK, FIT)
    return next(folder.glob("*.npz"))


def remembered(folder: Path) -> bool:
    """Return whether the fit is found; if it is, it must be the one that was kept."""
    found = study.Memo(folder).get(TASK)
    if found is None:
        return False
    assert np.array_equal(found[0], FIT[0])
    assert found[0].dtype == FIT[0].dtype
    assert found[1] == FIT[1]
    return True


def test_a_fit_is_found_by_its_task_and_by_no_other(tmp_path: Path) -> None:
    kept(tmp_path)
    assert remembered(tmp_path)
    memo = study.Memo(tmp_path)
    for other in (
        Task({"max_depth": 4, "subsample": 0.5}, 60, 8, 0),
        Task(TASK.params, 61, 8, 0),
        Task(TASK.params, 60, 9, 0),
        Task(TASK.params, 60, 8, 1),
    ):
        assert memo.get(other) is None


def test_a_fit_torn_anywhere_is_forgotten(tmp_path: Path) -> None:
    path = kept(tmp_path)
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        assert not remembered(tmp_path)


def test_a_flipped_bit_in_the_margins_of_a_fit_is_not_believed(tmp_path: Path) -> None:
    path = kept(tmp_path)
    whole = path.read_bytes()
    start = whole.index(FIT[0].tobytes())
    for at in range(start, start + FIT[0].nbytes):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not remembered(tmp_path)


@pytest.mark.parametrize("damage", ["empty", "a flipped bit"])
def test_a_fit_damaged_in_any_way_is_fitted_again(tmp_path: Path, damage: str) -> None:
    path = kept(tmp_path)
    whole = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
        assert not remembered(tmp_path)
        return
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        remembered(tmp_path)


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


def test_a_search_on_fewer_rows_says_so_and_keeps_fits_of_its_own(tmp_path: Path) -> None:
    short = {"trials": 1, "folds": 2, "max_rounds": 3}
    folder = run(make_project(tmp_path, max_rows=400, **short))
    choice = json.loads((folder / paths.SEARCH_REPORT / "choice.json").read_text())
    assert choice["sample"] == {"rows": 400, "of": 800}
    kept = {path.parent.name for path in (folder / paths.STUDIES).rglob("*.npz")}
    assert kept == {"400-rows"}
    whole = run(make_project(tmp_path, max_rows=800, **short))
    assert "sample" not in json.loads((whole / paths.SEARCH_REPORT / "choice.json").read_text())
