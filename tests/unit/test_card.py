"""The model card: every number of every sentence is in the artefact that the sentence links to.

The check reads the written card alone, as a reader would: link, place, number.
"""

import copy
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.adapters import pages
from perennial.core.card import contents as card
from perennial.core.card.sentences import said, unfounded
from perennial.errors import InputError

ROOT = Path(__file__).parents[2]
ITEM = re.compile(r"^- (?P<text>.*)\n  \((?P<links>.*)\)$", re.MULTILINE)
LINK = re.compile(r"\[(?P<artefact>[^\]]*)\]\((?P<target>[^)]*)\) (?P<places>(?:`[^`]*`(?:, )?)+)")
MODEL = {
    "kind": "xgboost",
    "members": [{"file": "member-00.ubj", "weight": 1.0}],
    "logistic": None,
    "calibration": {"method": "sigmoid", "intercept": 0.5607331, "slope": 0.416723849},
    "decision": {
        "attribute": "age_group",
        "by_group": {"60 and over": 0.5953754136961711},
        "threshold": 0.5213091248436219,
    },
    "recipe": {
        "kind": "xgboost",
        "members": [{"params": {"learning_rate": 0.1, "max_depth": 4}, "rounds": 57}],
    },
}
PLAN = {
    "action": "bootstrap",
    "because": "bootstrap",
    "parts": {
        "train": [{"period": "2008-05", "rows": 7957}, {"period": "2009-12", "rows": 201}],
        "calibration": [{"period": "2010-01", "rows": 227}],
        "holdout": [{"period": "2010-05", "rows": 234}, {"period": "2010-08", "rows": 260}],
    },
    "split": {"kind": "time"},
}
LEAKS = {
    "overlap": {"shared": 0, "rows": 44619, "what": "rows"},
    "time_order": {"backwards": 3, "rows": 44619},
}
SLICES = {
    "searched": {
        "looked_at": 1288,
        "worst": [{"slice": "age from 53", "rows": 124, "reference": "the prior", "mean": 0.0454}],
    },
    "declared": {"looked_at": 0, "worst": []},
}
BEHAVIOUR = {
    "directions": {"day": {"says": "'day = 15: unchanged'", "violations": 7, "rows": 986}},
    "flipped": {"age_group": {"changed": 221, "rows": 1015}},
    "robustness": {"huge": 2, "missing": 3},
    "strange_rows": 1680,
    "cost": {"candidate": {"model_size": 626146.0, "node_visits": 1277.51429}},
}
PARITY = {"missing": None, "gaps": {"onnx": {"edge": {"rows": 64, "gap": 2e-07}}}}
EXTRA = {"slices": SLICES, "behaviour": BEHAVIOUR, "leaks": LEAKS, "parity": PARITY}


def read(path: Path) -> Any:
    text = path.read_text()
    return json.loads(text) if text.startswith("{") else yaml.safe_load(text)


def artefacts() -> dict[str, Any]:
    """The shipped reports and params.yaml, with a small model and plan, which Git does not have."""
    names = ("features", "metrics", "explain", "fairness", "gate")
    shipped = {f"reports/{name}.json": read(ROOT / f"reports/{name}.json") for name in names}
    extra = {f"reports/{name}.json": content for name, content in EXTRA.items()}
    params = read(ROOT / "params.yaml")
    own = {"params.yaml": params, "data/plan.json": PLAN, "models/candidate/model.json": MODEL}
    return copy.deepcopy({**shipped, **extra, **own})


def project(folder: Path, content: dict[str, Any]) -> Path:
    """Write the artefacts into a folder, and the card that is filled from them."""
    for name, value in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))  # which is YAML too
    return folder


