"""Names from outside stay in their folder, whatever they are: fuzzed, through the one check and
through each place where one becomes a path or a word of a command."""

import hashlib
import json
import os
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.integration.configured import Faults

from perennial import names
from perennial.adapters import bundles, files
from perennial.adapters.bundles import champions
from perennial.adapters.parquet import batches
from perennial.commands.retrain import wish
from perennial.errors import InputError, IntegrityError, PerennialError

EVIL = [
    "..",
    ".",
    "",
    "../x",
    "x/../../y",
    "/etc/passwd",
    "//x",
    "x//y",
    "x/",
    "a\0b",
    "a\nb",
    "a\\..\\b",
    "C:x",
    "con",
    "NUL.json",
    "aux .txt",
    "com1",
    "x" * 300,
    "e\u0301",
    "\u202egnp.exe",
    "x\u200b",
    "\ud800",
    "..%2f/..",
    "-x",
    "~root",
    " x",
    "x.",
    "x ",
]
PARTS = st.sampled_from([*EVIL, "a", "b.json", "/", "..", "\\", "%2e%2e", "．．", "\u2025"])
NAMES = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="./\\~-:a\0\n\u0301é", max_size=12),
    st.lists(PARTS, min_size=1, max_size=4).map("".join),
    st.lists(PARTS, min_size=1, max_size=4).map("/".join),
)


@given(NAMES)
@settings(max_examples=200)
def test_what_passes_is_below_its_folder_and_comes_back_as_it_was_written(name: str) -> None:
    if names.path_fault(name) is not None:
        return
    root = Path("/somewhere/deep")
    joined = os.path.normpath(root / name)
    assert joined.startswith(f"{root}/")
    assert joined == f"{root}/{name}", "nothing in it was resolved away"
    assert unicodedata.normalize("NFC", name) == name
    os.fsencode(name)
    assert "\0" not in name


@pytest.mark.parametrize("name", EVIL)
def test_what_leads_away_or_is_read_otherwise_is_refused(name: str) -> None:
    if name != "..%2f/..":
        assert names.fault(name) is not None
    assert names.path_fault(name) is not None


@pytest.mark.parametrize("name", ["model.json", "member-00.ubj", "über.json", "a b", "%2e", "年"])
def test_plain_names_pass(name: str) -> None:
    assert names.fault(name) is None
    assert names.path_fault(f"deep/{name}") is None


# --- manifests -----------------------------------------------------------------------------------


@given(NAMES)
@example("../outside")
@settings(max_examples=60)
def test_a_manifest_reads_nothing_outside_of_its_folder(name: str) -> None:
    """Its digest is right and so is that of what it leads to; still nothing is read."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "in/bundle"
        (Path(folder) / "in/outside").parent.mkdir()
        (Path(folder) / "in/outside").write_bytes(b"secret")
        (Path(folder) / "outside").write_bytes(b"secret")
        bundles.write(root, {"model.json": b"{}"})
        manifest = json.loads((root / bundles.MANIFEST).read_bytes())
        entry = {"bytes": 6, "sha256": hashlib.sha256(b"secret").hexdigest()}
        manifest["artefacts"][name.encode("utf-8", "replace").decode()] = entry
        files.write_json(root / bundles.MANIFEST, manifest)
        try:
            read = bundles.read(root, bundles.digest(root))
        except IntegrityError:
            return
        raise AssertionError(f"{name!r} was read: {read}")


# --- batches and plans ---------------------------------------------------------------------------


def test_a_batch_that_is_a_link_out_of_the_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within it may be one, as DVC makes them into its cache."""
    project, outside = tmp_path / "p", tmp_path / "outside.parquet"
    (project / "data/batches").mkdir(parents=True)
    (project / ".dvc/cache").mkdir(parents=True)
    monkeypatch.chdir(project)
    outside.write_bytes(b"somebody's")
    (project / ".dvc/cache/object").write_bytes(b"ours")
    Path("data/batches/2010-01.parquet").symlink_to(project / ".dvc/cache/object")
    assert [batch.period for batch in batches.find(Path("data/batches"))] == ["2010-01"]
    for number, target in enumerate((outside, "../../../outside.parquet"), start=2):
        Path(f"data/batches/2010-0{number}.parquet").symlink_to(target)
    with pytest.raises(InputError) as caught:
        batches.find(Path("data/batches"))
    assert len(caught.value.faults) == 2
    assert "leads out of the project" in caught.value.faults[0]


