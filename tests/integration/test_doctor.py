"""The doctor: each fault that it knows is planted, only said by --check, put right, and then all
agree; what takes a person's judgement is said and left alone."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.pipelines import Pipeline
from tests.integration.released import MODEL, alias, champion, commit, digest_of, uri
from tests.integration.test_promote_killed import kill

from perennial import paths
from perennial.adapters import champions, dag, files, registry, runlock
from perennial.adapters.configuration import read_params
from perennial.commands import requests
from perennial.commands.doctor import doctor
from perennial.commands.history import history
from perennial.commands.rollback import rollback
from perennial.commands.verify import verify
from perennial.errors import UnreachableError

pytestmark = pytest.mark.usefixtures("released")
RWLOCK = Path(".dvc/tmp/rwlock")
GONE = 2**22 + 7  # above what Linux numbers processes with


def edit_champion(**changes: Any) -> None:
    content = json.loads(paths.CHAMPION.read_text()) | changes
    files.write_bytes(paths.CHAMPION, files.exact_json_bytes(content))


def edit_history(change: Callable[[list[str]], list[str]]) -> None:
    lines = paths.HISTORY.read_text().splitlines(keepends=True)
    paths.HISTORY.write_text("".join(change(lines)))


def ask() -> None:
    files.write_json(requests.NOTE, {"schema_version": 1, "before": "none", "set": "retrain"})
    text = paths.PARAMS.read_text().replace("  request: none", "  request: retrain")
    paths.PARAMS.write_text(text)
    assert read_params("policy").policy.request == "retrain"


def old(path: str) -> None:
    """Leave a file that nobody has written to for an hour."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("half")
    hour = file.stat().st_mtime - 3600
    for each in (file, file.parent) if file.parent.name.startswith(".") else (file,):
        os.utime(each, (hour, hour))


def decide_and_die() -> None:
    with pytest.MonkeyPatch.context() as patched:
        kill(patched, dag, "track", act=lambda: rollback(to="1"))


def set_back() -> None:
    """Have champion.json name version 2, as if Git had brought it, and nothing else follow."""
    text = paths.CHAMPION.read_text()
    rollback()
    second = paths.CHAMPION.read_text()
    rollback(to="3")
    assert text != second
    paths.CHAMPION.write_text(second)


def move() -> None:
    folder = Path.cwd()
    folder.rename(folder.with_name("moved"))
    os.chdir(folder.with_name("moved"))


def lose_files() -> None:
    version = next(v for v in registry.versions(uri(), MODEL) if v.version == "3")
    shutil.rmtree(Path(version.location) / "artifacts/bundle")


