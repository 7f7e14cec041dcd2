"""Back to an earlier champion: which, what is checked before anything moves, and forward again."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.integration.pipelines import Pipeline
from tests.integration.released import (
    MODEL,
    NEWEST,
    alias,
    champion,
    commit,
    digest_of,
    everything,
    judge,
    uri,
)

from perennial import paths
from perennial.adapters import bundles, dag, registry
from perennial.adapters.bundles import champions
from perennial.adapters.parquet import batches
from perennial.commands.history import history
from perennial.commands.promote import declined, promote
from perennial.commands.rollback import rollback
from perennial.commands.verify import verify
from perennial.core.model.candidate import Candidate
from perennial.errors import InputError, IntegrityError, PerennialError

pytestmark = pytest.mark.usefixtures("released")


def plan_of(version: str) -> str:
    return f"plan of {version}"


def test_it_goes_back_one_champion_at_a_time_and_then_says_there_is_none() -> None:
    """Bundle, pointer, alias, history and champion.json agree after each, with its own plan."""
    for version in ("2", "1"):
        done = rollback(why="complaints")
        assert done.changed
        assert (champion().version, champion().digest) == (version, digest_of(version))
        assert champion().plan["because"] == plan_of(version)
        assert champion().plan["hyperparameters"] == {"eta": 0.1 + 0.2}
        assert alias("champion") == version
        assert bundles.is_whole(paths.CHAMPION_BUNDLE, digest_of(version))
        assert history()[-1]["action"] == "rollback"
        assert history()[-1]["why"] == "complaints"
        assert verify().faults == 0
    before = everything()
    with pytest.raises(InputError, match="no champion before it"):
        rollback()
    assert everything() == before


def test_it_rolls_forward_again_and_then_back_by_the_same_line() -> None:
    rollback(to="1")
    assert rollback(to="3").champion.version == "3"
    assert champion().plan["because"] == plan_of("3")
    assert verify().faults == 0
    assert rollback().champion.version == "2"


def test_a_later_promotion_works_after_it(released: Pipeline, models: dict[str, Candidate]) -> None:
    """And a rollback from that goes to who was champion when it was made."""
    rollback(to="1")
    judge(released, models["2"], "anew")
    assert promote().before == {"version": "1", "digest": digest_of("1")}
    assert champion().version == "2"
    assert champion().plan["because"] == "anew"
    assert rollback().champion.version == "1"
    assert rollback(to="2").champion.plan["because"] == "anew", "the plan of its last promotion"
    assert verify().faults == 0


def test_a_version_may_be_named_by_its_digest_and_the_present_one_changes_nothing() -> None:
    assert rollback(to=digest_of("1")[:12]).champion.version == "1"
    before = everything()
    assert not rollback(to="1").changed
    assert everything() == before


@pytest.mark.parametrize("named", ["9", "nobody", "0" * 12, "", "../1"])
def test_what_was_never_champion_is_refused(named: str) -> None:
    before = everything()
    with pytest.raises(InputError, match="was never champion"):
        rollback(to=named)
    assert everything() == before


def test_a_registered_candidate_that_never_was_champion_is_refused(
    released: Pipeline, models: dict[str, Candidate]
) -> None:
    recipe = {**models["3"].recipe, "note": "another"}
    judge(released, replace(models["3"], recipe=recipe), "lost", "keep")
    with pytest.raises(InputError, match="version 4 was never champion"):
        rollback(to="4")


def test_a_number_that_registry_and_history_count_differently_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a registry made anew: the digest says which is meant."""
    first = digest_of("1")
    anew = [registry.Version("2", first, None, "/nowhere")]
    monkeypatch.setattr(registry, "versions", lambda *_: anew)
    with pytest.raises(InputError, match="count differently"):
        rollback(to="2")


def lose_registry() -> None:
    shutil.rmtree(paths.REGISTRY)


def lose_files() -> None:
    for path in paths.REGISTRY.rglob("artifacts/bundle"):
        shutil.rmtree(path)


