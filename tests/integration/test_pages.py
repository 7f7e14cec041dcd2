"""The pages for people: whole, offline, the same each time, with what blocks first."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.integration.strict_html import Page

from perennial.adapters import pages
from perennial.core.card.contents import Section
from perennial.core.card.sentences import Source, say

REPORT = json.loads((Path(__file__).parents[2] / "reports" / "gate.json").read_text())
LOADS = {"src", "href", "srcset", "data", "xlink:href", "action", "poster"}


def gate(name: str, verdict: str = "pass", **other: Any) -> dict[str, Any]:
    return {
        "name": name,
        "verdict": verdict,
        "estimate": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 1000},
        "threshold": 0.3,
        "side": "above",
        "why": f"{name} 0.5 [0.4, 0.6] must be above 0.3",
        "insufficient": "block",
        "blocks": False,
        **other,
    }


def report(*gates: dict[str, Any], verdict: str = "promote") -> dict[str, Any]:
    return {**REPORT, "gates": list(gates), "verdict": verdict, "why": "as the gates say"}


def written(folder: Path, content: dict[str, Any]) -> str:
    path = folder / "reports" / "gate.html"
    pages.write_gates(path, content)
    return path.read_text()


def test_the_page_of_the_shipped_report_is_whole_and_holds_every_why(tmp_path: Path) -> None:
    text = written(tmp_path, REPORT)
    page = Page(text)
    for shipped in REPORT["gates"]:
        assert shipped["why"] in page.text
        assert shipped["name"] in page.text
    assert REPORT["why"] in page.text
    with_numbers = [g for g in REPORT["gates"] if pages.picture(g)]
    assert sum(tag == "svg" for tag, _ in page.elements) == len(with_numbers)


def test_a_page_loads_nothing_from_anywhere(tmp_path: Path) -> None:
    text = written(tmp_path, REPORT)
    loaded = {
        value
        for tag, attributes in Page(text).elements
        for name, value in attributes.items()
        if name in LOADS and tag != "a"
    }
    assert loaded == set()
    assert not re.search(r"https?://|@import|url\(|<script", text)


def test_links_of_the_page_are_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pages.write_gates(Path("reports/gate.html"), REPORT)
    page = Page(Path("reports/gate.html").read_text())
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert {"gate.json", "metrics.json", "model-card.html"} <= set(links)
    assert not [link for link in links if link is None or "/" in link]


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "a", REPORT) == written(tmp_path / "b", copy.deepcopy(REPORT))


def test_what_blocks_comes_first_and_stands_in_the_headline(tmp_path: Path) -> None:
    bad = gate("leakage", "fail", blocks=True, why="share 0.5 must be below 0.3")
    unclear = gate("stability", "insufficient", insufficient="tolerate")
    text = written(tmp_path, report(bad, unclear, gate("quality_floor"), verdict="block"))
    assert "Block: the candidate may not go into production." in text
    assert "Stopped by leakage." in text
    order = [text.index(f"<code>{n}</code>") for n in ("leakage", "stability", "quality_floor")]
    assert order == sorted(order)
    assert order[1] < text.index("<details") < order[2]  # what passes is folded away


def test_a_page_of_passes_alone_is_not_folded(tmp_path: Path) -> None:
    assert "<details open>" in written(tmp_path, report(gate("quality_floor")))


def test_characters_of_html_in_a_name_or_a_why_stay_text(tmp_path: Path) -> None:
    odd = gate("leakage", why="share of <script>alert(1)</script> & “x” is 0.5")
    text = written(tmp_path, report(odd))
    assert "<script>" not in text
    assert odd["why"] in Page(text).text


def test_a_gate_without_a_number_says_so_in_words(tmp_path: Path) -> None:
    none = gate("champion", estimate=None)
    infinite = gate("invariance", "fail", estimate={"value": None, "low": None, "high": None})
    text = written(tmp_path, report(infinite, none))
    assert "nothing to estimate" in text
    assert "no finite number" in text
    assert "<svg" not in text


@pytest.mark.parametrize(("side", "shaded"), [("above", "right"), ("below", "left")])
def test_the_side_that_passes_is_shaded(side: str, shaded: str) -> None:
    drawn = pages.picture(gate("g", side=side))
    assert drawn is not None
    edges = (drawn.right_from, drawn.right_to)
    left, right = (0.0, drawn.threshold), (drawn.threshold, pages.WIDTH)
    assert edges == (right if shaded == "right" else left)
    assert 0 < drawn.threshold < drawn.low < drawn.value < drawn.high < pages.WIDTH


def test_a_report_that_names_no_side_has_none_shaded() -> None:
    old = gate("g")
    del old["side"]
    drawn = pages.picture(old)
    assert drawn is not None
    assert drawn.right_from == drawn.right_to


def test_a_bound_that_is_infinite_reaches_the_edge() -> None:
    drawn = pages.picture(gate("g", estimate={"value": 0.5, "low": None, "high": 0.6, "n": 9}))
    assert drawn is not None
    assert drawn.low == 0.0


def test_an_estimate_of_which_no_bound_is_known_is_not_drawn_as_a_fact() -> None:
    nothing = {"value": 0.5, "low": None, "high": None, "n": 9}
    drawn = pages.picture(gate("g", estimate=nothing, side="below"))
    assert drawn is not None
    assert drawn.label == "below 0.3"
    assert (drawn.low, drawn.high) == (0.0, pages.WIDTH)


def test_a_fact_at_its_threshold_is_drawn() -> None:
    fact = {"value": 0.0, "low": 0.0, "high": 0.0, "n": 9}
    drawn = pages.picture(gate("g", estimate=fact, threshold=0.0, side="below"))
    assert drawn is not None
    assert drawn.value == drawn.threshold
    assert drawn.label == "at most 0"


def card(folder: Path, words: str) -> tuple[str, str]:
    source = Source("reports/slices.json", {"a`b": {"words": words}})
    section = Section("Limits", (say("It says {}.", source["/a`b/words"]),))
    folder.mkdir()
    markdown, page = folder / "model-card.md", folder / "model-card.html"
    pages.write_card(markdown, page, [section])
    return markdown.read_text(), page.read_text()


@pytest.mark.parametrize(
    "words", ["<b>", "[x](y)", "*x*", "`x`", "a_b", "_x_", "a|b", "~~x~~", "&lt;"]
)
def test_a_card_shows_characters_of_markdown_and_html_as_they_are(
    tmp_path: Path, words: str
) -> None:
    from markdown_it import MarkdownIt

    markdown, page = card(tmp_path / "reports", words)
    assert f"It says {words}." in Page(page).text
    rendered = Page(MarkdownIt("commonmark").enable("strikethrough").render(markdown))
    assert f"It says {words}." in rendered.text
    assert "/a`b/words" in rendered.text
    assert {tag for tag, _ in rendered.elements} <= {"h1", "h2", "p", "ul", "li", "a", "code"}


def test_a_card_gives_the_same_bytes_and_loads_nothing(tmp_path: Path) -> None:
    first, second = card(tmp_path / "a", "x"), card(tmp_path / "b", "x")
    assert first == second
    assert not re.search(r"https?://|@import|url\(|<script", "".join(first))
