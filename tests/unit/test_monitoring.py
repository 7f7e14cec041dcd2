"""Monitoring: from the batches that came to what is to be done, and the plan that follows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.core import history
from perennial.core.monitoring import Finding, Known, Read, checked_on, consider
from perennial.core.plan import BatchRef, assign, make_plan, newest, shares
from perennial.core.planning import follow
from perennial.core.policy import Choice
from perennial.core.proof import population
from perennial.core.training import fit_candidate
from perennial.errors import InputError
from perennial.params import Params, Split
from tests.unit import monitored

ROWS = 400


def ref(period: int, rows: int = ROWS) -> BatchRef:
    return {"period": f"{period:02}", "sha256": f"{period:064x}", "rows": rows}


def split(history: dict[str, Any], rows: int = ROWS) -> Split:
    content = {"kind": "time", "key": None, "calibration_rows": rows, "holdout_rows": rows}
    return Split.model_validate({**content, "history": history})


ALL = {"kind": "all", "last": None}


class World:
    """Batches in memory: period p has rows of its own draw; some have moved, some no labels."""

    def __init__(self, known: monitored.Known) -> None:
        self.model = known.champion
        self.params = known.params.model_copy(update={"split": split(ALL, 1200)})
        self.moved: set[str] = set()
        self.unlabelled: set[str] = set()
        self.loaded = 0
        start = [ref(p) for p in range(1, 11)]
        self.plan = make_plan(start, self.params.split, "bootstrap", "bootstrap")

    def read(self, refs: Sequence[BatchRef]) -> tuple[pd.DataFrame, np.ndarray | None]:
        raws, targets = [], []
        for batch in refs:
            drawn = population.synthetic(int(batch["period"]))
            raw, target = drawn.raw.iloc[: batch["rows"]].copy(), drawn.target[: batch["rows"]]
            if batch["period"] in self.moved:
                raw[["x1", "x3"]] += 1.5
            raws.append(raw)
            targets.append(target)
        rows = pd.concat(raws, ignore_index=True)
        if self.unlabelled & {batch["period"] for batch in refs}:
            return rows, None
        return rows, np.concatenate(targets)

    def known(self, *newer: int, attempts: Sequence[Any] = ()) -> Known:
        accepted = [ref(p) for p in (*range(1, 11), *newer)]
        labelled = [batch for batch in accepted if batch["period"] not in self.unlabelled]
        return Known(self.plan, attempts, accepted, labelled)

    def consider(self, known: Known, **policy: Any) -> Finding:
        params = self.params
        if policy:
            params = params.model_copy(update={"policy": params.policy.model_copy(update=policy)})

        def load() -> Any:
            self.loaded += 1
            return self.model

        return consider(known, load, self.read, params)


@pytest.fixture(scope="module")
def champion() -> monitored.Known:
    return monitored.champion()


@pytest.fixture
def world(champion: monitored.Known) -> World:
    return World(champion)


def test_nothing_newer_keeps_and_loads_no_model(world: World) -> None:
    """A run without a new batch costs no look at all."""
    found = world.consider(world.known())
    assert found.choice.action == "keep"
    assert "10" in found.choice.why
    assert world.loaded == 0


def test_a_quiet_batch_keeps(world: World) -> None:
    """A new batch that did not move is examined, and the champion stays."""
    found = world.consider(world.known(11))
    assert found.examination is not None
    assert found.choice.action == "keep"
    assert [batch["period"] for batch in found.window] == ["11"]


def test_a_batch_that_moved_is_drift(world: World) -> None:
    """A new batch that moved challenges the champion, and says why."""
    world.moved = {"11"}
    choice = world.consider(world.known(11)).choice
    assert (choice.action, choice.because) in {("retrain", "drift"), ("retrain", "harmful")}
    assert "x1" in choice.why


def test_a_batch_without_labels_is_examined_all_the_same(world: World) -> None:
    """Labels may come later: features and scores are looked at, and too little could be learnt."""
    world.moved, world.unlabelled = {"11"}, {"11"}
    found = world.consider(world.known(11))
    assert found.examination is not None
    assert found.examination.verdict == "drift"
    assert found.choice.action == "keep"
    assert "only 0 newer rows have labels" in found.choice.why


def test_confirmation_looks_at_the_windows_before(world: World) -> None:
    """With policy.confirm of two, one moved batch waits and a second acts."""
    world.moved, world.unlabelled = {"12", "13"}, {"13"}  # without labels harm can't be proven
    world.unlabelled = {"11", "12", "13"}
    once, twice = world.known(11, 12), world.known(11, 12, 13)
    free = {"confirm": 2, "min_labelled": 1}
    labelled = [*once.labelled, ref(11)]  # there is something to learn from
    assert world.consider(replace(once, labelled=labelled), **free).choice.action == "keep"
    world.unlabelled = {"12", "13"}
    assert world.consider(replace(twice, labelled=labelled), **free).choice.action == "retrain"
    more = {**free, "confirm": 9}  # more than there are newer batches
    assert world.consider(replace(twice, labelled=labelled), **more).choice.action == "keep"


@pytest.mark.parametrize("request_", ["retrain", "retune"])
def test_a_request_is_followed_and_drift_told_beside_it(world: World, request_: str) -> None:
    """Who asks gets it, whatever was found; what was found is still said."""
    choice = world.consider(world.known(11), request=request_).choice
    assert (choice.action, choice.because) == (request_, "request")
    assert "by itself: keep" in choice.why
    assert world.consider(world.known(), request=request_).choice.action == request_


def test_an_attempt_on_this_period_is_not_made_again(world: World) -> None:
    """What was tried on the very same batches and lost is not tried for ever."""
    world.moved = {"11"}
    tried = {"period": "11", "action": "retrain", "verdict": "keep", "digest": "d"}
    assert world.consider(world.known(11, attempts=[tried])).choice.action == "keep"


def test_late_batches_are_told_and_never_the_newest(world: World) -> None:
    """A batch older than the champion's newest joins the history; it is not looked at as new."""
    known = world.known()
    late: BatchRef = {"period": "02b", "sha256": "0", "rows": ROWS}
    accepted = sorted([*known.accepted, late], key=lambda batch: batch["period"])
    known = replace(known, accepted=accepted, labelled=accepted)
    assert known.late == ["02b"]
    assert world.consider(known).choice.action == "keep"
    plan, _ = follow(Choice("retrain", "drift", ""), known, {}, world.read, world.params)
    assert "02b" in {batch["period"] for batch in plan["parts"]["train"]}


