"""Labels that come later than the rows, through the real stages validate and monitor."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.integration.months import SHIPPED, Frame, project, report
from tests.integration.pipelines import NOBODY

from perennial import paths
from perennial.adapters import bundles, files
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.parquet import batches
from perennial.errors import InputError, IntegrityError
from perennial.stages.features import features
from perennial.stages.monitor import monitor
from perennial.stages.train import train
from perennial.stages.tune import tune
from perennial.stages.validate import validate

LABELS = Path("data/labels")
KNOWN = ["2009-08", "2009-09", "2009-10", "2009-11", "2009-12", "2010-01", "2010-02", "2010-03"]


def rows(period: str) -> Frame:
    """Return a shipped month's rows with a key, and without the target."""
    return month(period).drop(columns="deposit")


def labels(period: str) -> Frame:
    return month(period)[["call", "deposit"]]


def month(period: str) -> Frame:
    frame = pd.read_parquet(SHIPPED / f"{period}.parquet")
    return frame.assign(call=[f"{period}/{n}" for n in range(len(frame))])


def edit(**values: str) -> None:
    """Set single keys of params.yaml, each of which is there once."""
    text = paths.PARAMS.read_text(encoding="utf-8")
    for key, value in values.items():
        text, count = re.subn(rf"(?m)^(  {key}:) .*$", rf"\1 {value}", text, count=1)
        assert count == 1, key
    paths.PARAMS.write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def arrange(data: Mapping[str, Frame], told: Mapping[str, Frame | bytes]) -> None:
    """Make a project of these batches and labels in the current folder."""
    project(Path(), data, "quarantine")
    LABELS.mkdir()
    (LABELS / "README.md").write_text("not labels", encoding="utf-8")
    for period, content in told.items():
        path = LABELS / f"{period}.parquet"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content.to_parquet(path, index=False)
    edit(labels="{folder: data/labels, key: call, min_share: 0.9}")


def accepted(period: str) -> Frame:
    return pd.read_parquet(paths.ACCEPTED / f"{period}.parquet")


def test_labels_are_joined_and_a_period_that_waits_is_accepted_as_it_came() -> None:
    waits, brings = rows("2010-02"), month("2010-03")
    arrange(
        {"2010-01": rows("2010-01"), "2010-02": waits, "2010-03": brings},
        {"2010-01": labels("2010-01").iloc[::-1], "2010-02": labels("2010-02").iloc[:100]},
    )
    validate()
    found = report(Path())
    assert all(entry["success"] for entry in found.values())
    assert accepted("2010-01")["deposit"].tolist() == month("2010-01")["deposit"].tolist()
    assert found["2010-01"]["labels"]["matched"] == len(month("2010-01"))
    assert "100 of 353 rows have a label" in found["2010-02"]["labels"]["why"]
    for period in ("2010-02", "2010-03"):
        name = f"{period}.parquet"
        assert (paths.ACCEPTED / name).read_bytes() == (paths.BATCHES / name).read_bytes()

    before = {path.name: path.read_bytes() for path in paths.ACCEPTED.iterdir()}
    before["report"] = paths.VALIDATION_REPORT.read_bytes()
    validate()
    after = {path.name: path.read_bytes() for path in paths.ACCEPTED.iterdir()}
    assert after | {"report": paths.VALIDATION_REPORT.read_bytes()} == before


def test_a_target_without_any_value_is_one_that_has_not_come() -> None:
    """It is accepted without the column, so that nothing takes it for labelled."""
    nothing = {p: rows(p).assign(deposit=None) for p in ("2010-01", "2010-02")}
    partly = month("2010-03")
    partly.loc[0, "deposit"] = None
    arrange(nothing | {"2010-03": partly}, {"2010-01": labels("2010-01")})
    before = {path.name: path.read_bytes() for path in paths.BATCHES.iterdir()}
    validate()
    found = report(Path())
    assert [found[p]["success"] for p in sorted(found)] == [True, True, False]
    assert accepted("2010-01")["deposit"].tolist() == month("2010-01")["deposit"].tolist()
    pd.testing.assert_frame_equal(accepted("2010-02"), rows("2010-02"))
    assert "deposit is never null" in found["2010-03"]["why"], "it brings its own, not all of them"
    assert {path.name: path.read_bytes() for path in paths.BATCHES.iterdir()} == before


def test_rows_that_wait_are_known_for_a_copy_of_rows_that_were_joined() -> None:
    """Labelled rows are fewer than came, so it is the batches that are compared."""
    again = rows("2010-01").iloc[::-1]
    arrange({"2010-01": rows("2010-01"), "2010-02": again}, {"2010-01": labels("2010-01").iloc[9:]})
    validate()
    found = report(Path())
    assert found["2010-01"]["success"]
    assert [f["expectation"] for f in found["2010-02"]["failures"]] == [
        "not_a_copy_of_another_period"
    ]