PLANTS: dict[str, tuple[Callable[[], object], str]] = {
    "a request is left": (ask, "request.json"),
    "DVC's lock is torn": (
        lambda: RWLOCK.write_text('{"write": {"models/champion": {"pid"'),
        "rwlock: torn",
    ),
    "DVC's lock is of the dead": (
        lambda: RWLOCK.write_text(json.dumps({"write": {"x": {"pid": GONE, "cmd": "dvc"}}})),
        f"locks of process {GONE}",
    ),
    "dvc.lock is torn": (
        lambda: Path("dvc.lock").write_bytes(Path("dvc.lock").read_bytes()[:-30]),
        "dvc.lock: torn",
    ),
    "a run was killed": (lambda: runlock.PATH.write_text("process 7"), "process 7"),
    "a rollback was killed": (decide_and_die, "was killed halfway"),
    "champion.json is torn": (lambda: paths.CHAMPION.write_text("{"), "can't tell who is champion"),
    "champion.json is gone": (paths.CHAMPION.unlink, "can't tell who is champion"),
    "champion.json is another": (set_back, "goes on"),
    "its plan is another": (lambda: edit_champion(plan={"because": "I"}), "its plan is not"),
    "a line is edited": (lambda: edit_history(lambda t: [t[0], t[1][:-9] + t[1][-8:], t[2]]), "2:"),
    "a line is removed": (lambda: edit_history(lambda t: [t[0], t[2]]), "line 2: does not follow"),
    "lines are swapped": (lambda: edit_history(lambda t: [t[1], t[0], t[2]]), "does not follow"),
    "a line is put in": (lambda: edit_history(lambda t: [*t[:2], t[0], t[2]]), "does not follow"),
    "the end is cut": (lambda: edit_history(lambda t: t[:2]), "was cut after line 2"),
    "the history is gone": (paths.HISTORY.unlink, "nothing is left"),
    "the bundle is flipped": (
        lambda: (paths.CHAMPION_BUNDLE / "model.json").write_bytes(b"{}"),
        "model.json: digest is",
    ),
    "the bundle is gone": (lambda: shutil.rmtree(paths.CHAMPION_BUNDLE), "no such file"),
    "the bundle has more": (lambda: old("models/champion/more.pkl"), "more.pkl: not in"),
    "the pointer is gone": (Path("models/champion.dvc").unlink, "champion.dvc: tracks other"),
    "the pointer is another": (
        lambda: Path("models/champion.dvc").write_text(
            re.sub(r"md5: .{6}", "md5: 000000", Path("models/champion.dvc").read_text())
        ),
        "champion.dvc: tracks other",
    ),
    "the folder was moved": (move, "before it was moved"),
    "the alias is another": (
        lambda: registry.set_alias(uri(), MODEL, "champion", "1"),
        "alias `champion` names version 1, not version 3",
    ),
    "the alias is gone": (
        lambda: registry.drop_alias(uri(), MODEL, "champion"),
        "names no version",
    ),
    "an old challenger": (
        lambda: registry.set_alias(uri(), MODEL, "challenger", "1"),
        "alias `challenger` names version 1, not no version",
    ),
    "the champion is its own shadow": (
        lambda: registry.set_alias(uri(), MODEL, "shadow", "3"),
        "alias `shadow` names version 3, not no version",
    ),
    "the registry lost files": (lose_files, "has lost the champion"),
    "a half file": (lambda: old(".champion.json.ab12cd34.json"), "left by something"),
    "a half database": (
        lambda: old(".perennial/mlflow/.registry.db.ab12cd34.db-journal"),
        "left by something",
    ),
    "a half bundle": (lambda: old("models/.champion.new/model.json"), "left by something"),
    "a half registration": (
        lambda: old(".perennial/mlflow/artifacts/.restored-ab12cd34/MLmodel"),
        "left by something",
    ),
    "an undecided bundle": (lambda: old(".perennial/promotion/bundle/x"), "left by something"),
    "a rollback's try": (lambda: old(".perennial/rollback/bundle-0/x"), "left by something"),
}


def tree() -> dict[str, bytes]:
    """Every file but Git's and DVC's own notes; DVC's lock, if anything is wrong with it."""
    found = (p for p in Path().rglob("*") if p.is_file())
    noted = (".git", ".dvc/tmp")
    kept = {p.as_posix(): p.read_bytes() for p in found if not p.as_posix().startswith(noted)}
    kept.setdefault(runlock.PATH.as_posix(), b"")  # the doctor itself takes it
    lock = RWLOCK.read_bytes() if RWLOCK.exists() else b""
    return {**kept, "lock": lock if len(lock) > len('{"write": {}, "read": {}}') else b"free"}


# what lies far apart is planted at once, and each by itself in `make test-long`
APART = (
    "a request is left",
    "DVC's lock is torn",
    "a run was killed",
    "a line is edited",
    "the bundle is flipped",
    "the pointer is gone",
    "the alias is another",
    "an old challenger",
    "the champion is its own shadow",
    "a half file",
    "a half database",
    "a half bundle",
    "a half registration",
    "an undecided bundle",
    "a rollback's try",
)
# and what is put right just as one of those above is, too
ALIKE = (
    "DVC's lock is of the dead",
    "champion.json is gone",
    "a line is removed",
    "lines are swapped",
    "a line is put in",
    "the bundle is gone",
    "the bundle has more",
    "the pointer is another",
    "the alias is gone",
)
LONG = pytest.mark.long
AFTERWARDS = {"champion.json is another": "2", "a rollback was killed": "1"}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=LONG) if name in (*APART, *ALIKE) else name for name in PLANTS],
)
def test_a_fault_is_said_put_right_and_gone(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path.cwd())  # and back, wherever the plant went
    said_and_mended(fault)


def test_many_faults_at_once_are_all_put_right() -> None:
    said_and_mended(*APART)


