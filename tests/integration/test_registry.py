"""The registry with real MLflow on SQLite: what a version is, and that there is one a digest."""

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial import paths
from perennial.adapters import bundles, files, registry
from perennial.adapters.configuration import read_params
from perennial.adapters.registry.records import BUNDLE
from perennial.core import facts, labels
from perennial.core import features as core
from perennial.core.model.candidate import MODEL, SPEC, Candidate, from_artefacts, to_artefacts
from perennial.core.part import Part
from perennial.core.training import fit_candidate
from perennial.errors import InputError, IntegrityError, UnreachableError

ROOT = Path(__file__).parents[2]
NAME = "bank-deposits"
TRAIN, CALIBRATION, HOLDOUT = "2010-06", "2010-07", "2010-08"
RECIPES = {
    "boosted": {
        "kind": "xgboost",
        "members": [{"params": {"max_depth": 3}, "rounds": 5}] * 2,
    },
    "logistic": {"kind": "logistic", "members": []},
}
MODULES = "[m for m in ('mlflow', 'pandas', 'numpy', 'xgboost') if m in sys.modules]"


@dataclass(frozen=True)
class Project:
    """A project's folder as it is when `register` runs."""

    folder: Path
    digest: str
    candidate: Candidate

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder.resolve() / paths.REGISTRY / 'registry.db'}"

    def run(self, code: str, *, clean: bool = False) -> subprocess.CompletedProcess[str]:
        """Run code in a process of its own; a `clean` one finds no Perennial."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        if clean:
            del environment["PYTHONPATH"]
        command = [sys.executable, "-c", code]
        folder = self.folder.parent if clean else self.folder
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    def register(self, code: str = "") -> subprocess.CompletedProcess[str]:
        """Run the stage, then `code`."""
        return self.run(f"import sys\nfrom perennial.stages import register\n{code or STAGE}")

    def model_folder(self) -> Path:
        return next((self.folder / paths.REGISTRY).rglob("MLmodel")).parent


STAGE = f"register.register()\nprint({MODULES})"


def ref(period: str) -> dict[str, Any]:
    path = ROOT / paths.BATCHES / f"{period}.parquet"
    return {"period": period, "sha256": files.sha256(path), "rows": len(pd.read_parquet(path))}


def raw(period: str) -> pd.DataFrame:
    return pd.read_parquet(ROOT / paths.BATCHES / f"{period}.parquet")


def fitted(recipe: dict[str, Any]) -> Candidate:
    """Fit a candidate on a month of calls and calibrate it on the next."""
    params = read_params(path=ROOT / paths.PARAMS)
    columns, sensitive = params.features.columns, params.sensitive
    spec = core.fit(core.derive(raw(TRAIN), columns), params.features, sensitive)
    train, calibrate = (
        Part(
            spec.transform(rows),
            labels.binary(rows, params.target, "batch"),
            core.groups(rows, sensitive),
        )
        for rows in (raw(TRAIN), raw(CALIBRATION))
    )
    return fit_candidate(recipe, spec, train, calibrate, params.training, params.seed)


def write_project(folder: Path, candidate: Candidate) -> Project:
    """Write what the stages before `register` leave, for a gate that said `promote`."""
    shutil.copytree(ROOT / paths.BATCHES, folder / paths.BATCHES)
    shutil.copyfile(ROOT / paths.PARAMS, folder / paths.PARAMS)
    digest = bundles.write(folder / paths.CANDIDATE, to_artefacts(candidate))
    estimate = {"value": 0.71, "low": 0.68, "high": 0.74, "n": 260}
    undefined = {"value": None, "low": None, "high": None, "n": 260}
    plan = {
        "action": "bootstrap",
        "because": "bootstrap",
        "split": {"kind": "time", "key": None, "calibration_rows": 200, "holdout_rows": 200},
        "parts": {
            "train": [ref(TRAIN)],
            "calibration": [ref(CALIBRATION)],
            "holdout": [ref(HOLDOUT)],
        },
    }
    written = {
        paths.PLAN: plan,
        paths.METRICS: {"holdout": {"roc_auc": estimate, "f1": undefined}},
        paths.GATE_REPORT: {"verdict": "promote", "candidate": digest, "champion": None},
        paths.CHAMPION: {"version": None, "digest": None},
        paths.EXPLAIN_REPORT: {"base": 0.1},
    }
    for path, content in written.items():
        files.write_json(folder / path, content)
    (folder / "dvc.lock").write_text("stages:\n  train: {cmd: x}\n  register: {cmd: y}\n")
    (folder / paths.CURVES).mkdir()
    (folder / paths.CURVES / "roc.png").write_bytes(b"picture")
    return Project(folder, digest, candidate)


@pytest.fixture(scope="module")
def candidates() -> dict[str, Candidate]:
    return {name: fitted(recipe) for name, recipe in RECIPES.items()}


@pytest.fixture(scope="module")
def registered(
    candidates: dict[str, Candidate], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project whose candidate the stage has registered on a fresh database."""
    project = write_project(tmp_path_factory.mktemp("registered") / "p", candidates["boosted"])
    done = project.register()
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "no banner, no warning"
    return project


