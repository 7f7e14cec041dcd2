"""What the search asks for, when it prunes and in which order, with answers that are made up."""

from pathlib import Path

import numpy as np
import pytest
from tests.integration.searches import KINDS, asked, settings

from perennial.core.model import kinds


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
