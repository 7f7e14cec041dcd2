"""What monitor leaves for people: the table, the pictures and the page, for any name and number."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.integration.strict_html import Page

from perennial.adapters import pages, plots
from perennial.stages import drift_report

ESTIMATE = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 1234}


def line(feature: str, **other: Any) -> dict[str, Any]:
    known = {"name": "ks", "statistic": 0.5, "p_value": 1e-9, "q_value": 1e-8, "effect": 0.5}
    return {**known, "feature": feature, "threshold": 0.2, "drifted": True, **other}


def report(**changed: Any) -> dict[str, Any]:
    return {**drift_report.nothing("2020-04", "keep", "nothing is proven"), **changed}


@pytest.mark.parametrize("action", ["bootstrap", "keep", "retrain", "retune", "recalibrate"])
def test_each_action_has_a_page_of_its_own_words(tmp_path: Path, action: str) -> None:
    """Also where nothing was compared."""
    pages.write_drift(tmp_path / "drift.html", report(action=action), [])
    text = Page((tmp_path / "drift.html").read_text()).text
    assert pages.ACTIONS[action] in text
    assert "Nothing is proven." in text


def test_a_page_shows_what_was_found_and_escapes_what_a_column_is_called(tmp_path: Path) -> None:
    """Names come from the user's data, and may hold anything."""
    signal = {"name": "roc_auc", "fired": True, "harm": True, "says": "a loss", "threshold": 0.02}
    domain = {"roc_auc": ESTIMATE, "threshold": 0.6, "drifted": True, "importance": []}
    correction = {"name": "prior", "gain": ESTIMATE, "unit": "nats", "proven": True}
    found = report(
        reference={"champion": "c" * 64, "periods": ["2020-01", "2020-02"]},
        window=["2020-04"],
        n=1234,
        tests=[line("<b>"), line("x", p_value=None, q_value=None, threshold=None, drifted=False)],
        signals=[{**signal, "estimate": ESTIMATE}, {**signal, "estimate": None, "fired": False}],
        domain=domain,
        corrections=[correction],
        late=["2019-12"],
        history={"chosen": "half", "roc_auc": {"all": ESTIMATE}},
    )
    pages.write_drift(tmp_path / "drift.html", found, [("<i>, before and after", b"png")])
    page = Page((tmp_path / "drift.html").read_text())
    for said in ("<b>", "0.700 [0.600, 0.800], 1,234 rows", "harm", "2019-12", "half", "<i>"):
        assert said in page.text
    assert not {"b>", "i", "script"} & {name for name, _ in page.elements}


def test_numbers_in_the_table_are_rounded_as_those_in_json() -> None:
    """The folder is hashed: two processors may differ in the seventeenth digit, not in the file."""
    last = np.nextafter(0.1234567894, 1)
    tables = [
        drift_report._table([line("x", effect=effect, p_value=effect)])
        for effect in (0.1234567894, last)
    ]
    assert tables[0] == tables[1]
    assert b"0.123456789," in tables[0]


def test_a_feature_with_a_comma_in_its_name_keeps_its_columns(tmp_path: Path) -> None:
    """The table is read by `dvc plots` and by people's tools; what is not tested is empty."""
    path = tmp_path / "tests.csv"
    path.write_bytes(drift_report._table([line('a,"b"', p_value=None, q_value=None)]))
    table = pd.read_csv(path)
    assert table["feature"].tolist() == ['a,"b"']
    assert table["p_value"].isna().all()
    assert table["drifted"].tolist() == [True]


COLUMNS = {
    "numbers": (np.arange(9.0), np.arange(5.0)),
    "one value": ([1.0] * 9, [1.0] * 5),
    "all missing": ([np.nan] * 9, [np.nan] * 5),
    "missing on one side": ([np.nan] * 9, np.arange(5.0)),
    "levels": (["a", None, "$^$"], ["b", "b", None]),
    "no level at all": ([None] * 3, [None] * 3),
}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("feature", ["x", "price in $^ or $"])
def test_any_column_of_any_name_can_be_drawn(tmp_path: Path, name: str, feature: str) -> None:
    """No picture stops a run, and the same values give the same bytes."""
    kind = float if isinstance(np.asarray(COLUMNS[name][0]).flat[0], float) else object
    before, after = (pd.Series(list(side), dtype=kind) for side in COLUMNS[name])
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path in paths:
        plots.before_after(path, feature, before, after)
    plots.effects(tmp_path / "effects.png", [line(feature)], "drift")
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].stat().st_size > 1000
