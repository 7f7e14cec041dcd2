"""What is recorded of the code and the environment: enough to make it again, and no secret."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from perennial.adapters import git, machine
from perennial.errors import IntegrityError
from perennial.stages import recording

CODE = {"src/a.py": "one\n", "params.yaml": "seed: 7\n", "README.md": "read me\n"}


def call(*arguments: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(params=["", "within/another"])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project with a commit, as the current folder: a repository, or a folder of one."""
    top = tmp_path / "repository"
    folder = top / str(request.param)
    folder.mkdir(parents=True)
    for name, content in CODE.items():
        write(folder / name, content)
    write(folder / ".gitignore", "*.secret\n/.perennial/\n")
    monkeypatch.chdir(top)
    call("init", "-q", "-b", "main")
    call("config", "diff.noprefix", "true")  # a user's own settings must not matter
    call("add", "--all")
    call("commit", "-qm", "start")
    monkeypatch.chdir(folder)
    return folder


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def recorded() -> tuple[dict[str, object], bytes]:
    written = {path.name: path.read_bytes() for path in recording.record(())}
    return json.loads(written["code.json"]), written.get("code.diff", b"")


def test_clean_code_is_a_commit_and_no_difference(project: Path) -> None:
    state, difference = recorded()
    assert state["commit"] == git.commit()
    assert (state["dirty"], state["changed"], difference) == (False, [], b"")


def test_a_difference_makes_the_same_code_of_the_commit_elsewhere(
    project: Path, tmp_path: Path
) -> None:
    """Files changed, gone, new and not text; nothing of the repository itself is touched."""
    write(project / "src/gone.py", "gone\n")
    call("add", "--all")
    call("commit", "-qm", "more")
    write(project / "src/a.py", "two\n")
    (project / "src/gone.py").unlink()
    write(project / "src/new/b.py", "new\n")
    (project / "src/page.html").write_bytes(bytes(range(256)))
    index = subprocess.run(["git", "ls-files", "-s"], capture_output=True, check=True).stdout
    state, difference = recorded()
    assert state["diff_sha256"] == hashlib.sha256(difference).hexdigest()
    target = project / ".perennial/there"  # within the repository, as a derivation is
    target.mkdir(parents=True)
    git.extract(str(state["commit"]), target)
    git.apply(difference, target)
    there = {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*.*")}
    assert there["src/a.py"] == b"two\n"
    assert there["src/new/b.py"] == b"new\n"
    assert there["src/page.html"] == bytes(range(256))
    assert there["README.md"] == b"read me\n"
    assert "src/gone.py" not in there
    after = subprocess.run(["git", "ls-files", "-s"], capture_output=True, check=True).stdout
    assert after == index
    assert (project / "src/a.py").read_text() == "two\n"


def test_only_what_stages_read_is_recorded(project: Path) -> None:
    """Not what .gitignore names, nor what lies about; a new file that is no source by its digest
    alone."""
    for name in (".env", "notes.txt", "README.md", "src/own.secret", "src/dump.sqlite"):
        write(project / name, "swordfish")
    write(project / "src/b.py", "b\n")
    state, difference = recorded()
    assert state["dirty"]
    changed = {entry["path"]: entry["content"] for entry in state["changed"]}  # type: ignore[attr-defined]
    assert changed == {"src/b.py": True, "src/dump.sqlite": False}
    assert b"swordfish" not in difference
    assert b"+b" in difference


@pytest.mark.parametrize("how", ["variable", "key"])
def test_a_difference_that_holds_a_secret_is_left_out(
    project: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """And why is said; the files are still named by digest."""
    monkeypatch.setenv("STORE_PASSWORD", "swordfish-42")
    secrets = {"variable": "swordfish-42", "key": "-----BEGIN PRIVATE KEY-----"}
    write(project / "src/a.py", f"password = '{secrets[how]}'\n")
    state, difference = recorded()
    assert difference == b""
    assert state["diff_sha256"] is None
    assert state["left_out"]
    assert [entry["path"] for entry in state["changed"]] == ["src/a.py"]  # type: ignore[attr-defined]
    written = b"".join(path.read_bytes() for path in recording.FOLDER.iterdir())
    assert secrets[how].encode() not in written


def test_without_git_the_code_is_said_to_be_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "src/a.py", "one\n")
    state, difference = recorded()
    assert (state["commit"], state["dirty"], state["changed"]) == (None, None, [])
    assert difference == b""


def test_a_commit_or_a_difference_that_does_not_fit_is_an_error(project: Path) -> None:
    for revision in ("0" * 40, "HEAD", "--prefix=elsewhere"):
        with pytest.raises(IntegrityError, match="not to be had"):
            git.extract(revision, project / ".perennial/there")
    write(project / "src/a.py", "two\n")
    _, difference = recorded()
    write(project / "src/a.py", "three\n")
    with pytest.raises(IntegrityError, match="does not fit"):
        git.apply(difference, project)


def test_the_environment_names_what_may_change_bytes(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("numpy==2\n")
    found = machine.describe(tmp_path)
    assert found["python"].startswith("CPython 3.11.")
    assert found["packages"]["numpy"]
    assert found["packages"]["xgboost-cpu"]
    assert found["requirements_lock_sha256"] == hashlib.sha256(b"numpy==2\n").hexdigest()
    assert str(tmp_path) not in json.dumps(found)
    assert machine.describe(tmp_path) == found


def test_the_cpu_is_told_by_what_changes_the_order_of_additions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    block = "processor\t: {}\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 fma avx512f\n\n"
    info.write_text(block.format(0) + block.format(1))
    monkeypatch.setattr(machine, "CPUINFO", info)
    cpu = {"model": "Some CPU", "features": ["avx2", "avx512f", "fma"]}
    assert machine.describe(tmp_path)["cpu"] == cpu
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "none")
    assert machine.describe(tmp_path)["cpu"]["features"] is None