def flip_registered() -> None:
    for path in paths.REGISTRY.rglob("artifacts/bundle/*"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")


def lose_cache() -> None:
    shutil.rmtree(".dvc/cache")


@pytest.mark.parametrize(
    "fault",
    [
        lose_registry,
        pytest.param(lose_files, marks=pytest.mark.long),
        pytest.param(flip_registered, marks=pytest.mark.long),
        lose_cache,
    ],
)
def test_one_source_of_its_bytes_is_enough(fault: Callable[[], None]) -> None:
    """The registry, or DVC; what it lost of them the registry gets back."""
    digest = digest_of("1")
    fault()
    rollback(to=digest[:12])
    assert champion().digest == digest
    assert champion().plan["because"] == plan_of("1")
    assert bundles.is_whole(paths.CHAMPION_BUNDLE, digest)
    assert alias("champion") == champion().version
    assert [each for each in verify().checked if each.digest == digest and each.faults] == []


def refused(kind: type[PerennialError], to: str = "1") -> str:
    """Return why a rollback is refused; nothing has moved, and nothing is left of it."""
    before = everything()
    with pytest.raises(kind) as caught:
        rollback(to=to)
    assert everything() == before
    return str(caught.value)


def test_without_its_bytes_nothing_moves() -> None:
    lose_cache()
    flip_registered()
    said = refused(IntegrityError)
    assert "registry, version 1: manifest.json: digest is" in said
    assert "DVC: " in said


def test_without_its_own_plan_nothing_moves() -> None:
    """Another version's plan, in the place of its own, is not taken for it."""
    lose_cache()
    for path in paths.REGISTRY.rglob("origin/plan.json"):
        path.write_bytes(paths.PLAN.read_bytes())
    assert "the plan of" in refused(IntegrityError)


def test_a_version_that_this_code_can_not_load_is_refused(released: Pipeline) -> None:
    rollback(to="1")
    bundles.write(paths.CANDIDATE, {"model.json": b"{}", "features.json": b"{}"})
    unloadable = bundles.digest(paths.CANDIDATE)
    from perennial.adapters import files, histories
    from perennial.core.ledger import hash_chain

    entry = {**histories.read()[0], "to": {"version": "7", "digest": unloadable}}
    dag.track(paths.CANDIDATE)
    entry["objects"] = {**entry["objects"], "bundle": {"md5": dag.md5_in_lock(paths.CANDIDATE)}}
    now = histories.read()
    unsealed = {k: v for k, v in entry.items() if k not in ("previous", "sha256")}
    first = hash_chain.seal(unsealed, histories.head(now))
    again = {k: v for k, v in now[-1].items() if k not in ("previous", "sha256")}
    last = hash_chain.seal(again, first["sha256"])
    log = paths.HISTORY.read_bytes() + hash_chain.line(first) + hash_chain.line(last)
    files.write_bytes(paths.HISTORY, log)
    content = json.loads(paths.CHAMPION.read_text()) | {"history": last["sha256"]}
    paths.CHAMPION.write_text(json.dumps(content))
    assert "no model that this version of Perennial can load" in refused(IntegrityError, "7")


def deliver(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    rows = pd.read_parquet(paths.ACCEPTED / f"{NEWEST}.parquet")
    batches.write_parquet(paths.ACCEPTED / "2010-11.parquet", change(rows))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.drop(columns=["balance", "job"]), "column balance: not in the rows"),
        (lambda rows: rows.assign(balance="much"), "column balance: was a number"),
        (lambda rows: rows.assign(job=7), "column job: not one value is a level that it knows"),
    ],
    ids=["a column is gone", "text for a number", "codes for names"],
)
def test_a_version_that_does_not_take_todays_rows_is_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    deliver(change)
    assert said in refused(InputError)


def test_what_is_new_in_todays_rows_and_harmless_is_no_reason() -> None:
    """A column more, a few nulls, a level unseen among known ones: what scoring takes too."""
    deliver(
        lambda rows: rows.assign(
            more=1,
            balance=rows["balance"].where(rows.index % 7 > 0),
            job=rows["job"].where(rows.index % 5 > 0, "astronaut"),
        )
    )
    assert rollback(to="1").changed


def test_without_any_batch_it_says_so() -> None:
    shutil.rmtree(paths.ACCEPTED)
    assert "no accepted batch" in refused(InputError)


def test_a_history_that_was_tampered_with_stops_it() -> None:
    text = paths.HISTORY.read_text()
    paths.HISTORY.write_text(text.replace("as told", "as I like", 1))
    assert "history.jsonl, line 1: was edited" in refused(IntegrityError)
    paths.HISTORY.write_text("".join(text.splitlines(keepends=True)[:-1]))
    assert "was cut after line 2" in refused(IntegrityError)


def test_nobody_can_be_rolled_back() -> None:
    nobody = dict.fromkeys(("version", "digest", "plan", "verdict", "when", "history"))
    content = json.loads(paths.CHAMPION.read_text()) | nobody
    paths.CHAMPION.write_text(json.dumps(content))
    with pytest.raises(InputError, match="nobody is champion"):
        rollback()


def test_whom_a_person_moved_away_from_is_put_back_by_a_person_only(
    released: Pipeline, models: dict[str, Candidate]
) -> None:
    """A run that makes the same candidate again declines; `promote` by hand does not."""
    rollback()
    judge(released, models["3"], plan_of("3"))
    assert "moved away from it" in str(declined())
    assert promote().champion.version == "3"
    judge(released, models["3"], plan_of("3"))
    assert declined() is None


def test_it_counts_as_an_attempt_on_the_newest_batch() -> None:
    """So that the cooldown begins now, and the drift that is still there asks for nothing."""
    third = champion()
    rollback()
    before, last = champion().attempts[:-1], champion().attempts[-1]
    assert before == third.attempts
    digest, action = third.digest, third.plan["action"]
    assert last == {"period": NEWEST, "action": action, "verdict": "rollback", "digest": digest}


def test_files_of_old_without_a_chain_are_read(released: Pipeline) -> None:
    """champion.json without `history`, as it ships: the end is then known by its digest alone."""
    content = json.loads(paths.CHAMPION.read_text())
    del content["history"]
    paths.CHAMPION.write_text(json.dumps(content))
    assert champions.read() is not None
    assert len(history()) == 3
    lines = paths.HISTORY.read_text().splitlines(keepends=True)
    paths.HISTORY.write_text("".join(lines[:-1]))
    with pytest.raises(IntegrityError, match="its last entry made"):
        history()
    commit("no matter")
    assert Path(MODEL).exists() is False
    assert registry.versions(uri(), MODEL)
