"""Columns under `data.pii` are checked, and nothing of their values goes any further."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.integration.configured import Faults
from tests.integration.months import SHIPPED, Frame, project, report
from tests.traces import traces

from perennial import paths
from perennial.core.incoming import joining, privacy
from perennial.errors import InputError
from perennial.stages.validate import validate

NAME, PHONE = "Qzxv-Žanna", 7391846021
PLANTED: list[str | int] = [NAME, PHONE]
INPUTS = ["data/batches", "data/labels"]


def people(period: str) -> Frame:
    """Return a shipped month with a name and a number in each row; some break the contract."""
    frame = pd.read_parquet(SHIPPED / f"{period}.parquet")
    names = [f"{NAME} {period} {n}" for n in range(len(frame))]
    names[:3] = [f"{NAME} again"] * 3
    return frame.assign(name=names, phone=PHONE)


EXPECTED = [
    ("expect_column_values_to_be_unique", {"column": "name", "mostly": 0.5}),
    ("expect_column_values_to_match_regex", {"column": "name", "regex": "^B", "mostly": 0.0}),
    ("expect_column_max_to_be_between", {"column": "phone", "max_value": 5}),
    ("expect_column_distinct_values_to_be_in_set", {"column": "name", "value_set": ["Bob"]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["name", "phone"]}),
    (
        "expect_column_pair_values_to_be_equal",
        {"column_A": "name", "column_B": "job", "mostly": 0.0},
    ),
]


def arrange(folder: Path, pii: str) -> None:
    project(folder, {p: people(p) for p in ("2010-09", "2010-10")}, "quarantine")
    suite = folder / paths.EXPECTATIONS / "batch.json"
    content = json.loads(suite.read_text())
    content["expectations"] += [
        {"type": kind, "kwargs": kwargs, "severity": "warning"} for kind, kwargs in EXPECTED
    ]
    suite.write_text(json.dumps(content))
    text = (folder / paths.PARAMS).read_text()
    (folder / paths.PARAMS).write_text(text.replace("  pii: [] ", f"  pii: {pii} "))


def test_what_breaks_the_contract_in_such_a_column_is_counted_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arrange(tmp_path, "[name, phone]")
    monkeypatch.chdir(tmp_path)
    validate()
    assert traces(tmp_path, PLANTED, INPUTS) == []
    said = capsys.readouterr()
    assert NAME not in said.out + said.err
    tolerated = {f["expectation"]: f for f in report(tmp_path)["2010-09"]["tolerated"]}
    unique = tolerated["expect_column_values_to_be_unique"]
    assert (unique["unexpected_count"], unique["examples"]) == (3, [])
    assert "withheld" in tolerated["expect_column_max_to_be_between"]["note"]
    assert "name" not in pd.read_parquet(paths.ACCEPTED / "2010-09.parquet")
    # a name taken off the list is another check, whose examples are shown
    (paths.PARAMS).write_text(paths.PARAMS.read_text().replace("pii: [name, phone]", "pii: []"))
    validate()
    found = traces(tmp_path, PLANTED, INPUTS)
    assert {"data/accepted/2010-09.parquet", "reports/validation.json"} <= set(found)
    assert any(name.startswith("reports/data-docs") for name in found)
    assert any(name.startswith(".perennial/validations") for name in found)


def test_rows_joined_to_their_labels_are_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange(tmp_path, "[name, phone, call]")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/labels").mkdir()
    for period in ("2010-09", "2010-10"):
        whole = people(period).assign(call=[f"{NAME}/{n}" for n in range(len(people(period)))])
        whole.drop(columns="deposit").to_parquet(paths.BATCHES / f"{period}.parquet")
        told = whole[["call", "deposit"]]
        if period == "2010-10":
            told = pd.concat([told, told.head(2).assign(deposit=["yes", "no"])])
        told.to_parquet(tmp_path / f"data/labels/{period}.parquet")
    text = paths.PARAMS.read_text()
    paths.PARAMS.write_text(
        text.replace("labels: null", "labels: {folder: data/labels, key: call, min_share: 0.9}")
    )
    validate()
    assert traces(tmp_path, PLANTED, INPUTS) == []
    accepted = pd.read_parquet(paths.ACCEPTED / "2010-09.parquet")
    assert "deposit" in accepted
    assert "call" not in accepted
    assert "different labels" in report(tmp_path)["2010-10"]["labels"]["why"]


def test_a_column_that_no_batch_has_protects_nothing_and_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange(tmp_path, "[name, Phone, e_mail]")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        validate()
    assert len(caught.value.faults) == 2
    assert "Phone" in caught.value.faults[0]


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("deposit", "target.column"),
        ("balance", "features.columns.balance.from"),
        ("pdays", "features.columns.days.from"),
        ("marital", "sensitive.marital.from"),
        ("duration", "behaviour.changes.longer.column"),
    ],
)
def test_whoever_names_such_a_column_is_told_both_keys(
    faults: Faults, column: str, key: str
) -> None:
    (fault,) = faults(("pii: []", f"pii: [{column}]"))
    assert f"{key}: {column} is also in data.pii" in fault


def test_a_column_named_twice_is_refused(faults: Faults) -> None:
    assert "there twice" in faults(("pii: []", "pii: [name, name]"))[0]


def test_the_key_of_a_split_by_group_becomes_a_pseudonym() -> None:
    """The same one in every batch and as whatever type it is read; a missing one stays missing."""
    rows = pd.DataFrame({"customer": [17, 18, 17], "name": ["a", "b", "c"], "x": [1, 2, 3]})
    other = pd.DataFrame({"customer": [17.0, np.nan], "name": ["d", "e"], "x": [4, 5]})
    first = privacy.without(rows, ["customer", "name"], "customer")
    second = privacy.without(other, ["customer", "name"], "customer")
    assert list(first) == ["customer", "x"]
    assert first["customer"][0] == first["customer"][2] == second["customer"][0]
    assert first["customer"][0] != first["customer"][1]
    assert second["customer"].isna().tolist() == [False, True]
    assert not first["customer"].str.contains("17").all()
    assert list(privacy.without(rows, ["customer"], None)) == ["name", "x"]


@pytest.mark.parametrize("shown", [True, False])
def test_keys_are_examples_only_where_they_may_be_shown(shown: bool) -> None:
    batch = pd.DataFrame({"call": [NAME, NAME], "x": [1, 2]})
    (fault,) = joining.key_faults(batch, "call", shown)
    assert (NAME in fault["note"]) == bool(fault["examples"]) == shown
    labels = pd.DataFrame({"call": [NAME, NAME], "y": [0, 1]})
    why = joining.join(batch.head(1), labels, "call", "y", 0.5, shown).why
    assert why is not None
    assert (NAME in why) == shown


def test_what_an_expectation_raised_is_told_without_its_words() -> None:
    result = {
        "results": [
            {
                "success": False,
                "expectation_config": {"type": "x", "kwargs": {"column": "name"}},
                "result": {"observed_value": NAME},
                "exception_info": {
                    "metric": {
                        "raised_exception": True,
                        "exception_message": f"can't read {NAME}",
                        "exception_traceback": NAME,
                    }
                },
            }
        ]
    }
    assert NAME in json.dumps(privacy.withhold(result, []), ensure_ascii=False)
    assert NAME not in json.dumps(privacy.withhold(result, ["name"]), ensure_ascii=False)
