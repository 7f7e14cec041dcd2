"""The act: who may become champion."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.pipelines import Pipeline
from tests.integration.promoted import MODEL, Registry, champion, judge, state

from perennial import paths
from perennial.adapters import bundles, dag, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.commands import entries
from perennial.commands.history import history
from perennial.commands.promote import promote
from perennial.commands.verify import verify
from perennial.errors import InputError, IntegrityError, UnreachableError


def test_the_candidate_becomes_champion(pipeline: Pipeline, remembered: Registry) -> None:
    """Bundle, tracking, alias, history and champion.json agree, and the plan is exactly its own."""
    done = promote()
    digest = bundles.digest(paths.CANDIDATE)
    assert done.changed
    assert (done.champion.version, done.champion.digest, done.before) == ("1", digest, None)
    assert champion() == done.champion
    assert champion().plan == json.loads(paths.PLAN.read_text())
    assert champion().attempts == [
        {"period": "2010-08", "action": "bootstrap", "verdict": "promote", "digest": digest}
    ]
    assert bundles.is_whole(paths.CHAMPION_BUNDLE, digest)
    assert dag.is_tracked(paths.CHAMPION_BUNDLE)
    assert remembered.aliases == {"champion": "1"}
    (entry,) = history()
    assert entry["to"] == {"version": "1", "digest": digest}
    assert (entry["from"], entry["verdict"], entry["why"]) == (None, "promote", "as told")
    assert entry["who"]
    assert entry["when"] == champion().when
    assert verify().faults == 0


def test_promoting_the_champion_says_so_and_changes_nothing(
    pipeline: Pipeline, remembered: Registry
) -> None:
    promote()
    before = state(remembered)
    done = promote()
    assert not done.changed
    assert state(remembered) == before
    dag.walk(lambda step: str(step.run(lambda _: None)))  # the gate says `keep` by now
    assert not promote().changed


def test_a_second_promotion_names_who_was_champion(
    pipeline: Pipeline, remembered: Registry
) -> None:
    first = promote().champion
    judge(pipeline, remembered, "second model")
    done = promote()
    assert done.before == {"version": "1", "digest": first.digest}
    assert [entry["to"]["version"] for entry in history()] == ["1", "2"]
    assert [attempt["digest"] for attempt in champion().attempts] == [
        first.digest,
        done.champion.digest,
    ]


def refused(kind: type[Exception]) -> str:
    before = paths.CHAMPION.read_bytes()
    with pytest.raises(kind) as caught:
        promote()
    assert paths.CHAMPION.read_bytes() == before
    assert not paths.HISTORY.exists()
    return str(caught.value)


@pytest.mark.parametrize("verdict", ["block", "keep"])
def test_another_verdict_is_refused(pipeline: Pipeline, verdict: str) -> None:
    report = json.loads(paths.GATE_REPORT.read_text())
    paths.GATE_REPORT.write_text(json.dumps({**report, "verdict": verdict}))
    assert verdict in refused(dag.BlockedError)


def test_an_edited_report_is_an_integrity_failure(pipeline: Pipeline) -> None:
    """A `block` made `promote` by hand is not what the stage left."""
    paths.GATE_REPORT.write_text(paths.GATE_REPORT.read_text() + " ")
    assert "gate.json" in refused(IntegrityError)


def test_an_edited_plan_is_an_integrity_failure(pipeline: Pipeline) -> None:
    paths.PLAN.write_text(paths.PLAN.read_text() + " ")
    assert "plan.json" in refused(IntegrityError)


def test_another_candidate_than_was_judged_is_an_integrity_failure(pipeline: Pipeline) -> None:
    (paths.CANDIDATE / "model.json").write_bytes(b"other")
    assert "model.json" in refused(IntegrityError)


def test_another_champion_than_it_was_compared_with_is_refused(pipeline: Pipeline) -> None:
    plan = json.loads(paths.PLAN.read_text())
    champions.write(Champion(MODEL, "9", "d" * 64, plan, "promote", "2026-01-01T00:00:00Z", []))
    assert "compared with nobody" in refused(InputError)


def test_what_is_not_registered_is_refused(pipeline: Pipeline, remembered: Registry) -> None:
    remembered.versions.clear()
    assert "version 1" in refused(IntegrityError)
    paths.REGISTRATION.unlink()
    assert "registration.json" in refused(InputError)


def test_without_a_verdict_nothing_is_promoted(pipeline: Pipeline) -> None:
    paths.GATE_REPORT.unlink()
    assert "Nothing has been judged yet" in refused(InputError)


def test_a_champion_that_can_not_be_told_is_not_passed_over(pipeline: Pipeline) -> None:
    paths.CHAMPION.write_text("{")
    assert "champion.json" in refused(IntegrityError)


def test_a_registry_that_is_away_leaves_the_promotion_to_be_finished(
    pipeline: Pipeline, remembered: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise UnreachableError("registry: away", "wait")

    with monkeypatch.context() as patched:
        patched.setattr(registry, "set_alias", away)
        with pytest.raises(UnreachableError):
            promote()
    assert champions.read() is None
    assert promote().changed
    assert verify().faults == 0


def test_a_registry_made_anew_gets_its_alias_back(pipeline: Pipeline, remembered: Registry) -> None:
    """And champion.json the version that the champion has there."""
    promote()
    judge(pipeline, remembered, "second model")
    promote()
    for known in (remembered.versions, remembered.aliases):
        known.clear()
    remembered.register()
    assert verify().faults == 1
    done = promote()
    assert (done.changed, champion().version, remembered.aliases) == (False, "1", {"champion": "1"})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda known: known.aliases.clear(), "alias"),
        (lambda known: known.bundles["1"].update({"model.json": b"other"}), "model.json"),
        (lambda _: (paths.CHAMPION_BUNDLE / "spec.json").write_bytes(b"other"), "spec.json"),
        (lambda _: Path("models/champion.dvc").unlink(), "champion.dvc"),
        (lambda _: paths.HISTORY.unlink(), "history.jsonl"),
        (lambda _: paths.HISTORY.write_text("torn"), "history.jsonl"),
    ],
)
def test_verify_finds_each_fault(
    pipeline: Pipeline, remembered: Registry, fault: Callable[[Registry], Any], said: str
) -> None:
    promote()
    fault(remembered)
    found = verify()
    assert found.faults == 1
    assert said in next(each.faults[0] for each in found.checked if each.faults)


@pytest.mark.parametrize(("shared", "faults"), [(False, 0), (True, 1)])
def test_versions_are_compared_where_the_registry_is_shared(
    pipeline: Pipeline, remembered: Registry, shared: bool, faults: int
) -> None:
    """A clone's own registry numbers its versions itself; only a server's are everybody's."""
    promote()
    remembered.versions["7"] = replace(remembered.versions.pop("1"), version="7")
    remembered.bundles["7"] = remembered.bundles.pop("1")
    remembered.aliases["champion"] = "7"
    if shared:
        text = paths.PARAMS.read_text()
        paths.PARAMS.write_text(text.replace("  uri: null ", "  uri: http://127.0.0.1:9 "))
    assert verify().faults == faults


def test_a_registry_of_ones_own_may_be_empty(pipeline: Pipeline, remembered: Registry) -> None:
    """So it is in every fresh clone; one that holds other versions and no champion is at fault."""
    promote()
    known = dict(remembered.versions)
    remembered.versions.clear()
    remembered.aliases.clear()
    assert verify().faults == 0
    remembered.versions.update({"2": replace(known["1"], version="2", digest=None)})
    assert verify().faults == 2  # registered without a digest, and no champion


def test_verify_of_one_version_checks_only_that(pipeline: Pipeline, remembered: Registry) -> None:
    promote()
    judge(pipeline, remembered, "second model")
    assert [each.what for each in verify("2").checked] == [f"{MODEL} version 2"]
    with pytest.raises(InputError, match="no version 3"):
        verify("3")


def test_who_is_the_account_where_git_has_no_name(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries.git, "author", lambda: None)
    monkeypatch.setattr(entries.getpass, "getuser", lambda: "ada")
    promote()
    assert history()[0]["who"] == "ada"