def test_a_folder_of_batches_may_itself_be_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody put it there for the whole of the data; what is in it still may not lead on."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/2010-01.parquet").write_bytes(b"x")
    (tmp_path / "p").mkdir()
    monkeypatch.chdir(tmp_path / "p")
    Path("batches").symlink_to(tmp_path / "disk")
    assert len(batches.find(Path("batches"))) == 1


@given(NAMES)
def test_a_file_is_a_batch_only_under_the_name_of_a_period(name: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            (Path(folder) / f"{name}.parquet").write_bytes(b"x")
        except (OSError, ValueError):  # no file can be called so, or it leads elsewhere
            return
        try:
            found = batches.find(Path(folder))
        except InputError:
            return
        assert [batch.period for batch in found] == [name]
        assert names.WORD.fullmatch(name)


@pytest.mark.parametrize(
    "period", [name for name in EVIL if "\ud800" not in name and not names.WORD.fullmatch(name)]
)
def test_a_plan_from_elsewhere_reads_no_file_outside(period: str, tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    (tmp_path / "x.parquet").write_bytes(b"secret")
    ref = {
        "period": period,
        "sha256": hashlib.sha256(b"secret").hexdigest(),
        "rows": 1,
    }
    with pytest.raises(IntegrityError, match="no period"):
        batches.read_verified([ref], [tmp_path / "batches"])  # type: ignore[list-item]


@pytest.mark.parametrize("model", ["../x", "a' OR 1=1", "a/b", "", "x\n"])
def test_a_champion_of_an_impossible_name_is_exit_3(model: str, tmp_path: Path) -> None:
    content = {"schema_version": 1, "model": model, "version": "1", "digest": "d" * 64}
    content |= {"plan": {}, "verdict": "promote", "when": "2026", "attempts": []}
    files.write_json(tmp_path / "champion.json", content)
    with pytest.raises(IntegrityError):
        champions.read(tmp_path / "champion.json")


# --- parameters ----------------------------------------------------------------------------------

PLACES = {
    "data.labels.folder": ("labels: null", "labels: {{folder: {}, key: x, min_share: 0.9}}"),
    "data.as_of": ('as_of: "2010-08"', "as_of: {}"),
    "validation.suite": ("suite: batch.json", "suite: {}"),
    "registry.model": ("model: bank-deposits", "model: {}"),
    "sensitive": (
        "  marital: {from: marital, bins: null}",
        "  marital: {{from: marital, bins: null}}\n  {}: {{from: job, bins: null}}",
    ),
    "features.columns": (
        "    days: {from: pdays",
        "    {}: {{from: job, as: category, missing: null, why: a test}}\n    days: {{from: pdays",
    ),
    "behaviour.changes": (
        "    longer: {column",
        "    {}: {{column: age, to: 1, expect: unchanged, why: a test}}\n    longer: {{column",
    ),
    "evaluation.slices.declared": (
        "declared: {old: {age: [60.0, null]}}",
        "declared: {{{}: {{age: [60.0, null]}}}}",
    ),
}
IN_PARAMS = [
    "../x",
    "/etc",
    "a/../..",
    "a\\b",
    "a\nb",
    "nul",
    "x" * 300,
    "e\u0301",
    "-x",
    "\u202ex",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", IN_PARAMS)
def test_no_parameter_leads_out_of_its_folder(place: str, name: str, faults: Faults) -> None:
    if names.WORD.fullmatch(name) and place in ("data.as_of", "registry.model"):
        pytest.skip("a word, and a device only where Perennial does not run")
    old, new = PLACES[place]
    found = faults((old, new.format(json.dumps(name))))
    assert any(place in fault for fault in found), found


# --- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["branch", "origin", "remote"])
@pytest.mark.parametrize(
    "name", ["--upload-pack=touch x", "ext::sh -c x", "a..b", "x.lock", "@{1}"]
)
def test_no_option_is_taken_for_one_of_gits(option: str, name: str) -> None:
    given_ = {"remote": None, "branch": None, "push": False, "origin": "origin"}
    with pytest.raises(InputError, match=f"--{option}"):
        wish(**{**given_, option: name}, request="none")  # type: ignore[arg-type]


@given(st.text(alphabet="ab/.-@{~^:?*[\\ \nl\u00e9k", min_size=1, max_size=8))
@settings(max_examples=60)
def test_what_passes_as_a_branch_is_one_to_git(name: str) -> None:
    if shutil.which("git") is None or names.branch_fault(name) is not None:
        return
    command = ["git", "check-ref-format", "--branch", name]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == 0, name


def test_faults_of_names_are_the_users(faults: Faults) -> None:
    with pytest.raises(PerennialError) as caught:
        wish(None, "-x", False, "-y", "none")
    assert caught.value.exit_code == 2
    assert len(caught.value.faults) == 2
