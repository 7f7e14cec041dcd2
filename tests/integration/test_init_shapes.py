"""init: the contract that it profiles, and the project it makes of each shape of data."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.integration import users_data
from tests.integration.initiated import Init, call, project, shipped

from perennial.adapters import expectations
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.core.incoming.findings import findings

__all__ = ["call", "project", "shipped"]


@pytest.fixture
def timed(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    users_data.timed().to_csv(path, index=False)
    return path


def checked(contract: expectations.Contract, frames: dict[str, pd.DataFrame]) -> dict[str, list]:
    checker = expectations.Checker(contract)
    return {
        name: findings(checker.check(name, frame), {})["failures"] for name, frame in frames.items()
    }


def shuffled(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return frame.assign(**{name: frame[name].sample(frac=1, random_state=0).to_numpy()})


def test_the_contract_accepts_its_own_batches_and_not_what_is_clearly_unlike(
    project: Path, tmp_path: Path, call: Init
) -> None:
    rng = np.random.default_rng(9)
    whole = users_data.timed(1500).drop(columns=["s1", "s2"])
    whole["income"] = np.exp(rng.normal(8, 1, 1500)).round(2)
    whole["seldom"] = np.where(rng.random(1500) < 0.05, rng.random(1500), np.nan)
    whole["code"] = pd.Series(rng.choice(["00123", "10115", "80331"], 1500))
    whole["group"] = rng.choice(["A", "B"], 1500)
    whole.to_csv(tmp_path / "whole.csv", index=False)
    call(tmp_path / "whole.csv", "churned", sensitive=("group",))
    contract = expectations.load(project / "expectations/batch.json")
    own = {b.period: batches.read(b.path) for b in batches.find(project / "data/batches")}
    assert len(own) > 3
    some = dict(list(own.items())[::3])
    frame = max(own.values(), key=len)
    money = "income"
    unlike = {
        "a column missing": frame.drop(columns=money),
        "half of a column null": frame.assign(**{money: frame[money].where(frame.index % 2 == 0)}),
        "numbers as text": frame.assign(**{money: frame[money].astype("str")}),
        "another unit": frame.assign(**{money: frame[money] * 100}),
        "another coding": frame.assign(group=frame["group"].str.lower()),
        "other levels": frame.assign(code=frame["code"].str.lstrip("0")),
        "appended twice": pd.concat([frame, frame], ignore_index=True),
        "no rows": frame.iloc[:0],
        "hardly a row": frame.iloc[:2],
        "one class": frame.assign(churned="True"),
        "another answer": frame.assign(churned=frame["churned"].replace("False", "Perhaps")),
        "target null": frame.assign(churned=frame["churned"].where(frame.index != 3)),
        "dates as text": frame.assign(when=frame["when"].astype("str")),
    }
    found = checked(contract, some | unlike)
    assert {name: found[name] for name in some} == {name: [] for name in some}
    assert not [name for name in unlike if not found[name]]


def test_the_contract_accepts_types_as_parquet_has_them(
    project: Path, tmp_path: Path, call: Init
) -> None:
    frame = users_data.timed(600).assign(member=lambda f: f["s0"] > 0.5, visits=range(600))
    frame["since"] = frame["when"].where(frame["s1"] > 0)
    frame["note"] = frame["kind"].astype("category").where(frame["s2"] > 0)
    frame.to_parquet(tmp_path / "f.parquet")
    made = call(tmp_path / "f.parquet", "churned", no_time=True, key="visits")
    assert made.profile.classes.positive is True
    assert read_params().target.positive is True
    contract = expectations.load(project / "expectations/batch.json")
    own = batches.read(project / "data/batches/all.parquet")
    assert checked(contract, {"all": own}) == {"all": []}
    assert checked(contract, {"text": own.assign(member="True")})["text"]


def test_with_time_batches_are_periods_and_the_last_are_held_out(
    project: Path, timed: Path, call: Init
) -> None:
    made = call(timed, "churned")
    names = [b.period for b in batches.find(project / "data/batches")]
    assert names == list(made.rows)
    assert names[0] == "2023-01"
    params = read_params()
    assert (params.split.kind, params.target.positive) == ("time", "True")
    assert "when" in params.gates.forbidden_features.columns


def test_without_time_there_is_one_batch(project: Path, timed: Path, call: Init) -> None:
    call(timed, "churned", no_time=True)
    assert [b.period for b in batches.find(project / "data/batches")] == ["all"]
    assert read_params().split.kind == "stratified"


def test_with_a_key_a_person_is_on_one_side(project: Path, tmp_path: Path, call: Init) -> None:
    from perennial.core.dataset.features import text_of
    from perennial.core.dataset.plan import assign

    users_data.persons().to_parquet(tmp_path / "visits.parquet")
    call(tmp_path / "visits.parquet", "y", key="person_id")
    params = read_params()
    assert (params.split.kind, params.split.key) == ("group", "person_id")
    (batch,) = batches.find(project / "data/batches")
    frame = batches.read(batch.path)
    key = text_of(frame["person_id"]).to_numpy()
    part = assign(params.split, frame["y"].to_numpy(), key, params.seed)
    assert pd.Series(part).groupby(key).nunique().max() == 1
    assert set(part) == {"train", "calibration", "holdout"}


def test_every_kind_of_column_comes_through_and_names_are_safe(
    project: Path, tmp_path: Path, call: Init
) -> None:
    header, rows = users_data.mixed(1200)
    path = users_data.write_csv(tmp_path / "m.csv", header, rows, encoding="cp1252", delimiter="\t")
    made = call(path, "outcome", sensitive=("group", "age"), no_time=True, drop=("fee",))
    params = read_params()
    assert all(not set(name) & set("[]<>{} ") for name in params.features.columns)
    kinds = {chosen.source: chosen.kind for chosen in made.profile.features.values()}
    assert (
        kinds["postcode"] == kinds["smoker?"] == kinds["shop"] == kinds["rare.note"] == "category"
    )
    assert kinds["income (yearly)"] in ("number", "signed_log")
    assert kinds["rate in %"] == kinds["seldom"] == kinds["a<b"] == "number"
    gone = made.profile.dropped
    assert {"record id", "constant", "empty", "comment", "fee", "größe [cm]"} <= set(gone)
    frame = batches.read(project / "data/batches/all.parquet")
    assert len(frame.columns) == len(header) == len(set(frame.columns))
    assert frame["fee"].dtype.kind in "if"


def test_a_rare_class_gets_thresholds_and_parts_of_its_own(
    project: Path, tmp_path: Path, call: Init
) -> None:
    users_data.rare().to_csv(tmp_path / "r.csv.gz", index=False)
    made = call(tmp_path / "r.csv.gz", "fraud")
    params = read_params()
    assert params.split.holdout_rows == 8000
    assert params.gates.calibration.threshold == pytest.approx(0.0025)
    assert params.training.utility.false_positive == pytest.approx(-0.00503)
    assert any("takes 20,000 to tell" in line for line in made.profile.look)


def test_a_folder_is_parts_or_periods_by_its_names(
    project: Path, tmp_path: Path, call: Init
) -> None:
    frame = users_data.timed()
    months = frame["when"].dt.strftime("%Y_%m")
    for kind, names in (("parts", "part{}.csv"), ("periods", "sales_{}.csv")):
        (tmp_path / kind).mkdir()
        for month, own in frame.drop(columns="when").groupby(months):
            own.to_csv(tmp_path / kind / names.format(month), index=False)
    call(tmp_path / "periods", "churned")
    assert [b.period for b in batches.find(project / "data/batches")][:2] == ["2023-01", "2023-02"]
    for path in (tmp_path / "parts").iterdir():
        path.rename(path.with_name(path.name.replace("20", "x")))
    call(tmp_path / "parts", "churned", force=True)
    assert [b.period for b in batches.find(project / "data/batches")] == ["all"]


@pytest.mark.long
@pytest.mark.parametrize("shape", ["wide", "many"])
def test_time_and_memory_are_bounded(project: Path, tmp_path: Path, shape: str) -> None:
    if shape == "wide":
        users_data.wide().to_csv(tmp_path / "d.csv", index=False)
        target = "y"
    else:
        frame = users_data.timed(1_000_000).assign(level=lambda f: f.index % 700)
        frame.to_csv(tmp_path / "d.csv", index=False)
        target = "churned"
    script = (
        "import resource, sys; from perennial.cli import app;"
        "code = 0\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, code)"
    )
    command = ["init", "--data", str(tmp_path / "d.csv"), "--target", target]
    began = time.process_time()
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True
    )
    assert time.process_time() - began < 300
    peak, code = (int(word) for word in done.stdout.split("PEAK ")[1].split())
    assert code == 0, done.stderr
    assert peak < 3 * 2**20  # KiB