def test_recalibrating_trains_on_the_champions_own_rows(
    world: World, champion: monitored.Known
) -> None:
    """The same rows and recipe give the same trees; calibration and holdout are newer."""
    known = world.known(11, 12, 13)
    choice = Choice("recalibrate", "harmful", "")
    recipe = champion.champion.recipe
    plan, told = follow(choice, known, recipe, world.read, world.params)
    assert told is None
    assert plan["parts"]["train"] == world.plan["parts"]["train"]
    assert plan["hyperparameters"] == recipe
    assert max(batch["period"] for batch in plan["parts"]["holdout"]) == "13"


def test_the_same_rows_and_recipe_give_the_same_trees(champion: monitored.Known) -> None:
    """What makes recalibration cheap: only calibration and thresholds differ."""
    from perennial.core import case
    from perennial.core.model.candidate import to_artefacts

    rows = population.synthetic(0)
    fitted = case.fit(rows, champion.params)
    train, other = fitted.parts["train"], fitted.parts["holdout"]
    settings = champion.params.training
    again = fit_candidate(
        champion.champion.recipe, fitted.candidate.spec, train, other, settings, 42
    )
    first = fit_candidate(
        champion.champion.recipe,
        fitted.candidate.spec,
        train,
        fitted.parts["calibration"],
        settings,
        42,
    )
    written = [to_artefacts(one) for one in (first, again)]
    trees = [{k: v for k, v in files.items() if k.endswith(".ubj")} for files in written]
    assert trees[0] == trees[1] != {}
    assert first.calibration != again.calibration


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (ALL, ["01", "02", "03", "04"]),
        ({"kind": "periods", "last": 2}, ["03", "04"]),
        ({"kind": "periods", "last": 9}, ["01", "02", "03", "04"]),
        ({"kind": "rows", "last": ROWS + 1}, ["03", "04"]),
        ({"kind": "rows", "last": 99 * ROWS}, ["01", "02", "03", "04"]),
    ],
)
def test_how_much_history_is_trained_on(history: dict[str, Any], expected: list[str]) -> None:
    """The newest periods, or the fewest newest batches with so many rows; never more than all."""
    batches = [ref(p) for p in range(1, 7)]
    plan = make_plan(batches, split(history), "retrain", "drift")
    assert [batch["period"] for batch in plan["parts"]["train"]] == expected
    assert [batch["period"] for batch in plan["parts"]["holdout"]] == ["06"]


