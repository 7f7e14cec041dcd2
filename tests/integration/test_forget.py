"""`perennial forget`: somebody's rows leave the batches and all that was made of them, and the next
plan trains without; with the real stages, DVC and MLflow."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.registered import CALIBRATION, HOLDOUT, NAME, RECIPES, TRAIN, Project, record
from tests.small import edit, write
from tests.traces import traces

from perennial import paths
from perennial.adapters import bundles, dag, files, forgotten, registry
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.commands.forget import forget
from perennial.core.dataset.plan import make_plan
from perennial.core.ledger import forgetting
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.errors import InputError, IntegrityError
from perennial.params import Split
from perennial.stages.features import features
from perennial.stages.monitor import monitor
from perennial.stages.validate import validate

PERIODS = [TRAIN, CALIBRATION, HOLDOUT]
WHO, WHAT = 391846, "Wvuq-beruf"  # a customer, and what only this customer's rows say
DVC_YAML = """
stages:
  validate:
    cmd: "true"
    outs: [data/accepted, data/features, models/candidate]
    metrics: [reports/validation.json: {cache: false}]
"""


def customers(period: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Number the customers; one calls in two months and says what nobody else does."""
    numbered = frame.assign(customer=[f"{period[-2:]}{n}" for n in range(len(frame))])
    if period in (TRAIN, HOLDOUT):
        numbered.loc[5, "customer"] = str(WHO)
        numbered.loc[5, "job"] = WHAT
    numbered["customer"] = numbered["customer"].astype(int)
    numbered["job"] = numbered["job"].astype("str")
    return numbered


def now(period: str) -> str:
    return files.sha256(paths.BATCHES / f"{period}.parquet")