def write_card(folder: Path, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    markdown = Path("reports/model-card.md")
    pages.write_card(markdown, markdown.with_suffix(".html"), card.write(content))
    return markdown.read_text()


def text_of(item: re.Match[str]) -> str:
    return html.unescape(re.sub(r"\\(.)", r"\1", item["text"]))


def faults(markdown: str, folder: Path) -> list[str]:
    """What a reader finds wrong who follows every link of the card to its places."""
    items = list(ITEM.finditer(markdown))
    assert len(items) == sum(line.startswith("- ") for line in markdown.splitlines())
    return [fault for item in items for fault in faults_of(item, folder)]


def faults_of(item: re.Match[str], folder: Path) -> list[str]:
    found, says = [], set()
    links = list(LINK.finditer(item["links"]))
    for link in links:
        path = folder / "reports" / link["target"]
        if not path.is_file():
            return [f"no such file: {link['target']}"]
        content = read(path)
        for place in re.findall("`([^`]*)`", link["places"]):
            try:
                says |= set(said(content, place))
            except KeyError:
                found.append(f"{path.name} has no {place}")
    text = text_of(item)
    found += [] if links else [f"no artefact: {text}"]
    return found or [f"{number} is nowhere: {text}" for number in unfounded(text, says)]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    content = artefacts()
    return write_card(project(tmp_path, content), content, monkeypatch)


def test_every_number_of_the_card_is_where_its_sentence_says(written: str, tmp_path: Path) -> None:
    assert faults(written, tmp_path) == []
    assert len(ITEM.findall(written)) > 80
    for part in ("## Model details", "## Intended use", "## Training data", "## Limits"):
        assert part in written


@pytest.mark.parametrize(
    ("artefact", "keys"),
    [
        ("reports/metrics.json", ["holdout", "roc_auc", "value"]),
        ("reports/metrics.json", ["holdout", "roc_auc", "n"]),
        (
            "reports/fairness.json",
            ["attributes", "marital", "groups", "single", "precision", "low"],
        ),
        ("reports/fairness.json", ["mitigation", "cost", "utility", "high"]),
        ("reports/features.json", ["parts", "train", "rows"]),
        ("reports/explain.json", ["holdout", "importance", 0, "share"]),
        ("reports/slices.json", ["searched", "worst", 0, "mean"]),
        ("reports/behaviour.json", ["robustness", "huge"]),
        ("reports/leaks.json", ["time_order", "backwards"]),
        ("reports/parity.json", ["gaps", "onnx", "edge", "gap"]),
        ("models/candidate/model.json", ["decision", "by_group", "60 and over"]),
        ("models/candidate/model.json", ["recipe", "members", 0, "rounds"]),
        ("params.yaml", ["fairness", "min_group"]),
    ],
)
def test_a_number_that_changed_since_is_found_out(
    written: str, tmp_path: Path, artefact: str, keys: list[Any]
) -> None:
    content = artefacts()
    at = content[artefact]
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = at[keys[-1]] * 1.37 + 11
    assert faults(written, project(tmp_path, content)) != []


def test_a_text_or_a_count_that_changed_since_is_found_out(written: str, tmp_path: Path) -> None:
    content = artefacts()
    content["reports/gate.json"]["gates"][0]["why"] = "another 0.987"
    assert faults(written, project(tmp_path, content)) != []
    content = artefacts()
    content["reports/gate.json"]["gates"].pop()
    assert faults(written, project(tmp_path, content)) != []


def test_a_place_or_an_artefact_that_is_gone_is_found_out(written: str, tmp_path: Path) -> None:
    content = artefacts()
    del content["reports/metrics.json"]["holdout"]["f1"]
    assert faults(written, project(tmp_path, content)) == ["metrics.json has no /holdout/f1"]
    (tmp_path / "reports" / "metrics.json").unlink()
    assert "no such file: metrics.json" in faults(written, tmp_path)


def test_the_same_artefacts_give_the_same_bytes(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path("reports/model-card.html").read_bytes()
    assert write_card(tmp_path, artefacts(), monkeypatch) == written
    assert Path("reports/model-card.html").read_bytes() == page


def test_the_page_says_what_the_markdown_says(written: str) -> None:
    page = html.unescape(Path("reports/model-card.html").read_text())
    for item in ITEM.finditer(written):
        assert f"<li>{text_of(item)}\n" in page
    assert 'href="../models/candidate/model.json"' in page


@pytest.mark.skipif(not (ROOT / "reports/model-card.md").exists(), reason="no card was made yet")
def test_the_shipped_card_is_that_of_the_shipped_reports() -> None:
    # what DVC keeps is not in a fresh clone, and params.yaml may be ahead of the last run
    shipped = ITEM.finditer((ROOT / "reports/model-card.md").read_text())
    found = [faults_of(item, ROOT) for item in shipped if "](../" not in item["links"]]
    assert len(found) > 50
    assert [faults for faults in found if faults] == []


@pytest.mark.parametrize("absent", card.REQUIRED)
def test_a_card_without_an_artefact_that_every_card_needs_is_refused(absent: str) -> None:
    content = artefacts()
    del content[absent]
    with pytest.raises(InputError, match=re.escape(absent)):
        card.write(content)


def test_a_card_goes_without_an_artefact_that_is_optional() -> None:
    whole = artefacts()
    some = {name: content for name, content in whole.items() if name in card.REQUIRED}
    titles = [section.title for section in card.write(some)]
    assert "How it behaves" not in titles
    assert "How it behaves" in [section.title for section in card.write(whole)]
    assert "Metrics" in titles


@pytest.mark.parametrize("name", ["1", "0.5", "a/b", "a~b", "a{b}", "under 30", "3 – 4"])
def test_a_group_of_any_name_can_be_told(name: str) -> None:
    content = artefacts()
    groups = content["reports/fairness.json"]["attributes"]["marital"]["groups"]
    groups[name] = groups.pop("single")
    content["models/candidate/model.json"]["decision"]["by_group"] = {name: 0.25}
    texts = [s.text for section in card.write(content) for s in section.sentences]
    assert any(text.startswith(f"{name} (marital), 410 rows:") for text in texts)


def test_a_logistic_model_without_mitigation_has_a_card() -> None:
    content = artefacts()
    model = content["models/candidate/model.json"]
    model |= {"kind": "logistic", "members": [], "recipe": {"kind": "logistic"}}
    model["decision"] = {"attribute": None, "by_group": {}, "threshold": 0.4}
    model["calibration"] = {"method": "isotonic", "margins": [0.0], "probabilities": [0.1]}
    content["reports/fairness.json"]["mitigation"] |= {"method": "none", "permission": None}
    texts = [s.text for section in card.write(content) for s in section.sentences]
    assert "It decides for yes from a probability of 0.4." in texts
    assert "Mitigation of unfairness: none." in texts
    assert not any("permitted" in text or "Without mitigation" in text for text in texts)