@pytest.fixture
def project(registered: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of it, which a test may spoil, as the current folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])  # MLflow adds the code of models it loads
    shutil.copytree(registered.folder, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    return Project(tmp_path / "p", registered.digest, registered.candidate)


def record(project: Project, **changes: Any) -> registry.Record:
    """What the stage says of the project's candidate, in short."""
    artefacts = bundles.read(project.folder / paths.CANDIDATE)
    inputs = facts.raw_inputs(json.loads(artefacts[MODEL]), json.loads(artefacts[SPEC]))
    plan = json.loads((project.folder / paths.PLAN).read_text())
    plain = registry.Record(
        model=NAME,
        digest=bundles.digest(project.folder / paths.CANDIDATE),
        bundle=project.folder / paths.CANDIDATE,
        inputs=inputs,
        example=raw(HOLDOUT)[list(inputs)].head(2),
        params={"seed": 1},
        metrics={"roc_auc": 0.7},
        datasets=plan["parts"],
        artifacts={"origin": [project.folder / paths.PLAN]},
        tags={"verdict": "promote"},
    )
    return replace(plain, **changes)


def client(project: Project) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=project.uri, registry_uri=project.uri)


# --- what a version is ---------------------------------------------------------------------------


def test_a_version_is_found_by_its_digest(registered: Project) -> None:
    report = json.loads((registered.folder / paths.REGISTRATION).read_text())
    assert registry.find_version(registered.uri, NAME, registered.digest) == "1"
    assert registry.find_version(registered.uri, NAME, "0" * 64) is None
    assert registry.find_version(registered.uri, "another", registered.digest) is None
    [version] = registry.versions(registered.uri, NAME)
    assert report == {
        "schema_version": 1,
        "model": NAME,
        "version": version.version,
        "run_id": version.run_id,
        "digest": registered.digest,
    }


def test_a_version_records_where_it_comes_from(registered: Project) -> None:
    """Tags, parameters, metrics with bounds, inputs by digest, reports and the state it met."""
    found = client(registered).get_model_version(NAME, "1")
    run = client(registered).get_run(found.run_id)
    assert found.tags["digest"] == registered.digest
    assert found.tags["plan_sha256"] == files.sha256(registered.folder / paths.PLAN)
    assert found.tags["dvc_lock_sha256"] == files.sha256(registered.folder / "dvc.lock")
    assert found.tags["verdict"] == "promote"
    assert [k for k in found.tags if k.startswith("stage.")] == ["stage.train"]
    assert not any(str(registered.folder) in value for value in found.tags.values())
    assert run.data.params["member_1.max_depth"] == "3"
    assert run.data.params["decision.attribute"] == "age_group"
    assert run.data.metrics == {"roc_auc": 0.71, "roc_auc_low": 0.68, "roc_auc_high": 0.74}
    profiles = {
        item.dataset.name: json.loads(item.dataset.profile) for item in run.inputs.dataset_inputs
    }
    assert profiles["holdout"]["batches"] == [ref(HOLDOUT)]
    assert sorted(profiles) == ["calibration", "holdout", "train"]
    kept = {
        item.path
        for folder in ("origin", "reports", "reports/curves")
        for item in client(registered).list_artifacts(found.run_id, folder)
    }
    assert {f"origin/{n}" for n in ("plan.json", "champion.json", "params.yaml", "dvc.lock")} < kept
    assert {"reports/gate.json", "reports/metrics.json", "reports/curves/roc.png"} < kept


def test_nothing_in_the_registry_is_a_pickle_or_names_this_machine(registered: Project) -> None:
    model = registered.model_folder()
    there = sorted(path for path in model.rglob("*") if path.is_file())
    assert {path.suffix for path in there} <= {".py", ".json", ".ubj", ".yaml", ".txt", ""}
    for path in there:
        content = path.read_bytes()
        assert content[:2] not in {bytes([0x80, protocol]) for protocol in range(6)}, path
        assert str(ROOT).encode() not in content, path
        assert str(registered.folder.parent).encode() not in content, path
    required = (model / "requirements.txt").read_text()
    names = [line.partition("==")[0] for line in required.splitlines()]
    assert names == ["mlflow", "numpy", "pandas", "pydantic", "xgboost-cpu"]


