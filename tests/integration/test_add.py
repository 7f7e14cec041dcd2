"""add: later rows, however they are written, become batches like those that init made."""

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.integration import users_data
from tests.integration.initiated import Init, call, project, shipped
from typer.testing import CliRunner

from perennial.adapters.parquet import batches
from perennial.cli import app
from perennial.commands.add import add
from perennial.errors import InputError
from perennial.stages.validate import validate

__all__ = ["call", "project", "shipped"]
BATCHES = Path("data/batches")


def people() -> pd.DataFrame:
    """Rows over a year and a half, written as people write: days first, decimal commas, words."""
    rows = users_data.timed()
    words = rows["s0"].map("{:.4f}".format).str.replace(".", ",")
    postcode = (rows.index % 90 + 100).astype(str).str.zfill(5)
    return rows.assign(
        when=rows["when"].dt.strftime("%d/%m/%Y"),
        s0=words.mask(rows.index % 97 == 0, "not asked"),
        postcode=postcode,
        told=(rows["s1"] > 0).map({True: "Y", False: "N"}),
    )


@pytest.fixture
def later(call: Init, tmp_path: Path) -> pd.DataFrame:
    """A project of all months but the last two, whose rows come later; the current folder."""
    rows = people()
    month = pd.to_datetime(rows["when"], format="%d/%m/%Y").dt.strftime("%Y-%m")
    last = sorted(month.unique())[-2:]
    rows[~month.isin(last)].to_csv(tmp_path / "first.csv", index=False, sep=";")
    call(tmp_path / "first.csv", "churned", drop=("told",))
    return rows[month.isin(last)]


def bring(rows: pd.DataFrame, name: str = "later.csv") -> str:
    rows.to_csv(name, index=False, sep=";")
    return name


def test_later_rows_are_read_as_the_first_ones_were_and_the_contract_accepts_them(
    later: pd.DataFrame,
) -> None:
    """A day that could be a month is still a day, a decimal comma a comma, and a word missing."""
    before = {path.name for path in BATCHES.iterdir()}
    newest = batches.columns(batches.find(BATCHES)[-1].path)
    found = add(bring(later))
    assert found.written
    made = {path.name for path in BATCHES.iterdir()} - before
    assert made == {f"{period}.parquet" for period in found.rows}
    assert sum(found.rows.values()) == len(later)
    for name in made:
        assert batches.columns(BATCHES / name) == newest
    frame = pd.concat([pd.read_parquet(BATCHES / name) for name in sorted(made)])
    assert frame["when"].dt.strftime("%d/%m/%Y").tolist() == later["when"].tolist()
    assert frame["s0"].isna().sum() == (later["s0"] == "not asked").sum() > 0
    assert frame["postcode"].str.len().eq(5).all()
    validate()
    report = json.loads(Path("reports/validation.json").read_text())
    assert [b["failures"] for b in report["batches"] if b["failures"]] == []


def test_the_same_rows_again_are_known_and_others_of_that_period_are_refused(
    later: pd.DataFrame,
) -> None:
    first = add(bring(later))
    there = {path: path.read_bytes() for path in BATCHES.iterdir()}
    assert list(add(bring(later)).known) == list(first.rows)
    with pytest.raises(InputError, match="with other rows; a batch is never edited"):
        add(bring(later.iloc[1:]))
    assert {path: path.read_bytes() for path in BATCHES.iterdir()} == there
    found = add(bring(later.iloc[1:]), period="2099-01")
    assert dict(found.rows) == {"2099-01": len(later) - 1}


def test_all_faults_are_named_with_their_rows_and_nothing_is_written(later: pd.DataFrame) -> None:
    before = sorted(BATCHES.iterdir())
    wrong = later.drop(columns="postcode").astype(object)
    wrong.iloc[3, wrong.columns.get_loc("s0")] = "much"
    wrong.iloc[4, wrong.columns.get_loc("when")] = "31/31/2024"
    with pytest.raises(InputError) as caught:
        add(bring(wrong))
    assert caught.value.faults == [
        "column s0: is no number: 'much' in row 4",
        "column when: is no time: '31/31/2024' in row 5",
        "column postcode: missing; batches have it",
    ]
    assert sorted(BATCHES.iterdir()) == before


def test_a_dry_run_writes_nothing_and_a_new_column_is_kept_and_told(later: pd.DataFrame) -> None:
    before = sorted(BATCHES.iterdir())
    file = bring(later.assign(extra="x"))
    assert list(add(file, dry_run=True).new_columns) == ["extra"]
    assert sorted(BATCHES.iterdir()) == before
    found = add(file)
    assert "extra" in batches.columns(BATCHES / f"{next(iter(found.rows))}.parquet")


def test_rows_without_a_time_are_named(later: pd.DataFrame) -> None:
    later.iloc[1, later.columns.get_loc("when")] = ""
    with pytest.raises(InputError, match="column when: no time in row 2"):
        add(bring(later))


def test_without_a_time_the_files_name_says_the_period_or_the_user_does(project: Path) -> None:
    """In the project that ships, whose batches no init has made."""
    month = pd.read_parquet(BATCHES / "2010-11.parquet")
    month.to_csv("2010-12.csv", index=False)
    assert dict(add("2010-12.csv").rows) == {"2010-12": len(month)}
    pd.testing.assert_frame_equal(
        pd.read_parquet(BATCHES / "2010-12.parquet"), month, check_dtype=False
    )
    month.to_csv("calls.csv", index=False)
    with pytest.raises(InputError, match="can't be told from its name"):
        add("calls.csv")
    with pytest.raises(InputError, match="not a period"):
        add("calls.csv", period="../2011-01")
    with pytest.raises(InputError, match="periods sort as text"):
        add("calls.csv", period="2010-9")


def test_a_folder_whose_files_are_periods_gives_a_batch_each(project: Path) -> None:
    month = pd.read_parquet(BATCHES / "2010-11.parquet")
    Path("later").mkdir()
    month.iloc[:50].to_csv("later/2010-12.csv", index=False)
    month.to_csv("later/2011-01.csv", index=False)
    assert dict(add("later").rows) == {"2010-12": 50, "2011-01": len(month)}


def test_the_command_line_says_what_was_made_and_that_no_run_looks_at_it_yet(
    project: Path,
) -> None:
    pd.read_parquet(BATCHES / "2010-11.parquet").to_csv("calls.csv", index=False)
    done = CliRunner().invoke(app, ["add", "--data", "calls.csv", "--period", "2010-12"])
    assert done.exit_code == 0, done.output
    assert "data.as_of" in done.stdout
    asked = ["add", "--data", "calls.csv", "--period", "2010-12", "--json"]
    told = json.loads(CliRunner().invoke(app, asked).stdout)
    assert told["known"] == ["2010-12"]
    assert told["later_than_as_of"] == ["2010-12"]
    wrong = CliRunner().invoke(app, ["add", "--data", "nowhere.csv"])
    assert wrong.exit_code == 2
    assert "Traceback" not in wrong.output