def test_shares_to_choose_from_are_the_newest_and_differ() -> None:
    """All, half and a quarter of the rows; a share that is no shorter is left out."""
    found = shares([ref(p) for p in range(1, 9)])
    assert {name: len(part) for name, part in found.items()} == {"all": 8, "half": 4, "quarter": 2}
    assert found["half"][-1]["period"] == "08"
    assert list(shares([ref(1)])) == ["all"]
    assert newest([ref(1), ref(2), ref(3)], ROWS + 1) == [ref(2), ref(3)]


@pytest.mark.parametrize(("turned", "expected"), [(False, "all"), (True, "half")])
def test_the_history_is_chosen_by_the_newest_labels(
    world: World, turned: bool, expected: str
) -> None:
    """All of it, unless the old part teaches what no longer holds."""

    def read(refs: Sequence[BatchRef]) -> tuple[pd.DataFrame, np.ndarray | None]:
        raw, target = world.read(refs)
        periods = np.repeat([batch["period"] for batch in refs], [b["rows"] for b in refs])
        assert target is not None
        return raw, np.where((periods <= "04") & turned, 1 - target, target)

    reader: Read = read
    params: Params = world.params
    offered = {"all": [ref(p) for p in range(1, 9)], "half": [ref(p) for p in range(5, 9)]}
    chosen, reached = history.choose(offered, [ref(9, 1000)], None, reader, params)
    assert chosen == expected
    assert set(reached) == {"all", "half"}


def test_history_other_than_all_needs_a_split_by_time() -> None:
    """Rows drawn at random have no newest part."""
    content = {"kind": "stratified", "key": None, "calibration_rows": 1, "holdout_rows": 1}
    with pytest.raises(ValueError, match="kind: time"):
        Split.model_validate({**content, "history": {"kind": "rows", "last": 5}})
    with pytest.raises(ValueError, match="last"):
        split({"kind": "rows", "last": None})


def test_nothing_left_to_train_on_is_said(world: World) -> None:
    """A plan without training rows is an error of the input, with what to do."""
    known = replace(world.known(), labelled=[ref(1), ref(2)])
    with pytest.raises(InputError, match="nothing is left to train on"):
        follow(Choice("retrain", "drift", ""), known, {}, world.read, world.params)


@pytest.mark.parametrize("kind", ["stratified", "group"])
def test_rows_drawn_at_random_are_compared_with_what_was_held_out(world: World, kind: str) -> None:
    """Under a split by row all parts name all batches; the reference has no row trained on."""
    content = {"kind": kind, "key": "person" if kind == "group" else None, "history": ALL}
    drawn = Split.model_validate({**content, "calibration_rows": 500, "holdout_rows": 700})
    plan = make_plan([ref(p) for p in range(1, 11)], drawn, "bootstrap", "bootstrap")

    def read(refs: Sequence[BatchRef]) -> tuple[pd.DataFrame, np.ndarray | None]:
        raw, target = world.read(refs)
        return raw.assign(person=np.arange(len(raw))), target

    raw, target = checked_on(plan, read, 42)
    assert target is not None
    assert len(raw) == len(target) == 1200
    _, everyone = read(plan["parts"]["train"])
    assert everyone is not None
    part = assign(drawn, everyone, np.arange(4000) if kind == "group" else None, 42)
    assert list(raw["person"]) == list(np.flatnonzero(part != "train"))