# --- once for a digest ---------------------------------------------------------------------------


def test_a_second_run_registers_nothing_and_imports_nothing_slow(registered: Project) -> None:
    report = (registered.folder / paths.REGISTRATION).read_bytes()
    (registered.folder / paths.REGISTRATION).unlink()
    start = time.perf_counter()
    done = registered.register()
    took = time.perf_counter() - start
    assert done.stdout.splitlines()[-1] == "[]", "MLflow, pandas, NumPy or XGBoost was imported"
    assert took < 3, f"{took:.1f} s"
    assert len(registry.versions(registered.uri, NAME)) == 1
    assert (registered.folder / paths.REGISTRATION).read_bytes() == report, "written again"


def test_another_digest_is_another_version(
    project: Project, candidates: dict[str, Candidate]
) -> None:
    bundles.write(project.folder / paths.CANDIDATE, to_artefacts(candidates["logistic"]))
    made = registry.register(project.uri, record(project))
    assert made.version == "2"
    assert [v.digest for v in registry.versions(project.uri, NAME)] == [
        project.digest,
        made.digest,
    ]


def test_an_emptied_registry_is_filled_again(project: Project) -> None:
    """Also where the process that empties it has written to it before."""
    for _ in range(2):
        shutil.rmtree(project.folder / paths.REGISTRY)
        assert registry.find_version(project.uri, NAME, project.digest) is None
        assert registry.alias_version(project.uri, NAME, "champion") is None
        assert registry.register(project.uri, record(project)).version == "1"
        assert registry.find_version(project.uri, NAME, project.digest) == "1"


def lose(folder: Path) -> None:
    shutil.rmtree(folder)


def lose_one(folder: Path) -> None:
    (folder / BUNDLE / "member-00.ubj").unlink()


def flip(folder: Path) -> None:
    path = folder / BUNDLE / "member-00.ubj"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("spoil", [lose, lose_one, flip])
def test_a_version_that_lost_its_files_gets_them_back(
    project: Project, spoil: Callable[[Path], None]
) -> None:
    """The version, its number and its alias stay; the files are the candidate's again."""
    registry.set_alias(project.uri, NAME, "champion", "1")
    spoil(project.model_folder())
    assert registry.find_version(project.uri, NAME, project.digest) is None
    assert registry.register(project.uri, record(project)).version == "1"
    assert registry.find_version(project.uri, NAME, project.digest) == "1"
    assert registry.alias_version(project.uri, NAME, "champion") == "1"
    assert bundles.is_whole(project.model_folder() / BUNDLE, project.digest)


def test_a_project_that_was_copied_has_a_registry_of_its_own(
    registered: Project, project: Project
) -> None:
    """MLflow's absolute paths follow the folder: the original is neither read nor written."""
    assert registry.find_version(project.uri, NAME, project.digest) is None
    assert registry.register(project.uri, record(project)).version == "1"
    assert registry.find_version(project.uri, NAME, project.digest) == "1"
    with sqlite3.connect(project.folder / paths.REGISTRY / "registry.db") as database:
        content = "\n".join(database.iterdump())
    assert f"{registered.folder}/" not in content.replace(f"{registered.folder}/mlruns", "")


