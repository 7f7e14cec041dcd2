"""Monitoring: what is compared with what, what is confirmed, and what is done about it."""

from typing import Any

import numpy as np
import pytest

from perennial.core.dataset.plan import batches_of, make_plan
from perennial.core.model.candidate import Candidate
from perennial.core.monitoring.finding import Finding, Known, checked_on, consider
from perennial.params import Params

from .monitored import Frame, Store, arriving, champion, loads, params, rows, split


def considered(store: Store, known: Known | None = None, asked: Params | None = None) -> Finding:
    return consider(known or store.known(), loads(champion()), store.read, asked or params())


def never() -> Candidate:
    raise AssertionError("the champion was loaded, and nothing is newer")


def test_with_nothing_newer_the_champion_stays_and_is_not_even_loaded() -> None:
    """A run on the same batches costs no model and no rows."""
    store = arriving()
    found = consider(store.known(), never, store.read, params())
    assert (found.choice.action, found.choice.because) == ("keep", "none")
    assert found.choice.why == "no batch is newer than 2020-03, the last that the champion knows"
    assert (found.examination, found.window, store.asked) == (None, (), [])


def test_batches_that_are_gone_make_nothing_newer() -> None:
    """data.as_of moved back to before the champion: it stays."""
    store = arriving()
    known = Known(store.known().plan, [], store.refs[:2], store.refs[:2])
    assert consider(known, never, store.read, params()).choice.action == "keep"


@pytest.mark.parametrize("action", ["retrain", "retune"])
def test_a_request_is_done_and_says_what_would_have_been_done(action: Any) -> None:
    """With nothing newer, and over a hindrance, but not instead of the comparison."""
    asked = params(request=action)
    for store in (arriving(), arriving(rows(300, 9))):
        found = considered(store, asked=asked)
        assert (found.choice.action, found.choice.because) == (action, "request")
        assert f"policy.request asks for {action}; by itself: keep: " in found.choice.why
    assert found.examination is not None


def test_a_quiet_month_is_kept() -> None:
    """Rows like the champion's own raise no alarm, and the reason has the numbers."""
    found = considered(arriving(rows(600, 9)))
    assert (found.choice.action, found.choice.because) == ("keep", "none")
    assert "600 newer rows" in found.choice.why


def test_persons_who_come_with_many_rows_are_no_drift() -> None:
    """A classifier that knows a person again has not seen another world (`split.key`)."""

    def keyed(batch: Frame, times: int = 1) -> Frame:
        raw, target = batch
        place = np.repeat(np.arange(len(target)), times)
        who = [f"{len(target)}-{target.sum()}-{number}" for number in place]
        return raw.iloc[place].reset_index(drop=True).assign(who=who), target[place]

    known = [keyed(rows(count, seed)) for count, seed in ((4000, 1), (1500, 2), (1500, 3))]
    store = Store(*known, keyed(rows(300, 9), times=6))
    asked = split("group", key="who")
    found = considered(store, store.known(split_by=asked), params(asked))
    assert found.choice.action == "keep"
    parted = considered(store, asked=params(split("stratified")))
    assert "a classifier tells the newer rows" in parted.choice.why


def test_a_month_that_moved_is_retrained() -> None:
    """Because of drift, in the newest batch alone."""
    found = considered(arriving(rows(600, 8), rows(600, 9, shift=1.0)))
    assert (found.choice.action, found.choice.because) == ("retrain", "drift")
    assert [ref["period"] for ref in found.window] == ["2020-05"]
    assert len(found.current) == 600


def test_a_small_newest_batch_is_joined_by_those_before_it() -> None:
    """Until there are monitor.min_rows; never by batches that the champion knows."""
    found = considered(arriving(rows(150, 7), rows(150, 8), rows(150, 9)))
    assert [ref["period"] for ref in found.window] == ["2020-05", "2020-06"]
    few = considered(arriving(rows(150, 9)))
    assert (few.examination.verdict, few.choice.action) == ("insufficient", "keep")


