"""docs/ml-test-score.md claims no check that isn't there, and adds its scores up rightly."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from perennial.commands import champion_faults, proving

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/ml-test-score.md"
SECTIONS = ("Data", "Model", "Infrastructure", "Monitoring")
FILE = re.compile(r"[\w-]+(?:/[\w.-]+)+\.\w+(?:::\w+)?")
KINDS = {*(plant.kind for plant in proving.plants()), *champion_faults.FAULTS}
Row = tuple[str, str, str, str, float]


def rows(text: str) -> dict[str, list[Row]]:
    """Return each section's rows: test, check, fault, what is missing, score."""
    found: dict[str, list[Row]] = {}
    for section in SECTIONS:
        part = re.split(r"^## ", text.split(f"\n## {section}\n")[1], flags=re.MULTILINE)[0]
        cells = [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in part.splitlines()
            if re.match(r"\| \d ", line)
        ]
        assert all(len(row) == 5 for row in cells), section
        found[section] = [(*row[:4], float(row[4])) for row in cells]  # type: ignore[misc]
    return found


@cache
def functions(path: Path) -> set[str]:
    """Return the functions that a test file defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def lost(cell: str) -> list[str]:
    """Return what a cell names and is not there: files, tests, plants, gates or stages."""
    wrong = []
    for name in re.findall(r"`([^`]+)`", cell):
        if FILE.fullmatch(name):
            path, _, test = name.partition("::")
            if not (ROOT / path).is_file() or (test and test not in functions(ROOT / path)):
                wrong.append(name)
        elif name != "margin" and name not in KINDS | _gates() | _stages():
            wrong.append(name)
    return wrong


@cache
def _gates() -> set[str]:
    """Every gate that docs/how-a-gate-decides.md has a row for; test_docs.py holds that page."""
    text = (ROOT / "docs/how-a-gate-decides.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@cache
def _stages() -> set[str]:
    return set(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])


@pytest.fixture(scope="module")
def sections() -> dict[str, list[Row]]:
    return rows(PAGE.read_text(encoding="utf-8"))


def test_there_are_the_papers_28_tests_seven_a_section(sections: dict[str, list[Row]]) -> None:
    for name, found in sections.items():
        assert [row[0].split()[0] for row in found] == list("1234567"), name


def test_all_that_a_row_names_exists(sections: dict[str, list[Row]]) -> None:
    cells = [cell for found in sections.values() for row in found for cell in row[1:3]]
    assert not [name for cell in cells for name in lost(cell)]


def test_a_score_has_a_check_and_a_fault_and_a_missing_part_is_said(
    sections: dict[str, list[Row]],
) -> None:
    for test, check, fault, missing, score in (row for found in sections.values() for row in found):
        assert score in (0, 0.5, 1), test
        named = bool(re.search("`", check)) and bool(re.search("`", fault))
        assert named == (score > 0), test
        assert bool(missing) == (score < 1), test


def test_sums_and_the_final_score_are_right(sections: dict[str, list[Row]]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    sums = {name: sum(row[4] for row in found) for name, found in sections.items()}
    stated = {
        name: float(score)
        for name, score in re.findall(r"^\| (\w+) \| ([\d.]+) \|$", text, re.MULTILINE)
    }
    assert stated == sums
    final = re.search(r"^\| \*\*Final: the lowest\*\* \| \*\*([\d.]+)\*\* \|$", text, re.MULTILINE)
    assert final is not None
    assert float(final[1]) == min(sums.values())


@pytest.mark.parametrize(
    "cell",
    [
        "`tests/unit/test_nowhere.py`",
        "`tests/unit/test_drift_comparison.py::test_nothing_of_the_kind`",
        "plant `no_such_plant`",
        "gate `no_such_gate`",
    ],
)
def test_what_is_not_there_is_found(cell: str) -> None:
    """The check itself fails on a name that leads nowhere."""
    assert lost(cell)
