"""dvc.yaml is the only list of the stages: whoever needs them asks DVC.

A second list is one that names at least five of them in a row: as items of a list, as calls, lines
or words one after another. Prose that mentions stages between other words is no list.
"""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES = list(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])
TOO_MANY = 5
BETWEEN = 40  # characters between one name and the next, at most, and no more than two words
LISTS = {"dvc.yaml", "dvc.lock"}
SOURCES = {".py", ".yaml", ".yml", ".toml", ".json", ".sh", ".cfg", ".md", ".txt", ""}
# what runs or registers wrote, and what pins versions, is nobody's source
NOT_SOURCES = ("reports/", "data/", "models/", "requirements.lock")


def sources(root: Path) -> list[Path]:
    """Every source file, tracked or not yet."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [
        root / name
        for name in sorted(filter(None, listed.split("\0")))
        if name not in LISTS
        and not name.startswith(NOT_SOURCES)
        and Path(name).suffix in SOURCES
        and (root / name).is_file()
    ]


def second_list(text: str) -> list[str]:
    """Return the stages that the text names one after another, if there are too many of them."""
    run: list[str] = []
    end = 0
    for found in re.finditer(rf"(?<![\w-])({'|'.join(map(re.escape, STAGES))})(?![\w-])", text):
        between = text[end : found.start()]
        words = re.findall(r"[^\W\d_]{2,}", between)
        near = len(between) <= BETWEEN and len(words) <= 2
        run = [*run, found[0]] if near and run else [found[0]]
        end = found.end()
        if len(set(run)) >= TOO_MANY:
            return run
    return []


def second_lists(root: Path) -> dict[str, list[str]]:
    """Return the files that list the stages, each with what it lists."""
    texts = {path: path.read_text(encoding="utf-8", errors="ignore") for path in sources(root)}
    found = {path.relative_to(root).as_posix(): second_list(text) for path, text in texts.items()}
    return {name: names for name, names in found.items() if names}


def test_no_other_file_lists_the_stages() -> None:
    assert second_lists(ROOT) == {}


@pytest.mark.parametrize(
    "name", ["flows/nightly.py", "Makefile", ".github/workflows/a.yml", "A.md"]
)
@pytest.mark.parametrize("tracked", [True, False])
def test_a_file_with_a_second_list_is_found(tmp_path: Path, name: str, tracked: bool) -> None:
    """Also before it is committed; what dvc.yaml itself lists is not held against it."""
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    for file in (name, "dvc.yaml"):
        (tmp_path / file).write_text(f"{' '.join(STAGES)}\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    if tracked:
        subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert list(second_lists(tmp_path)) == [name]


def test_this_looks_at_what_there_is() -> None:
    """A check that finds no files would never fail."""
    names = {path.relative_to(ROOT).as_posix() for path in sources(ROOT)}
    assert {"flows/training.py", "Makefile", "README.md", "src/perennial/cli/app.py"} <= names
    assert second_list((ROOT / "dvc.yaml").read_text()) == []  # its stages are far apart
    assert len(STAGES) > TOO_MANY


@pytest.mark.parametrize(
    "form",
    [
        "STAGES = [{quoted}]",
        "for stage in ({quoted}):",
        "for s in {spaced}; do dvc repro -s $s; done",
        "stages:\n{dashed}",
        "ORDER = {{\n{mapped}}}",
        "@task\n{calls}",
        "run: {spaced}",
        "dvc repro {spaced}",
        "{arrows}",
    ],
)
def test_a_planted_second_list_is_found(form: str) -> None:
    """In each way that one is likely to be written, and from any five stages on."""
    for chosen in (STAGES, STAGES[:TOO_MANY], STAGES[-TOO_MANY:]):
        text = form.format(
            quoted=", ".join(f'"{name}"' for name in chosen),
            spaced=" ".join(chosen),
            dashed="".join(f"  - name: {name}\n" for name in chosen),
            mapped="".join(f'    "{name}": "run_{name}",\n' for name in chosen),
            calls="".join(f"    {name}()\n" for name in chosen),
            arrows=" → ".join(chosen),
        )
        assert second_list(f"some text before\n{text}\nand after"), text


def test_prose_that_mentions_stages_is_no_list() -> None:
    text = "When {} has run, the batches are there for {}; what {} then writes decides whether {} "
    text += "and the others, like {}, have anything to do, or whether {} is the end of it"
    assert second_list(text.format(*STAGES)) == []


def test_fewer_are_no_list() -> None:
    assert second_list(" ".join(STAGES[: TOO_MANY - 1])) == []