def test_it_is_compared_with_the_rows_it_was_calibrated_and_judged_on() -> None:
    """Not with those it was trained on."""
    store = arriving(rows(600, 9))
    found = considered(store)
    assert store.asked[0] == ["2020-02", "2020-03"]
    assert len(found.reference) == 3000


def test_under_a_split_by_row_it_is_compared_with_rows_it_was_not_trained_on() -> None:
    """The plan names every batch under every part; the rows are drawn again by the seed."""
    by_row = split("stratified", 1000)
    store = arriving(rows(1500, 9))
    known = store.known(split_by=by_row)
    assert checked_on(known.plan) == store.refs[:3]
    found = considered(store, known, params(by_row))
    assert len(found.reference) == 2000
    assert found.reference.target is not None
    assert len(found.window) == 1


def test_under_a_split_by_group_whole_groups_are_the_reference() -> None:
    """By the key that the plan names."""
    by_group, store = split("group", 1000, "who"), arriving(rows(1500, 9))
    for raw, target in store.batches.values():
        raw["who"] = np.arange(len(target)) // 5
    found = considered(store, store.known(split_by=by_group), params(by_group))
    who = len(found.reference)
    assert 2000 <= who <= 2050


def test_drift_waits_to_be_confirmed_by_windows_in_a_row() -> None:
    """One moved month of the two that are asked for does nothing; two do."""
    asked = params(confirm=2)
    once = considered(arriving(rows(600, 8), rows(600, 9, shift=1.0)), asked=asked)
    assert (once.choice.action, once.choice.because) == ("keep", "drift")
    twice = arriving(rows(600, 8, shift=1.0), rows(600, 9, shift=1.0))
    assert considered(twice, asked=asked).choice.action == "retrain"
    assert considered(twice, asked=params(confirm=3)).choice.action == "keep"


def test_a_quiet_month_between_breaks_the_row() -> None:
    """Windows must drift one after another."""
    moved = [rows(600, seed, shift=1.0) for seed in (7, 9)]
    found = considered(arriving(moved[0], rows(600, 8), moved[1]), asked=params(confirm=2))
    assert found.choice.action == "keep"


def test_more_windows_than_there_are_newer_batches_are_waited_for() -> None:
    """The champion's own batches confirm nothing."""
    found = considered(arriving(rows(600, 9, shift=1.0)), asked=params(confirm=9))
    assert (found.choice.action, found.choice.because) == ("keep", "drift")
    assert "1 window in a row; policy.confirm is 9" in found.choice.why


def test_harm_on_labels_does_not_wait() -> None:
    """The first month in which labels prove it is acted on."""
    found = considered(arriving(rows(2000, 9, noisy="s")), asked=params(confirm=9))
    assert found.choice.because == "harmful"
    assert found.choice.action in {"retrain", "retune"}


def test_labels_that_have_not_arrived_prove_no_harm_and_hinder() -> None:
    """The newest batch has no labels: it is looked at without, and nothing could be learnt."""
    store = arriving(rows(2000, 9, shift=1.0, noisy="s"), unlabelled=["2020-04"])
    found = considered(store)
    assert (found.choice.action, found.choice.because) == ("keep", "drift")
    assert "only 0 newer rows have labels" in found.choice.why
    assert {s.name for s in found.examination.signals} == {"estimated_roc_auc", "estimated_prior"}


def test_the_newest_labels_may_be_older_than_the_newest_rows() -> None:
    """Harm is measured on the newest batch that has labels."""
    newer = rows(2000, 8, noisy="s"), rows(600, 9)
    found = considered(arriving(*newer, unlabelled=["2020-05"]))
    assert found.examination.verdict == "harmful"
    assert [ref["period"] for ref in found.window] == ["2020-05"]
    assert len(found.current) == 600


def attempt(period: str, verdict: str = "keep", action: str = "retrain") -> dict[str, str]:
    return {"period": period, "action": action, "verdict": verdict, "digest": "d"}


def test_an_attempt_on_the_same_month_is_not_repeated() -> None:
    """What lost on these batches would lose again."""
    store = arriving(rows(600, 9, shift=1.0))
    found = considered(store, store.known(attempts=[attempt("2020-04")]))
    assert (found.choice.action, found.choice.because) == ("keep", "drift")
    assert "the last attempt, on 2020-04, ended in `keep` 0 periods ago" in found.choice.why


