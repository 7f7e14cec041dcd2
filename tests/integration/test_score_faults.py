"""perennial score: every fault of the input at once, before anything is written."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.integration.folders import inside
from tests.integration.registered import HOLDOUT, raw
from tests.integration.scoring import crown, refused, scored

from perennial.core.model.candidate import Candidate
from perennial.errors import InputError


def test_all_faults_of_all_files_are_named_at_once_and_nothing_is_written(
    month_to_score: Path,
) -> None:
    Path("many").mkdir()
    rows = pd.read_parquet("in.parquet")
    rows.drop(columns=["age", "job"]).to_parquet("many/a.parquet")
    strange = rows.assign(balance=[[1]] * len(rows), probability=0.5)
    strange.to_parquet("many/b.parquet")
    Path("many/c.parquet").write_bytes(b"PAR1 and no more")
    Path("many/d.xlsx").write_bytes(b"")
    Path("many/e.csv").write_text("age,age,job\n1,2,3\n")
    rows.to_parquet("many/f.parquet")
    error = refused("many", "out")
    assert error.exit_code == 2
    told = "\n".join(error.faults)
    assert "a.parquet: column age: missing, and feature age" in told
    assert "the thresholds per group of age_group need it" in told
    assert "a.parquet: column job: missing, and feature job needs it" in told
    assert "b.parquet: column balance: is list" in told
    assert "b.parquet: column probability: the output has a column of that name" in told
    assert "c.parquet: not readable as parquet" in told
    assert "d.xlsx: neither Parquet nor CSV" in told
    assert "e.csv: column age: 2 times" in told
    assert "f.parquet" not in told


def test_a_sensitive_column_is_asked_for_only_where_thresholds_per_group_need_it(
    month_to_score: Path, candidates: dict[str, Candidate]
) -> None:
    model = candidates["boosted"]
    years = model.spec.sensitive["age_group"].model_copy(update={"source": "years"})
    model = replace(model, spec=replace(model.spec, sensitive={"age_group": years}))
    rows = pd.read_parquet("in.parquet")
    crown(model)
    fault = "in.parquet: column years: missing, and the thresholds per group of age_group need it"
    assert refused().faults == [fault]
    crown(replace(model, decision=replace(model.decision, attribute=None)))
    assert len(scored()) == len(rows)


def test_cells_that_are_no_numbers_are_named_with_their_rows(month_to_score: Path) -> None:
    rows = raw(HOLDOUT).drop(columns="deposit").astype(str)
    rows.loc[[2, 99], "age"] = ["old", "1_000"]
    rows.loc[3:200, "balance"] = "1.234,56"
    lines = rows.to_csv(index=False).splitlines()
    lines[51:51] = ["too,few", "a" + ",b" * 30]  # rows 51 and 52
    Path("in.csv").write_text("\n".join(lines))
    error = refused("in.csv", rows=90)
    assert error.faults == [
        "in.csv: row 51: 2 fields, the header has 16",
        "in.csv: row 52: 31 fields, the header has 16",
        "in.csv: column age: not a number: 'old' in row 3, '1_000' in row 102",
        "in.csv: column balance: not a number: "
        + ", ".join(f"'1.234,56' in row {row}" for row in range(4, 9))
        + " and 193 more",
    ]
    assert inside(Path()) == {"in.csv", "in.parquet", "models", ".perennial", *FILES}


FILES = ("champion.json", "params.yaml")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "no header"),
        (b"age,job\n\xff\xfe,1\n", "'utf-8' codec can't decode"),
        ("âge;job\n".encode("latin-1"), "'utf-8' codec can't decode"),
        (b'age,"job\n', "unexpected end of data"),
    ],
)
def test_a_damaged_csv_file_is_the_users_fault(
    month_to_score: Path, content: bytes, fault: str
) -> None:
    Path("in.csv").write_bytes(content)
    error = refused("in.csv")
    assert isinstance(error, InputError)
    assert any(fault in told for told in error.faults)


@pytest.mark.parametrize("name", ["in.parquet", "in.csv", "in.csv.gz"])
def test_a_file_that_is_torn_leaves_nothing(month_to_score: Path, name: str) -> None:
    source = pd.concat([raw(HOLDOUT)] * 20)
    source.to_parquet("in.parquet") if name == "in.parquet" else source.to_csv(name, index=False)
    whole = Path(name).read_bytes()
    if name == "in.parquet":  # its end is there, so its columns are known
        Path(name).write_bytes(whole[:2000] + bytes(4000) + whole[6000:])
    elif name == "in.csv":
        Path(name).write_bytes(whole[:50_000] + b"\xff\xfe" + whole[50_002:])
    else:
        Path(name).write_bytes(whole[: len(whole) // 2])
    error = refused(name, "out.csv")
    assert error.exit_code == 2
    assert name in error.faults[0]


def test_places_that_can_not_be_are_refused(month_to_score: Path) -> None:
    Path("many").mkdir()
    assert "no file in it" in refused("many", "out").faults[0]
    shutil.copyfile("in.parquet", "many/in.parquet")
    assert "no such file" in refused("nowhere.parquet").faults[0]
    assert "inside the input" in refused("many", "many/out").faults[0]
    with pytest.raises(InputError, match="is the input"):
        scored("in.parquet", "in.parquet")
    with pytest.raises(InputError, match="is a folder"):
        scored("in.parquet", "many")
    with pytest.raises(InputError, match="is a file"):
        scored("many", "in.parquet")
    assert "--reasons 14" in refused(reasons=14).faults[0]
    assert "--keep names it" in refused(keep=("nobody",)).faults[0]
