"""How batches arrive, with the real stages and the real Great Expectations.

docs/faults-of-data.md is the table of what is proven here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.integration.months import (
    MONTH,
    ROOT,
    SHIPPED,
    Frame,
    good,
    only_failure,
    project,
    report,
)

from perennial import paths
from perennial.adapters.parquet import batches
from perennial.core.incoming import arrivals
from perennial.errors import InputError
from perennial.stages.validate import validate

pytestmark = pytest.mark.usefixtures("empty_folder")


def validated(folder: Path, data: Mapping[str, Frame | Path | bytes]) -> dict[str, dict[str, Any]]:
    """Validate these batches in the current folder; return the report's entries by period."""
    project(folder, data, "quarantine")
    validate()
    return report(folder)


def fewer(rows: int) -> Frame:
    return good().iloc[:rows]


def test_the_same_bytes_under_another_name_are_quarantined_and_the_first_is_named() -> None:
    data: dict[str, Frame | Path | bytes] = {"2010-08": MONTH, "2010-09": MONTH}
    found = validated(Path(), data | {"2010-10": SHIPPED / "2010-10.parquet"})
    failure = only_failure(found["2010-09"])
    assert failure["expectation"] == "not_a_copy_of_another_period"
    assert "2010-08" in failure["note"]
    assert (found["2010-08"]["success"], found["2010-10"]["success"]) == (True, True)
    assert not (paths.ACCEPTED / "2010-09.parquet").exists()
    assert (paths.BATCHES / "2010-09.parquet").read_bytes() == MONTH.read_bytes()


def encoded_again() -> Frame:
    """A good month as another tool may write it: rows and columns in another order, categories."""
    turned = good().iloc[::-1, ::-1]
    return turned.astype({"month": "category"})


def test_the_same_rows_in_other_bytes_and_order_are_a_copy_too() -> None:
    path = paths.BATCHES / "2010-09.parquet"
    data: dict[str, Frame | Path | bytes] = {"2010-08": MONTH, "2010-09": encoded_again()}
    data["2010-10"] = encoded_again().iloc[1:]
    project(Path(), data, "quarantine")
    without_the_type_of("month")
    encoded_again().to_parquet(path, index=False, compression="gzip")
    before = path.read_bytes()
    validate()
    found = report(Path())
    failure = only_failure(found["2010-09"])
    assert failure["expectation"] == "not_a_copy_of_another_period"
    assert failure["note"] == (
        "table: the same rows as 2010-08, in other bytes or another order: one of the two names is "
        "wrong"
    )
    assert found["2010-10"]["success"], "one row less is another batch"
    assert path.read_bytes() == before
    assert not (paths.ACCEPTED / path.name).exists()


def test_rows_that_were_set_aside_may_come_again_corrected_under_another_name() -> None:
    """Corrected rows are a batch of their own: what was never accepted is no original."""
    wrong = good().astype({"job": "category"})  # which the contract refuses
    data: dict[str, Frame | Path | bytes] = {"2010-08": wrong, "2010-08b": MONTH}
    found = validated(Path(), data)
    assert [found[p]["success"] for p in ("2010-08", "2010-08b")] == [False, True]


def without_the_type_of(column: str) -> None:
    """Have the contract of the current folder ask nothing of a column's values."""
    path = paths.EXPECTATIONS / "batch.json"
    suite = json.loads(path.read_text(encoding="utf-8"))
    suite["expectations"] = [
        e for e in suite["expectations"] if e["kwargs"].get("column") != column
    ]
    path.write_text(json.dumps(suite), encoding="utf-8")


def test_a_period_that_comes_again_with_other_rows_is_accepted_as_corrected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    validated(Path(), {"2010-08": MONTH})
    validate()
    assert "replaced" not in capsys.readouterr().err
    fewer(250).to_parquet(paths.BATCHES / "2010-08.parquet", index=False)
    validate()
    assert "2010-08: replaced" in capsys.readouterr().err
    entry = report(Path())["2010-08"]
    assert (entry["success"], entry["rows"]) == (True, 250)
    there = (paths.BATCHES / "2010-08.parquet").read_bytes()
    assert (paths.ACCEPTED / "2010-08.parquet").read_bytes() == there


