"""init: a clone becomes a project for the user's own data, or nothing is changed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.integration import users_data
from tests.integration.initiated import Init, call, git, project, shipped, state

from perennial.adapters import batches, expectations, swapping
from perennial.adapters.configuration import read_params
from perennial.commands import init_guards
from perennial.core.findings import findings
from perennial.errors import InputError

__all__ = ["call", "project", "shipped"]
CHAMPION = {"model": "m", "version": "1", "digest": "d", "verdict": "promote", "when": "now"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    users_data.small().to_csv(path, index=False)
    return path


@pytest.fixture
def timed(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    users_data.timed().to_csv(path, index=False)
    return path


def written(project: Path) -> dict[str, bytes]:
    """All but the project's own state, such as its lock."""
    return {k: v for k, v in state(project).items() if not k.startswith(".perennial/")}


def faults(raised: pytest.ExceptionInfo[InputError]) -> str:
    return " ".join(raised.value.faults)


def test_a_dry_run_shows_all_and_leaves_the_tree_untouched(
    project: Path, small: Path, call: Init
) -> None:
    before = state(project)
    made = call(small, "answer", dry_run=True)
    assert state(project) == before
    assert not made.written
    assert made.removed
    call(small, "answer")
    written = {p.as_posix(): (project / p).read_text() for p in made.texts}
    assert written == {p.as_posix(): text for p, text in made.texts.items()}


def test_what_was_the_old_datas_is_gone_and_the_new_is_there(
    project: Path, small: Path, call: Init
) -> None:
    made = call(small, "answer")
    assert [p.name for p in (project / "data/batches").iterdir()] == ["all.parquet"]
    for name in ("dvc.lock", "reports/validation.json", "data/make_batches.py"):
        assert not (project / name).exists()
    assert (project / "reports/.gitignore").exists()
    champion = json.loads((project / "champion.json").read_text())
    assert champion["model"] == made.model == "answers-answer"
    params = read_params()
    assert params.target.positive == "yes"
    assert params.registry.model == made.model
    assert (params.split.kind, params.split.holdout_rows) == ("stratified", 200)
    assert params.evaluation.slices.declared == {}
    assert params.behaviour.changes == {}
    assert not (project / swapping.FOLDER).exists()
    assert "params.yaml" in git(project, "diff", "--stat")


def test_params_keep_what_is_still_true_and_say_nothing_of_the_bank(
    project: Path, timed: Path, call: Init
) -> None:
    call(timed, "churned")
    text = (project / "params.yaml").read_text().replace("seed: 20101120", "")
    assert "Benjamini-Hochberg" in text
    for word in ("bank", "deposit", "pensioner", "duration", "2010", "2008", "campaign", "crisis"):
        assert word not in text.lower(), word


def test_the_same_data_give_the_same_bytes_also_over_its_own_project(
    project: Path, timed: Path, call: Init
) -> None:
    call(timed, "churned", sensitive=("kind",))
    before = written(project)
    call(timed, "churned", sensitive=("kind",), force=True)
    assert written(project) == before


def test_what_is_the_users_is_overwritten_only_by_force(
    project: Path, small: Path, call: Init
) -> None:
    (project / "params.yaml").write_text((project / "params.yaml").read_text() + "# mine\n")
    (project / "data/batches/2010-12.parquet").write_bytes(b"mine")
    plan = {"champion.json": {"schema_version": 1, **CHAMPION, "plan": {}, "attempts": []}}
    (project / "champion.json").write_text(json.dumps(plan["champion.json"]))
    before = state(project)
    with pytest.raises(InputError) as raised:
        call(small, "answer")
    assert len(raised.value.faults) == 3  # champion, batches, changes: all at once
    assert "--force" in raised.value.remedy
    assert written(project) == before
    assert call(small, "answer", dry_run=True).hindrances
    call(small, "answer", force=True)
    assert read_params().target.column == "answer"


def test_outside_of_git_nothing_is_overwritten_without_force(
    project: Path, small: Path, call: Init
) -> None:
    (project / ".git").rename(project / "elsewhere")
    with pytest.raises(InputError, match="Git"):
        call(small, "answer")


def test_the_batches_that_ship_are_known() -> None:
    """A change of the shipped batches must change the digest that knows them."""
    root = Path(__file__).parents[2]
    assert init_guards.digest(list((root / "data/batches").iterdir())) == init_guards.SHIPPED


@pytest.mark.parametrize("step", [0, 1, 5, 30])
def test_a_kill_leaves_the_old_or_what_the_same_command_finishes(
    project: Path, small: Path, call: Init, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(project)
    steps = {"left": step}

    def dies(path: Path) -> None:
        if not steps["left"]:
            raise KeyboardInterrupt
        steps["left"] -= 1
        real(path)

    real = swapping._remove
    monkeypatch.setattr(swapping, "_remove", dies)
    with pytest.raises(KeyboardInterrupt):
        call(small, "answer")
    monkeypatch.setattr(swapping, "_remove", real)
    assert (project / swapping.JOURNAL).exists()
    assert swapping.finish()
    killed = written(project)
    assert killed != before
    git(project, "checkout", "-q", ".")
    git(project, "clean", "-fdq")
    call(small, "answer")
    assert killed == written(project)


@pytest.mark.long
def test_killed_at_any_moment_it_is_finished_or_undone(project: Path, small: Path) -> None:
    command = [sys.executable, "-m", "perennial.cli", "init", "--data", str(small)]
    command += ["--target", "answer", "--force"]
    git(project, "tag", "start")
    began = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    took = time.monotonic() - began
    whole = written(project)
    for part in np.linspace(0.3, 1.0, 12):
        git(project, "checkout", "-q", "start", "--", ".")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(took * part)
        process.send_signal(signal.SIGKILL)
        process.wait()
        subprocess.run(command, check=True, capture_output=True)
        assert written(project) == whole


def test_all_that_is_asked_for_and_not_there_is_named_at_once(small: Path, call: Init) -> None:
    wishes = {"sensitive": ("sex",), "time": "day", "key": "who", "drop": ("amont",)}
    with pytest.raises(InputError) as raised:
        call(small, "answr", **wishes)
    assert len(raised.value.faults) == 5
    assert "did you mean answer" in faults(raised)
    assert "did you mean amount" in faults(raised)


@pytest.mark.parametrize(
    ("target", "word"), [("three", "multiclass"), ("amount", "regression"), ("one", "one class")]
)
def test_other_targets_are_refused_by_their_name(
    tmp_path: Path, call: Init, target: str, word: str
) -> None:
    frame = users_data.small().assign(three=list("abcd") * 250, one="x")
    frame.to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(InputError, match=word) as raised:
        call(tmp_path / "f.csv", target)
    assert "Nothing was changed" in raised.value.remedy or "nothing was" in raised.value.remedy


# ---- the contract


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


# ---- shapes


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
    from perennial.core.features import text_of
    from perennial.core.plan import assign

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
