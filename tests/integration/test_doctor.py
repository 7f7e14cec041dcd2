"""The doctor: each fault that it knows is planted, only said by --check, and put right."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.killed import kill
from tests.integration.released import MODEL, alias, champion, digest_of, uri
from tests.integration.spoilt import RWLOCK, edit_champion, edit_history, lose_files, old, tree

from perennial import paths
from perennial.adapters import dag, files, registry, runlock
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.commands import requests
from perennial.commands.doctor import doctor
from perennial.commands.history import history
from perennial.commands.rollback import rollback
from perennial.commands.verify import verify

pytestmark = pytest.mark.usefixtures("released")
GONE = 2**22 + 7  # above what Linux numbers processes with


def ask() -> None:
    files.write_json(requests.NOTE, {"schema_version": 1, "before": "none", "set": "retrain"})
    text = paths.PARAMS.read_text().replace("  request: none", "  request: retrain")
    paths.PARAMS.write_text(text)
    assert read_params("policy").policy.request == "retrain"


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
