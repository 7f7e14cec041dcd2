"""The act: who may become champion, and that a promotion killed anywhere is finished."""

import copy
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.pipelines import Pipeline, make

from perennial import paths
from perennial.adapters import bundles, champions, dag, files, registry
from perennial.adapters.champions import Champion
from perennial.commands import pending
from perennial.commands import promote as module
from perennial.commands.history import history
from perennial.commands.promote import promote
from perennial.commands.verify import verify
from perennial.errors import InputError, IntegrityError, UnreachableError

ROOT = Path(__file__).parents[2]
MODEL = "bank-deposits"


class Registry:
    """A registry in memory: MLflow's own is in test_registry.py."""

    def __init__(self) -> None:
        self.versions: dict[str, registry.Version] = {}
        self.bundles: dict[str, dict[str, bytes]] = {}
        self.aliases: dict[str, str] = {}

    def register(self) -> str:
        """Register the candidate that is here."""
        number, digest = str(len(self.versions) + 1), bundles.digest(paths.CANDIDATE)
        self.versions[number] = registry.Version(number, digest, f"run-{number}", "nowhere")
        self.bundles[number] = {p.name: p.read_bytes() for p in paths.CANDIDATE.iterdir()}
        report = {"model": MODEL, "version": number, "run_id": f"run-{number}", "digest": digest}
        files.write_json(paths.REGISTRATION, {"schema_version": 1, **report})
        return number

    def find_version(self, _: str, __: str, digest: str) -> str | None:
        return next((v.version for v in self.versions.values() if v.digest == digest), None)

    def download(self, _: str, __: str, version: str, folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name, content in self.bundles[version].items():
            (folder / name).write_bytes(content)
        return folder

    def set_alias(self, _: str, __: str, alias: str, version: str) -> None:
        self.aliases[alias] = version


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, Registry]:
    """A project whose candidate was judged `promote` and registered as version 1."""
    made, known = make(tmp_path_factory.mktemp("judged") / "project"), Registry()
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(made.folder)
        patched.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        shutil.copy(ROOT / "params.yaml", "params.yaml")
        judge(made, known, "first model")
    return made, known


@pytest.fixture
def remembered(judged: tuple[Pipeline, Registry], monkeypatch: pytest.MonkeyPatch) -> Registry:
    known = copy.deepcopy(judged[1])
    for name in ("find_version", "download", "set_alias"):
        monkeypatch.setattr(registry, name, getattr(known, name))
    monkeypatch.setattr(registry, "versions", lambda *_: list(known.versions.values()))
    monkeypatch.setattr(registry, "alias_version", lambda _, __, alias: known.aliases.get(alias))
    return known


