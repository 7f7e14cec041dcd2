"""The documentation says what is so; where it drifts, these fail."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "data/README.md",
    ROOT / "deploy/README.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_named_exist(page: Path) -> None:
    import typer

    from perennial.cli import app

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`(?:\.venv/bin/)?perennial ([a-z-]+)", page.read_text()))
    named |= set(re.findall(r"^\.venv/bin/perennial ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_reports_that_are_named_are_made(page: Path) -> None:
    from perennial import paths

    made = {str(value) for name, value in vars(paths).items() if name.isupper()}
    named = set(re.findall(r"`(reports/[a-z.-]+[a-z])/?`", page.read_text()))
    assert named <= made


def test_parameters_that_the_guide_names_exist() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    text = "".join(page.read_text() for page in PAGES)
    for group, key in re.findall(r"`([a-z]+)\.([a-z_]+)`", text):
        if group in params and isinstance(params[group], dict):
            assert key in params[group], f"{group}.{key}"


def test_every_gate_is_documented_and_no_other() -> None:
    """The table names each gate of params.yaml."""
    table = (ROOT / "docs/how-a-gate-decides.md").read_text()
    gates = set(yaml.safe_load((ROOT / "params.yaml").read_text())["gates"]) - {"error_rate"}
    for gate in gates - {"better_than_simple", "fairness"}:
        assert f"`{gate}`" in table
    for baseline in ("logistic", "default"):
        assert f"`better_than_{baseline}`" in table


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 200


def test_no_file_of_python_is_longer_than_the_rule_says() -> None:
    """CONTRIBUTING.md has the number."""
    rule = re.search(r"at most (\d+) lines", (ROOT / "CONTRIBUTING.md").read_text())
    assert rule
    folders = ("src", "flows", "tests", "benchmarks", "supply_chain")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path): len(path.read_text().splitlines()) for path in files}
    assert len(lengths) > 500
    assert {path: n for path, n in lengths.items() if n > int(rule[1])} == {}


def test_digests_of_the_batches_are_those_of_the_data_page() -> None:
    import hashlib

    rows = re.findall(
        r"^\| ([\d-]+) \| (\d+) \| `([0-9a-f]{64})` \|$",
        (ROOT / "data/README.md").read_text(),
        re.MULTILINE,
    )
    assert len(rows) == 30
    for period, _, digest in rows:
        batch = ROOT / "data/batches" / f"{period}.parquet"
        assert hashlib.sha256(batch.read_bytes()).hexdigest() == digest


def test_a_lost_link_is_found(tmp_path: Path) -> None:
    """The check itself fails on a page that leads nowhere."""
    page = tmp_path / "page.md"
    page.write_text("[there](nowhere.md)")
    with pytest.raises(AssertionError):
        test_links_to_files_lead_somewhere(page)
