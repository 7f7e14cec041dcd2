"""params.yaml found right is remembered for that very text and that very code, and nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import grimp
import pytest
from tests.integration.configured import Faults

from perennial import paths
from perennial.adapters.files import configuration
from perennial.errors import InputError

RIGHT = {"model": "bank-deposits", "uri": None, "public_keys": []}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that are checked from here on."""
    texts: list[str] = []
    check = configuration.check

    def noted(text: str, path: Path) -> object:
        texts.append(text)
        return check(text, path)

    monkeypatch.setattr(configuration, "check", noted)
    return texts


def read() -> dict[str, object]:
    return configuration.read_plain("seed", "registry")


@pytest.mark.usefixtures("project")
def test_a_text_that_was_found_right_is_not_checked_again(
    params_yaml: Callable[..., Path], checked: list[str]
) -> None:
    text = params_yaml().read_text()
    assert read() == read() == {"seed": 7, "registry": RIGHT}
    assert checked == [text]


@pytest.mark.usefixtures("project")
def test_another_text_is_checked_and_read(
    params_yaml: Callable[..., Path], checked: list[str]
) -> None:
    params_yaml()
    read()
    params_yaml(("seed: 7", "seed: 8"))
    assert read()["seed"] == 8
    params_yaml(("seed: 7", "seed: -8"))
    with pytest.raises(InputError, match="seed"):
        read()
    assert len(checked) == 3


@pytest.mark.usefixtures("project")
def test_other_code_checks_again(
    params_yaml: Callable[..., Path],
    checked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A rule that became stricter is not passed by a file that was right before it."""
    params_yaml()
    read()
    rules = tmp_path / "rules.py"
    rules.write_text("stricter")
    monkeypatch.setattr(configuration, "_code", lambda: [rules])
    read()
    assert len(checked) == 2


def test_all_code_that_says_what_is_right_is_looked_at() -> None:
    graph = grimp.build_graph("perennial", include_external_packages=False, cache_dir=None)
    reached = graph.find_upstream_modules("perennial.params") | {"perennial.params"}
    named = {".".join(file.with_suffix("").parts[-3:]) for file in configuration._code()}
    short = {name.removesuffix(".__init__").removeprefix("src.") for name in named}
    assert reached - {"perennial"} <= short


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("spoiled", [b"", b"\xff", b"0" * 64, None])
def test_a_spoiled_or_lost_memory_is_made_anew(
    params_yaml: Callable[..., Path], checked: list[str], spoiled: bytes | None
) -> None:
    params_yaml()
    read()
    whole = paths.CHECKED.read_bytes()
    paths.CHECKED.unlink()
    if spoiled is not None:
        paths.CHECKED.write_bytes(spoiled)
    assert read()["registry"] == RIGHT
    assert len(checked) == 2
    assert paths.CHECKED.read_bytes() == whole


@pytest.mark.usefixtures("project")
def test_a_memory_that_cannot_be_kept_stops_nothing(params_yaml: Callable[..., Path]) -> None:
    params_yaml()
    shutil.rmtree(paths.STATE, ignore_errors=True)
    paths.CHECKED.mkdir(parents=True)  # a folder in its place can't be read, written or replaced
    assert read()["registry"] == RIGHT


def test_a_wrong_file_is_told_as_ever(
    project: Path, params_yaml: Callable[..., Path], faults: Faults
) -> None:
    replaced = (("seed: 7", "seed: -1"), ("folds: 3", "fold: 3"))
    told = faults(*replaced)
    params_yaml(*replaced)
    with pytest.raises(InputError) as caught:
        read()
    assert [fault.split(",", 1)[1] for fault in caught.value.faults] == [
        fault.split(",", 1)[1] for fault in told
    ]
    assert not (project / paths.CHECKED).exists()