@pytest.fixture
def pipeline(
    judged: tuple[Pipeline, Registry],
    remembered: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Pipeline:
    """A copy of the project, for a test to change."""
    shutil.copytree(judged[0].folder, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return Pipeline(tmp_path / "project")


def judge(pipeline: Pipeline, remembered: Registry, model: str) -> None:
    """Make a candidate, judge it `promote` and register it."""
    bundles.write(paths.CANDIDATE, {"model.json": model.encode(), "spec.json": b"{}"})
    pipeline.verdict("promote")
    pipeline.touch(model)
    dag.walk(lambda step: str(step.run(lambda _: None)))
    remembered.register()


def state(remembered: Registry) -> dict[str, Any]:
    """Everything that a promotion leaves, but for the moment it was made at."""
    shown = {
        path.as_posix(): path.read_text().replace(champion().when, "THEN")
        for path in (paths.CHAMPION, paths.HISTORY, Path("models/champion.dvc"))
    }
    bundle = {p.name: p.read_bytes() for p in paths.CHAMPION_BUNDLE.iterdir()}
    left = sorted(p.name for p in [*Path("models").iterdir(), *paths.STATE.iterdir()])
    return {**shown, "bundle": bundle, "aliases": remembered.aliases, "left": left}


def champion() -> Champion:
    found = champions.read()
    assert found is not None
    return found


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


class Killed(BaseException):
    """What nobody catches, as nobody catches a kill."""


def kill(
    patched: pytest.MonkeyPatch,
    where: object,
    name: str,
    *,
    target: Path | None = None,
    after: bool = False,
) -> None:
    """Have the next promotion be killed before or after a step (of those on a certain path)."""
    real: Callable[..., Any] = getattr(where, name)

    def step(*arguments: Any, **options: Any) -> Any:
        if target is not None and target not in arguments:
            return real(*arguments, **options)
        if after:
            real(*arguments, **options)
        raise Killed

    with patched.context() as until_killed:
        until_killed.setattr(where, name, step)
        with pytest.raises(Killed):
            promote()


STEPS: dict[str, tuple[object, str, Path | None]] = {
    "the candidate is copied": (pending, "_copy", pending.BUNDLE),
    "it is decided": (files, "write_bytes", pending.DECISION),
    "the bundle is placed": (pending, "_copy", paths.CHAMPION_BUNDLE),
    "its manifest is written": (files, "write_bytes", Path("models/.champion.new/manifest.json")),
    "the old bundle is removed": (shutil, "rmtree", paths.CHAMPION_BUNDLE),
    "it is tracked": (dag, "track", None),
    "the alias is set": (registry, "set_alias", None),
    "the history is written": (pending, "_append", None),
    "the champion is written": (champions, "write", None),
    "it is cleared away": (shutil, "rmtree", pending.FOLDER),
}


@pytest.fixture(scope="module")
def undisturbed(judged: tuple[Pipeline, Registry]) -> dict[str, Any]:
    """What a promotion leaves that nobody killed; filled in by the first who needs it."""
    return {}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_promotion_killed_anywhere_is_finished_by_running_it_again(
    pipeline: Pipeline,
    remembered: Registry,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: dict[str, Any],
    step: str,
    after: bool,
) -> None:
    """And ends as if nothing had happened."""
    if not undisturbed:
        start = Path.cwd()
        shutil.copytree(start, start.with_name("undisturbed"))
        monkeypatch.chdir(start.with_name("undisturbed"))
        promote()
        undisturbed |= copy.deepcopy(state(remembered))
        remembered.aliases.clear()
        monkeypatch.chdir(start)
    where, name, target = STEPS[step]
    kill(monkeypatch, where, name, target=target, after=after)
    promote()
    assert state(remembered) == undisturbed
    assert len(history()) == 1
    assert verify().faults == 0


@pytest.mark.parametrize(
    "step", ["the bundle is placed", "it is tracked", "the champion is written"]
)
def test_what_was_decided_is_finished_also_when_something_else_is_judged_since(
    pipeline: Pipeline, remembered: Registry, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Or the next run would find a bundle that is not the champion's, and end with exit 3."""
    digest = bundles.digest(paths.CANDIDATE)
    where, name, target = STEPS[step]
    kill(monkeypatch, where, name, target=target)
    bundles.write(paths.CANDIDATE, {"model.json": b"another"})
    paths.GATE_REPORT.write_text('{"verdict": "block", "why": "another"}')
    with pytest.raises(dag.BlockedError):
        promote()
    assert champion().digest == digest
    assert verify().faults == 0


def test_what_was_decided_no_longer_holds_once_another_was_promoted(
    pipeline: Pipeline, remembered: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example where Git brought a champion.json that a colleague made."""
    kill(monkeypatch, dag, "track")
    plan = json.loads(paths.PLAN.read_text())
    other = Champion(MODEL, "7", "d" * 64, plan, "promote", "2026-01-01T00:00:00Z", [])
    champions.write(other)
    assert pending.finish() is None
    assert champion() == other
    assert not pending.FOLDER.exists()


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
    monkeypatch.setattr(module.git, "author", lambda: None)
    monkeypatch.setattr(module.getpass, "getuser", lambda: "ada")
    promote()
    assert history()[0]["who"] == "ada"