def said_and_mended(*faults: str) -> None:
    """Plant faults; look, which changes nothing; have them put right, after which all agree."""
    for fault in faults:
        PLANTS[fault][0]()
    before = tree()
    looked = doctor(only_look=True)
    assert looked.exit_code == 3
    assert not any(finding.mended for finding in looked.findings)
    assert tree() == before
    treated = doctor()
    assert treated.exit_code == 0, treated.findings
    assert all(finding.mended for finding in treated.findings)
    for said in (PLANTS[fault][1] for fault in faults):
        told = {finding.what for finding in treated.findings if said in finding.what}
        assert told
        # DVC's pointer is not looked at while its lock is broken: that would mend the lock
        assert told & {finding.what for finding in looked.findings} or "pointer" in str(faults)
    assert doctor().findings == []
    assert verify().faults == 0
    assert alias("champion") == champion().version == history()[-1]["to"]["version"]
    assert champion().version == AFTERWARDS.get(faults[0], "3")


def test_where_all_is_well_it_says_so_and_changes_nothing() -> None:
    before = tree()
    found = doctor()
    assert (found.findings, found.exit_code) == ([], 0)
    assert tree() == before


def no_git() -> None:
    shutil.rmtree(".git")


def lose_everything() -> None:
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    shutil.rmtree(".dvc/cache")
    lose_files()


LEFT: dict[str, tuple[Callable[[], object], str]] = {
    "an edited history that Git has no other of": (
        lambda: (
            edit_history(lambda t: [t[0].replace("as told", "as I"), *t[1:]]),
            commit("x"),
            no_git(),
        ),
        "line 1: was edited",
    ),
    "a cut history that Git has no other of": (
        lambda: (edit_history(lambda t: t[:1]), no_git()),
        "was cut after line 1",
    ),
    "a torn champion.json that Git has no other of": (
        lambda: (paths.CHAMPION.write_text("{"), no_git()),
        "can't tell who is champion",
    ),
    "a champion whom the history never had": (
        lambda: edit_champion(digest="d" * 64, history=None),
        "names dddddddddddd",
    ),
    "a bundle that is nowhere": (lose_everything, "can't be had as it was"),
    "a dvc.lock with a conflict": (
        lambda: Path("dvc.lock").write_text("<<<<<<< HEAD\nstages: {}\n=======\n"),
        "dvc.lock: torn",
    ),
}


@pytest.mark.parametrize("fault", LEFT)
def test_what_takes_judgement_is_said_and_left(fault: str) -> None:
    """Nothing is guessed: champion.json and history stay byte for byte as they are."""
    plant, said = LEFT[fault]
    plant()
    before = {p: p.read_bytes() for p in (paths.CHAMPION, paths.HISTORY)}
    found = doctor()
    assert found.exit_code == 3
    assert any(said in each.what and not each.mended for each in found.findings), found.findings
    assert {p: p.read_bytes() for p in (paths.CHAMPION, paths.HISTORY)} == before


def test_a_file_that_is_being_written_is_let_be() -> None:
    path = Path("reports/.gate.json.ab12cd34.json")
    path.write_text("half")
    assert doctor().findings == []
    assert path.exists()


def test_it_does_not_work_beside_a_run() -> None:
    with runlock.alone():
        for only_look in (True, False):
            with pytest.raises(UnreachableError, match="another run is at work"):
                doctor(only_look)


def test_a_user_s_own_hidden_files_are_let_be(released: Pipeline) -> None:
    """Only names that Perennial gives what isn't whole yet, and only where it writes."""
    kept = [".env", ".gitignore", "docs/.page.md.ab12cd34.md", ".notes.2024.txt"]
    for path in kept:
        old(path)
    assert doctor().findings == []
    assert all((released.folder / path).exists() for path in kept)


def test_the_history_keeps_what_was_set_by_hand() -> None:
    """champion.json that Git brought is the truth; that it was is noted, and nothing taken back."""
    set_back()
    known = history_lines()
    doctor()
    assert history_lines()[: len(known)] == known
    last = history()[-1]
    assert (last["action"], last["to"]["digest"]) == ("restore", digest_of("2"))
    assert last["from"]["digest"] == digest_of("3")
    found = champions.read()
    assert found is not None
    assert found.history == last["sha256"]


def history_lines() -> list[str]:
    return paths.HISTORY.read_text().splitlines()