def test_what_is_wrong_with_keys_and_labels_is_told_and_nothing_is_guessed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    twice = rows("2010-02")
    twice.loc[0, "call"] = twice.loc[1, "call"]
    strange = pd.DataFrame({"call": ["nobody"], "deposit": ["yes"]})
    arrange(
        {p: rows(p) for p in ("2010-01", "2010-03")} | {"2010-02": twice},
        {
            "2010-01": pd.concat([labels("2010-01").iloc[5:], strange]),
            "2010-02": labels("2010-02"),
            "2010-03": pd.concat([labels("2010-03"), labels("2010-03").assign(deposit="no")]),
            "2010-04": labels("2010-04"),
        },
    )
    validate()
    found = report(Path())
    counts = found["2010-01"]["labels"]
    assert (counts["unknown_keys"], counts["unlabelled"], len(accepted("2010-01"))) == (1, 5, 222)
    assert [f["expectation"] for f in found["2010-02"]["failures"]] == ["keys_are_unique"]
    assert found["2010-02"]["quarantined"]
    assert "deposit" not in accepted("2010-03")
    assert "different labels" in found["2010-03"]["labels"]["why"]
    whole = files.read_json(paths.VALIDATION_REPORT, "")
    assert whole["labels_without_batch"] == ["2010-04"]
    said = capsys.readouterr().err
    for told in ("1 keys that no row", "5 of 227 rows", "different labels", "2010-04: labels have"):
        assert told in said


def test_the_contract_on_the_target_is_asked_where_there_are_labels_only() -> None:
    one = labels("2010-01").assign(deposit="maybe")
    broken = rows("2010-02").assign(job="astronaut")
    arrange(
        {"2010-01": rows("2010-01"), "2010-02": broken, "2010-03": rows("2010-03")},
        {"2010-01": one},
    )
    validate()
    found = report(Path())
    assert {f["column"] for f in found["2010-01"]["failures"]} == {"deposit"}
    assert {f["column"] for f in found["2010-02"]["failures"]} == {"job"}
    assert found["2010-03"]["success"]


def test_labels_that_cannot_be_read_stop_all_at_once() -> None:
    arrange(
        {p: rows(p) for p in ("2010-01", "2010-02")},
        {"2010-01": b"a,b", "2010-02": labels("2010-02").rename(columns={"call": "number"})},
    )
    with pytest.raises(InputError) as stopped:
        validate()
    first, second = stopped.value.faults
    assert first.startswith("data/labels/2010-01.parquet: not Parquet")
    assert second == "data/labels/2010-02.parquet: column call: missing"
    assert not paths.VALIDATION_REPORT.exists()


def champion_of_what_is_there() -> None:
    """Run the real stages to a candidate, a small one, and put it in charge."""
    monitor()
    features()
    tune()
    train()
    shutil.copytree(paths.CANDIDATE, paths.CHAMPION_BUNDLE)
    plan = json.loads(paths.PLAN.read_text(encoding="utf-8"))
    digest = bundles.digest(paths.CANDIDATE)
    when = "2010-04-01T00:00:00Z"
    champions.write(Champion("bank-deposits", "1", digest, plan, "promote", when, []))


def planned(plan: Mapping[str, Any]) -> set[str]:
    return {ref["period"] for part in plan["parts"].values() for ref in part}


def plan() -> dict[str, Any]:
    return dict(json.loads(paths.PLAN.read_text(encoding="utf-8")))


def test_a_month_is_examined_before_its_labels_come_and_planned_after() -> None:
    arrange({p: rows(p) for p in [*KNOWN, "2010-04"]}, {p: labels(p) for p in KNOWN})
    edit(trials="2", trials_per_round="2", max_rounds="20", ensemble="1")
    edit(calibration_rows="400", holdout_rows="400")
    nobody = dict.fromkeys(("version", "digest", "plan", "verdict", "when"))
    files.write_json(
        paths.CHAMPION,
        {"schema_version": 1, "model": "bank-deposits", "attempts": [], **nobody},
    )
    validate()
    champion_of_what_is_there()
    assert planned(plan()) == set(KNOWN), "what waits for labels is not planned"

    monitor()
    unlabelled = files.read_json(paths.DRIFT_REPORT, "")
    assert unlabelled["window"] == ["2010-04"]
    assert unlabelled["n"] == len(rows("2010-04"))
    assert unlabelled["tests"], "the features are compared without labels"

    edit(request="retrain")
    monitor()
    assert "2010-04" not in planned(plan())

    labels("2010-04").to_parquet(LABELS / "2010-04.parquet", index=False)
    validate()
    monitor()
    assert "2010-04" in planned(plan())
    labelled = files.read_json(paths.DRIFT_REPORT, "")
    told = {signal["name"]: signal for signal in labelled["signals"]}
    silent = {signal["name"]: signal for signal in unlabelled["signals"]}
    assert told != silent, "what needs labels speaks now"

    # a period of the champion's plan with other content: nothing goes on with other rows
    rows("2010-03").iloc[1:].to_parquet(paths.BATCHES / "2010-03.parquet", index=False)
    validate()
    with pytest.raises(IntegrityError, match=r"2010-03\.parquet: other content") as stopped:
        monitor()
    assert stopped.value.exit_code == 3


def test_with_no_labels_at_all_there_is_nothing_to_plan() -> None:
    arrange({p: rows(p) for p in ("2010-01", "2010-02")}, {})
    paths.CHAMPION.write_text(json.dumps(NOBODY))
    validate()
    assert not any(batches.has_column(b, "deposit") for b in batches.find(paths.ACCEPTED))
    with pytest.raises(InputError, match="nothing is left to train on"):
        monitor()