def test_a_batch_far_larger_than_any_before_is_quarantined_with_numbers_and_remedy() -> None:
    months = ["2008-10", "2009-12", "2010-01"]
    data: dict[str, Frame | Path | bytes] = {
        "2010-01": fewer(25),
        "2010-02": fewer(20),
        "2010-03": good(),
        "2010-04": pd.concat(pd.read_parquet(SHIPPED / f"{m}.parquet") for m in months).iloc[:250],
    }
    found = validated(Path(), data)
    failure = only_failure(found["2010-03"])
    assert failure["expectation"] == "not_larger_than_usual"
    for told in ("260 rows", "10.4 times", "25", "validation.largest"):
        assert told in failure["note"]
    assert found["2010-04"]["success"], "10 times exactly is not above, and 2010-03 is no measure"

    raised = paths.PARAMS.read_text(encoding="utf-8").replace("largest: 10.0", "largest: 11.0")
    paths.PARAMS.write_text(raised, encoding="utf-8")
    validate()
    assert report(Path())["2010-03"]["success"], "the remedy that is named is one"


def test_the_second_batch_of_a_history_may_have_any_size() -> None:
    found = validated(Path(), {"2010-01": fewer(20), "2010-02": good()})
    assert found["2010-02"]["success"]


def test_a_column_under_a_new_name_is_quarantined_and_its_likely_name_told() -> None:
    renamed = good().rename(columns={"job": "job_title"}).assign(agent="A7")
    failure = only_failure(validated(Path(), {"2010-08": MONTH, "2010-09": renamed})["2010-09"])
    assert (failure["column"], failure["examples"]) == ("job", ["job_title"])
    assert failure["note"] == (
        "job: is missing; job_title is new and holds values of the same kind: renamed?"
    )


def test_a_new_column_of_another_kind_is_not_taken_for_the_missing_one() -> None:
    other = good().drop(columns="job").assign(job_title="no such job")
    failure = only_failure(validated(Path(), {"2010-08": MONTH, "2010-09": other})["2010-09"])
    assert failure["note"] == "job: is missing"


@pytest.mark.parametrize("column", ["balance", "job"])
def test_a_column_without_any_value_is_quarantined(column: str) -> None:
    bare = good().assign(**{column: good()[column].where(good().index < 0)})
    entry = validated(Path(), {"2010-08": MONTH, "2010-09": bare})["2010-09"]
    assert entry["quarantined"]
    assert {failure["column"] for failure in entry["failures"]} == {column}
    assert "260 of 260 (100 %)" in entry["why"]


@pytest.mark.parametrize(
    ("periods", "as_of"),
    [(["2010-9", "2010-10"], "latest"), (["2010-10", "2010-11"], "2010-9")],
    ids=["files", "data.as_of"],
)
def test_periods_of_mixed_width_stop_before_anything_is_checked(
    periods: list[str], as_of: str
) -> None:
    project(Path(), dict.fromkeys(periods, MONTH), "quarantine")
    text = paths.PARAMS.read_text(encoding="utf-8")
    paths.PARAMS.write_text(text.replace("as_of: latest", f'as_of: "{as_of}"'), encoding="utf-8")
    with pytest.raises(InputError) as stopped:
        validate()
    assert len(stopped.value.faults) == 1
    assert f"puts {periods[-1]} before 2010-9" in str(stopped.value)
    assert not paths.VALIDATIONS.exists()


def test_no_shipped_month_is_a_copy_or_too_large() -> None:
    """Every month, in the order that they came, by the rule that ships."""
    text = (ROOT / paths.PARAMS).read_text(encoding="utf-8")
    assert "largest: 10.0" in text
    refs = [batches.describe(batch) for batch in batches.find(SHIPPED)]
    seen = [arrivals.Arrival(ref["period"], ref["sha256"], ref["rows"], {}) for ref in refs]
    assert len(seen) == 30
    for place, this in enumerate(seen):
        assert arrivals.faults(this, seen[:place], seen[:place], 10.0) == []