# wrong calibration


def test_wrong_calibration_is_recalibrated_under_a_split_by_time() -> None:
    """The trees stay: the rows to calibrate on are later than all that were trained on."""
    found = considered(arriving(rows(2000, 8, odds=-1.5), rows(2000, 9, odds=-1.5)))
    assert (found.choice.action, found.choice.because) == ("recalibrate", "harmful")


@pytest.mark.parametrize("planned", ["time", "stratified"])
def test_a_split_by_row_retrains_instead_and_says_so(planned: str) -> None:
    """It would draw other rows to train on, so the trees could not be the same."""
    store = arriving(rows(2000, 9, odds=-1.5))
    by_row = split("stratified", 1000)
    known = store.known(split_by=split() if planned == "time" else by_row)
    asked = params(by_row if planned == "time" else split())
    found = considered(store, known, asked)
    assert (found.choice.action, found.choice.because) == ("retrain", "harmful")
    assert "a split by row draws other rows to train on" in found.choice.why


def test_calibration_rows_that_were_trained_on_retrain_instead() -> None:
    """split.calibration_rows was raised since, and reaches into what the trees know."""
    store = Store(rows(100, 0), *arriving(rows(2000, 9, odds=-1.5)).batches.values())
    known = store.known(make_plan(store.refs[:4], split(), "bootstrap", "bootstrap"))
    assert considered(store, known).choice.action == "recalibrate"
    raised = split().model_copy(update={"calibration_rows": 3001})
    found = considered(store, known, params(raised))
    assert (found.choice.action, found.choice.because) == ("retrain", "harmful")
    assert "some of the rows to calibrate on were trained on" in found.choice.why


# late batches


def late(planned: list[int], history_kind: str = "all", last: int | None = None) -> list[str]:
    """What is late of six batches, where the plan was made of some of them."""
    store = Store(*(rows(100, seed) for seed in range(6)))
    refs = [store.refs[i] for i in planned]
    asked = split("time", 100, history={"kind": history_kind, "last": last})
    return store.known(make_plan(refs, asked, "bootstrap", "bootstrap")).late


def test_a_batch_that_came_between_those_planned_is_late() -> None:
    """And one before them all; not one after, which is newer."""
    assert late([0, 1, 3, 4]) == ["2020-03"]
    assert late([1, 2, 3, 4]) == ["2020-01"]
    assert late([0, 1, 2, 3, 4]) == []


@pytest.mark.parametrize(("kind", "last"), [("periods", 1), ("rows", 100)])
def test_a_past_that_was_left_out_on_purpose_is_not_late(kind: str, last: int) -> None:
    """A short history leaves out old batches, which did not come late for that."""
    assert late([0, 1, 2, 3, 4], kind, last) == []
    assert late([0, 1, 2, 4], kind, last) == ["2020-04"]


def test_what_lies_between_old_trees_and_a_new_calibration_is_not_late() -> None:
    """A recalibration trains on nothing new."""
    store = Store(*(rows(100, seed) for seed in range(7)))
    asked = split("time", 100)
    trained = make_plan(store.refs[:3], asked, "bootstrap", "bootstrap")["parts"]["train"]
    plan = make_plan(store.refs[:6], asked, "recalibrate", "harmful", {}, trained)
    assert [ref["period"] for ref in batches_of(plan)] == ["2020-01", "2020-05", "2020-06"]
    assert store.known(plan).late == []


# batches that came again


def test_a_batch_of_the_plan_with_other_content_is_replaced_and_one_that_is_gone_is_not() -> None:
    """Nor is one that the plan does not name."""
    store = Store(*(rows(100, seed) for seed in range(4)))
    plan = make_plan(store.refs[:3], split("time", 100), "bootstrap", "bootstrap")
    other = [{**ref, "sha256": "other"} for ref in store.refs]
    assert Known(plan, [], [store.refs[0], other[1], other[3]], []).replaced == ["2020-02"]
    assert store.known(plan).replaced == []