def test_two_processes_at_once_on_a_fresh_database_make_one_version(project: Project) -> None:
    shutil.rmtree(project.folder / paths.REGISTRY)
    command = [sys.executable, "-m", "perennial.stages.register"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert [v.version for v in registry.versions(project.uri, NAME)] == ["1"]


KILLS = {
    "while the database is made": (
        "from alembic.runtime.migration import HeadMaintainer as target\n"
        "steps, plain = [], target.update_to_step\n"
        "target.update_to_step = lambda *a: "
        "os._exit(9) if len(steps) == 9 else (steps.append(1), plain(*a))"
    ),
    "before there is a version": (
        "from mlflow import MlflowClient as target\n"
        "target.finalize_logged_model = lambda *a: os._exit(9)"
    ),
}


@pytest.mark.parametrize("when", KILLS)
def test_a_run_that_was_killed_is_finished_by_the_next(project: Project, when: str) -> None:
    shutil.rmtree(project.folder / paths.REGISTRY)
    killed = project.register(f"import os\n{KILLS[when]}\nregister.register()")
    assert killed.returncode == 9, killed.stderr
    assert registry.find_version(project.uri, NAME, project.digest) is None
    assert registry.register(project.uri, record(project)).version == "1"
    assert len(registry.versions(project.uri, NAME)) == 1


# --- who is in charge ----------------------------------------------------------------------------


def test_an_alias_moves_to_another_version(
    project: Project, candidates: dict[str, Candidate]
) -> None:
    bundles.write(project.folder / paths.CANDIDATE, to_artefacts(candidates["logistic"]))
    registry.register(project.uri, record(project))
    assert registry.alias_version(project.uri, NAME, "champion") is None
    for version in ("1", "2", "1"):
        registry.set_alias(project.uri, NAME, "champion", version)
        assert registry.alias_version(project.uri, NAME, "champion") == version
    with pytest.raises(InputError, match="no version 7"):
        registry.set_alias(project.uri, NAME, "champion", "7")
    assert registry.alias_version(project.uri, NAME, "champion") == "1"


def test_a_versions_bundle_can_be_fetched(registered: Project, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/old").touch()
    folder = registry.download(registered.uri, NAME, "1", tmp_path / "bundle")
    assert set(bundles.read(folder, registered.digest)) == {
        "features.json",
        "member-00.ubj",
        "member-01.ubj",
        "model.json",
    }


def test_files_that_are_gone_are_not_fetched(project: Project, tmp_path: Path) -> None:
    registry.set_alias(project.uri, NAME, "champion", "1")
    shutil.rmtree(project.model_folder())
    with pytest.raises(IntegrityError, match="are gone"):
        registry.download(project.uri, NAME, "1", tmp_path / "bundle")


# --- the pyfunc ----------------------------------------------------------------------------------

CLEAN = """
import json, sys
from pathlib import Path
sys.path[:] = [p for p in sys.path if not (Path(p) / "perennial").exists()]
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in repr(f).lower()]
import mlflow
import pandas as pd
mlflow.set_tracking_uri({uri!r})
rows = pd.read_parquet({rows!r})
answers = {{}}
for version in ("1", "2"):
    model = mlflow.pyfunc.load_model(f"models:/bank-deposits/{{version}}")
    together = model.predict(rows)
    alone = pd.concat([model.predict(rows.iloc[[i]]) for i in range(8)])
    answers[version] = [together.to_dict("list"), alone.to_dict("list")]
import perennial
print(json.dumps([perennial.__file__, answers]))
"""


def test_the_pyfunc_takes_raw_rows_in_a_process_without_perennial(
    project: Project,
    candidates: dict[str, Candidate],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One row or many, with missing values and a level never seen, it answers as the candidate."""
    bundles.write(project.folder / paths.CANDIDATE, to_artefacts(candidates["logistic"]))
    registry.register(project.uri, record(project))
    rows = raw(HOLDOUT).head(60)
    rows.loc[0, "job"] = None
    rows["age"] = rows["age"].astype("float64")
    rows.loc[1, "age"] = np.nan
    rows.loc[2, "marital"] = "it is complicated"
    rows.loc[3, "balance"] = 10**9
    rows.to_parquet(tmp_path / "rows.parquet")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    code = CLEAN.format(uri=project.uri, rows=str(tmp_path / "rows.parquet"))
    done = project.run(code, clean=True)
    assert done.returncode == 0, done.stderr
    where, answers = json.loads(done.stdout.splitlines()[-1])
    assert Path(where).is_relative_to(project.folder / paths.REGISTRY)
    for version, name in (("1", "boosted"), ("2", "logistic")):
        together, alone = (pd.DataFrame(answer) for answer in answers[version])
        expected = candidates[name].predict(pd.read_parquet(tmp_path / "rows.parquet"))
        pd.testing.assert_frame_equal(together, expected, check_exact=True)
        pd.testing.assert_frame_equal(alone, expected.head(8), check_exact=False, rtol=1e-12)


def test_the_signature_names_what_goes_in_and_what_comes_out(project: Project) -> None:
    import mlflow

    model = mlflow.pyfunc.load_model(str(project.model_folder()))
    signature = model.metadata.signature
    names = {str(c.name): str(c.type) for c in signature.inputs.inputs}
    assert "duration" not in names
    assert "string" in names["job"]
    assert [str(c.name) for c in signature.outputs.inputs] == ["probability", "decision"]
    answer = model.predict(model.input_example)
    assert [str(dtype) for dtype in answer.dtypes] == ["float64", "int64"]


@pytest.mark.parametrize("spoil", [flip, lose_one])
def test_a_registered_model_whose_bytes_differ_is_not_loaded(
    project: Project, spoil: Callable[[Path], None]
) -> None:
    import mlflow

    folder = project.model_folder()
    spoil(folder)
    with pytest.raises(IntegrityError, match=r"member-00\.ubj"):
        mlflow.pyfunc.load_model(str(folder))


def test_a_model_of_another_digest_is_not_loaded_in_its_place(
    project: Project, candidates: dict[str, Candidate]
) -> None:
    """A whole bundle with a manifest of its own is still not the one that was registered."""
    import mlflow

    folder = project.model_folder()
    bundles.write(folder / BUNDLE, to_artefacts(candidates["logistic"]))
    with pytest.raises(IntegrityError, match="expected"):
        mlflow.pyfunc.load_model(str(folder))


def test_a_candidate_comes_back_from_the_registry_as_it_was(
    registered: Project, tmp_path: Path
) -> None:
    folder = registry.download(registered.uri, NAME, "1", tmp_path / "bundle")
    again = from_artefacts(bundles.read(folder, registered.digest))
    rows = raw(HOLDOUT)
    pd.testing.assert_frame_equal(again.predict(rows), registered.candidate.predict(rows))


# --- what can go wrong ---------------------------------------------------------------------------


def asked(uri: str) -> None:
    start = time.perf_counter()
    with pytest.raises(UnreachableError) as error:
        registry.find_version(uri, NAME, "0" * 64)
    assert error.value.exit_code == 4
    assert "secret" not in str(error.value)
    assert time.perf_counter() - start < 10


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked(f"http://127.0.0.1:{port}")
    asked(f"http://user:secret@127.0.0.1:{port}")
    asked(f"postgresql://user:secret@127.0.0.1:{port}/mlflow")


@pytest.mark.slow
def test_a_tracking_server_serves_as_well_as_a_file(
    registered: Project, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Registered once, found, named by alias and fetched, with its files behind the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri, state = f"http://127.0.0.1:{port}", f"sqlite:///{tmp_path / 's.db'}"
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", state, "--artifacts-destination", str(tmp_path / "files")]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": ""}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(600):
            with contextlib.suppress(UnreachableError):
                assert registry.versions(uri, NAME) == []
                break
            time.sleep(0.2)
        for _ in range(2):
            assert registry.register(uri, record(registered)).version == "1"
        assert registry.find_version(uri, NAME, registered.digest) == "1"
        registry.set_alias(uri, NAME, "champion", "1")
        assert registry.alias_version(uri, NAME, "champion") == "1"
        folder = registry.download(uri, NAME, "1", tmp_path / "bundle")
        assert bundles.is_whole(folder, registered.digest)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    assert capfd.readouterr() == ("", ""), "no banner, no warning, no progress bar"


def test_a_server_that_never_answers_is_told_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perennial.adapters.registry.connection.ANSWER", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        asked(f"http://127.0.0.1:{silent.getsockname()[1]}")


class NotMlflow(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_that_is_no_mlflow_is_told_without_the_password() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), NotMlflow) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        asked(f"http://user:secret@127.0.0.1:{other.server_address[1]}")
        other.shutdown()


def test_a_file_that_is_no_database_is_named(registered: Project, tmp_path: Path) -> None:
    """By what reads and by what writes, and MLflow is not left to try again and again."""
    uri = f"sqlite:///{tmp_path / 'registry.db'}"
    (tmp_path / "registry.db").write_bytes(b"not a database" * 100)
    asked(uri)
    with pytest.raises(UnreachableError, match="not a database"):
        registry.register(uri, record(registered))


def test_a_folder_name_that_mlflow_would_misread_is_refused(tmp_path: Path) -> None:
    for name in ("a?b", "a%20b"):
        with pytest.raises(InputError, match="somewhere else"):
            registry.resolve(f"sqlite:///{tmp_path / name / 'registry.db'}")


@pytest.mark.parametrize("change", ["blocked", "another candidate", "damaged candidate"])
def test_only_what_the_gate_let_pass_is_registered(project: Project, change: str) -> None:
    from perennial.stages.register import register

    gate = json.loads((project.folder / paths.GATE_REPORT).read_text())
    if change == "blocked":
        gate["verdict"] = "block"
    elif change == "another candidate":
        gate["candidate"] = "0" * 64
    else:
        (project.folder / paths.CANDIDATE / "member-00.ubj").write_bytes(b"")
    files.write_json(paths.GATE_REPORT, gate)
    shutil.rmtree(project.folder / paths.REGISTRY)
    with pytest.raises(InputError if change == "blocked" else IntegrityError):
        register()
    assert not (project.folder / paths.REGISTRY).exists()