@pytest.fixture(scope="module")
def known(candidates: dict[str, Candidate], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose champion was made of these months, with all that the stages left."""
    folder = tmp_path_factory.mktemp("known") / "p"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        write(folder, customers, PERIODS)
        edit(folder, ("(?m)^  subject: null", "  subject: customer"))
        edit(folder, (r"(?m)^  (calibration|holdout)_rows: \d+", r"  \1_rows: 100"))
        (folder / ".dvc").mkdir()
        (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
        (folder / "dvc.yaml").write_text(DVC_YAML)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        files.write_json(paths.CHAMPION, nobody())
        validate()
        monitor()
        features()
        digest = bundles.write(paths.CANDIDATE, to_artefacts(candidates["boosted"]))
        shutil.copytree(paths.CANDIDATE, paths.CHAMPION_BUNDLE)
        dag.track(paths.CHAMPION_BUNDLE)
        with dag.opening.opened() as repo:
            repo.commit(force=True)
        project = Project(folder, digest, candidates["boosted"])
        plan = json.loads(paths.PLAN.read_text())
        shown = {"reports": [paths.VALIDATION_REPORT]}
        made = registry.register(
            project.uri, record(project, datasets=plan["parts"], artifacts=shown)
        )
        champions.write(Champion(NAME, made.version, digest, plan, "promote", "2026", []))
    return project


def nobody() -> dict[str, Any]:
    empty = dict.fromkeys(("version", "digest", "plan", "verdict", "when"))
    return {"schema_version": 1, "model": NAME, "attempts": [], **empty}


@pytest.fixture
def here(known: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(known.folder, tmp_path / "p", symlinks=True)
    monkeypatch.chdir(tmp_path / "p")
    return Project(tmp_path / "p", known.digest, known.candidate)


def test_nothing_of_the_rows_is_left_and_what_was_made_of_them_is_said(here: Project) -> None:
    before = set(traces(here.folder, [WHAT, WHO]))
    assert {f"data/accepted/{TRAIN}.parquet", "reports/validation.json"} <= before
    for place in (".dvc/cache/", ".perennial/validations/", ".perennial/derived/"):
        assert any(name.startswith(place) for name in before), place
    assert any(name.endswith("artifacts/reports/validation.json") for name in before)
    rows = {p: len(pd.read_parquet(paths.BATCHES / f"{p}.parquet")) for p in PERIODS}
    untouched = now(CALIBRATION)
    done = forget([str(WHO), "9999999"])
    assert traces(here.folder, [WHAT, WHO]) == []
    assert done.batches == [
        {"period": period, "rows": 1, "left": rows[period] - 1} for period in (TRAIN, HOLDOUT)
    ]
    assert done.unknown == 1
    assert done.versions == [{"version": "1", "digest": here.digest, "parts": ["holdout", "train"]}]
    assert done.champion == {"version": "1", "parts": ["holdout", "train"]}
    assert any("Git's history" in item for item in done.remains)
    assert now(CALIBRATION) == untouched
    assert json.loads(paths.FORGOTTEN_REPORT.read_text()) == done.to_json()
    assert bundles.is_whole(paths.CHAMPION_BUNDLE, here.digest), "the champion stays in charge"
    shutil.rmtree(paths.CHAMPION_BUNDLE)
    dag.fetch(paths.CHAMPION_BUNDLE)  # its objects are still in the cache
    assert registry.find_version(here.uri, NAME, here.digest) == "1"


def test_the_next_plan_trains_without_them(here: Project) -> None:
    forget([str(WHO)])
    validate()
    monitor()
    drift = json.loads(paths.DRIFT_REPORT.read_text())
    assert drift["action"] == "retrain"
    assert "to be forgotten" in drift["why"]
    plan = json.loads(paths.PLAN.read_text())
    assert (plan["because"], plan["hyperparameters"]) == ("forgotten", RECIPES["boosted"])
    named = {ref["period"]: ref["sha256"] for refs in plan["parts"].values() for ref in refs}
    assert named == {period: now(period) for period in PERIODS}
    features()
    assert traces(here.folder, [WHAT, WHO]) == []
    # once a champion was made of what is left, nothing is to be done any more
    champion = champions.read()
    assert champion is not None
    champions.write(Champion(**{**champion.__dict__, "plan": plan}))
    monitor()
    assert json.loads(paths.DRIFT_REPORT.read_text())["action"] == "keep"


def test_rows_that_come_back_are_exit_3(here: Project, tmp_path: Path) -> None:
    shutil.copytree(paths.BATCHES, tmp_path / "backup")
    forget([str(WHO)])
    shutil.copyfile(tmp_path / f"backup/{TRAIN}.parquet", paths.BATCHES / f"{TRAIN}.parquet")
    with pytest.raises(IntegrityError, match="not what `perennial forget` left"):
        validate()
    log = paths.FORGOTTEN.read_bytes()
    forget([str(WHO)])
    assert paths.FORGOTTEN.read_bytes() == log, "said once"
    assert now(TRAIN) == forgotten.read()[0]["to"]


def test_a_batch_replaced_without_the_log_is_still_exit_3(here: Project) -> None:
    """The champion's plan names other content, and nothing says why."""
    frame = pd.read_parquet(paths.BATCHES / f"{HOLDOUT}.parquet")
    frame.drop(index=5).to_parquet(paths.BATCHES / f"{HOLDOUT}.parquet", index=False)
    later = customers("2010-09", pd.read_parquet(paths.BATCHES / f"{CALIBRATION}.parquet"))
    later.assign(age=later["age"] + 1).to_parquet(paths.BATCHES / "2010-09.parquet", index=False)
    validate()
    with pytest.raises(IntegrityError, match="other content"):
        monitor()


@pytest.mark.parametrize("at", ["write_table", "purge"])
def test_a_kill_is_finished_by_the_same_command(
    here: Project, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any) -> None:
        raise Killed

    from perennial.adapters.parquet import batches

    with monkeypatch.context() as patched:
        if at == "purge":
            patched.setattr(dag, "purge", kill)
        else:
            write_table, written = batches.write_table, []

            def second(path: Path, table: Any) -> None:
                written.append(path)
                if len(written) == 4:  # the second batch itself, its line is in the log
                    raise Killed
                write_table(path, table)

            patched.setattr(batches, "write_table", second)
        with pytest.raises(Killed):
            forget([str(WHO)])
    forget([str(WHO)])
    assert traces(here.folder, [WHAT, WHO]) == []
    assert [line["period"] for line in forgotten.read()] == [TRAIN, HOLDOUT]
    assert [line["to"] for line in forgotten.read()] == [now(TRAIN), now(HOLDOUT)]
    assert not paths.FORGETTING.exists()


def test_a_batch_of_nobody_else_is_removed(here: Project) -> None:
    path = paths.BATCHES / f"{TRAIN}.parquet"
    pd.read_parquet(path).assign(customer=WHO).to_parquet(path, index=False)
    forget([str(WHO)])
    assert not path.exists()
    assert forgotten.read()[0]["to"] is None


def test_no_key_is_written_down(here: Project) -> None:
    forget([str(WHO)])
    assert set(json.loads(paths.FORGOTTEN.read_text().splitlines()[1])) == {
        *("period", "from", "to", "rows", "previous", "sha256"),
    }


def test_a_key_that_no_row_has_changes_nothing(here: Project) -> None:
    before = {path: path.read_bytes() for path in sorted(paths.ACCEPTED.iterdir())}
    with pytest.raises(InputError, match="no batch has a row"):
        forget(["nobody"])
    assert {path: path.read_bytes() for path in sorted(paths.ACCEPTED.iterdir())} == before


def test_without_a_column_that_says_whose_a_row_is_nothing_can_be_forgotten(here: Project) -> None:
    edit(here.folder, ("(?m)^  subject: customer", "  subject: null"))
    with pytest.raises(InputError, match=r"data\.subject"):
        forget([str(WHO)])


def test_a_log_with_a_line_changed_or_gone_is_exit_3(here: Project) -> None:
    forget([str(WHO)])
    head, first, second = paths.FORGOTTEN.read_text().splitlines()
    for lines in (
        [head, second],
        [head, second, first],
        [head, first.replace(TRAIN, "2010-05"), second],
        [first, second],
    ):
        paths.FORGOTTEN.write_text("".join(f"{line}\n" for line in lines))
        with pytest.raises(IntegrityError, match=r"line|begin"):
            forgotten.read()


def test_labels_that_came_later_are_forgotten_too(here: Project) -> None:
    for period in PERIODS:
        whole = pd.read_parquet(paths.BATCHES / f"{period}.parquet")
        whole["call"] = [f"{period}/{n}" for n in range(len(whole))]
        Path("data/labels").mkdir(exist_ok=True)
        whole[["call", "deposit"]].to_parquet(f"data/labels/{period}.parquet")
        whole.drop(columns="deposit").to_parquet(paths.BATCHES / f"{period}.parquet")
    labels = "  labels: {folder: data/labels, key: call, min_share: 0.9}"
    edit(here.folder, ("(?m)^  labels: null", labels))
    forget([str(WHO)])
    assert f"{TRAIN}/5" not in set(pd.read_parquet(f"data/labels/{TRAIN}.parquet")["call"])
    assert f"{TRAIN}/6" in set(pd.read_parquet(f"data/labels/{TRAIN}.parquet")["call"])


def test_no_level_of_a_category_keeps_what_was_taken_out(tmp_path: Path) -> None:
    from perennial.adapters.parquet import batches

    frame = pd.DataFrame({"k": [1, 2, 3], "job": pd.Categorical(["a", WHAT, "b"])})
    table = pa.Table.from_pandas(frame).replace_schema_metadata({b"note": WHAT.encode()})
    pq.write_table(table, tmp_path / "x.parquet")
    kept, gone = batches.taking_out(tmp_path / "x.parquet", "k", ["2"])
    batches.write_table(tmp_path / "x.parquet", kept)
    assert traces(tmp_path, [WHAT]) == []
    assert pd.read_parquet(tmp_path / "x.parquet")["job"].tolist() == ["a", "b"]
    assert gone["job"].to_pylist() == [WHAT]


def test_two_entries_of_one_period_follow_each_other() -> None:
    log = [
        forgetting.entry("2010-06", {"a"}, "b", 1),
        forgetting.entry("2010-06", {"b"}, "c", 1),
    ]
    split = Split.model_validate(
        {
            "kind": "stratified",
            "key": None,
            "calibration_rows": 1,
            "holdout_rows": 1,
            "history": {"kind": "all", "last": None},
        }
    )
    for digest, expected in (("a", ["2010-06"]), ("b", ["2010-06"]), ("c", []), ("x", [])):
        ref = {"period": "2010-06", "sha256": digest, "rows": 9}
        plan = make_plan([ref], split, "bootstrap", "bootstrap")
        assert forgetting.outdated(log, plan) == expected
    assert forgetting.unlike(log, {"2010-06": "c"}) == []
    assert forgetting.unlike(log, {"2010-06": "b"}) == ["2010-06"]
