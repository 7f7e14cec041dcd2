"""The registry wherever it is: the same tests on SQLite, on a tracking server, on PostgreSQL and on
a server before it. Those on PostgreSQL are skipped, and say so, where it is not installed."""

import json
import os
import re
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.integration.backends import (
    Cluster,
    cluster,
    database,
    server,
    server_on_postgres,
    serving,
    sqlite,
)
from tests.integration.registered import ROOT, Project, raw, record, write_project

from perennial import paths
from perennial.adapters import bundles, registry
from perennial.adapters.registry import connection, postgres
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.errors import InputError, UnreachableError

__all__ = ["cluster", "database", "server", "server_on_postgres", "sqlite"]

long = pytest.mark.long
slow = pytest.mark.slow
BACKENDS = [
    "sqlite",
    "database",
    pytest.param("server", marks=slow),
    pytest.param("server_on_postgres", marks=long),
]
numbers = count(1)


@pytest.fixture(params=BACKENDS)
def uri(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def name() -> str:
    """A model of the test's own, as the backends are shared."""
    return f"model-{next(numbers)}"


@pytest.fixture(scope="module")
def made(candidates: dict[str, Candidate], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose candidate the gate let pass, registered nowhere yet."""
    return write_project(tmp_path_factory.mktemp("made") / "p", candidates["boosted"])


@pytest.fixture
def project(made: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(sys, "path", [*sys.path])  # MLflow adds the code of models it loads
    monkeypatch.chdir(made.folder)
    return made


def test_a_version_is_registered_once_found_named_and_fetched(
    project: Project, uri: str, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert registry.versions(uri, name) == []
    assert registry.find_version(uri, name, project.digest) is None
    for _ in range(2):
        assert registry.register(uri, record(project, model=name)).version == "1"
    [version] = registry.versions(uri, name)
    assert (version.digest, registry.find_version(uri, name, version.digest)) == (
        project.digest,
        "1",
    )
    assert registry.alias_version(uri, name, "champion") is None
    registry.set_alias(uri, name, "champion", "1")
    assert registry.alias_version(uri, name, "champion") == "1"
    folder = registry.download(uri, name, "1", tmp_path / "bundle")
    assert bundles.is_whole(folder, project.digest)
    plan = (project.folder / paths.PLAN).read_bytes()
    (known,) = registry.remembered(uri, name, [version])
    assert known.datasets == json.loads(plan)["parts"]
    assert registry.kept(uri, known.version, "origin") == {"plan.json": plan}
    assert registry.tags(uri, name)["1"]["digest"] == project.digest
    with pytest.raises(InputError, match="no version 7"):
        registry.set_alias(uri, name, "champion", "7")
    assert capfd.readouterr() == ("", ""), "no banner, no warning, no progress bar"
    assert not (project.folder / "mlruns").exists(), "all state is where the project keeps it"


def test_another_digest_is_another_version_and_the_alias_moves(
    project: Project, uri: str, name: str, candidates: dict[str, Candidate], tmp_path: Path
) -> None:
    registry.register(uri, record(project, model=name))
    registry.set_alias(uri, name, "champion", "1")
    digest = bundles.write(tmp_path / "other", to_artefacts(candidates["logistic"]))
    other = record(project, model=name, bundle=tmp_path / "other", digest=digest)
    assert registry.register(uri, other).version == "2"
    registry.set_alias(uri, name, "champion", "2")
    assert registry.alias_version(uri, name, "champion") == "2"
    assert [v.digest for v in registry.versions(uri, name)] == [project.digest, digest]


def test_a_version_records_and_predicts_the_same_everywhere(
    project: Project, uri: str, name: str
) -> None:
    """Metrics, parameters, inputs and files are there, and it loads without a pickle."""
    import mlflow

    run_id = registry.register(uri, record(project, model=name)).run_id
    client = mlflow.MlflowClient(uri, uri)
    run = client.get_run(run_id)
    assert run.data.metrics == {"roc_auc": 0.7}
    profiles = {i.dataset.name: json.loads(i.dataset.profile) for i in run.inputs.dataset_inputs}
    assert sorted(profiles) == ["calibration", "holdout", "train"]
    assert [item.path for item in client.list_artifacts(run_id, "origin")] == ["origin/plan.json"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLFLOW_TRACKING_URI", uri)
        mlflow.set_tracking_uri(uri)
        model = mlflow.pyfunc.load_model(f"models:/{name}/1")
        mlflow.set_tracking_uri(None)
    rows = raw("2010-08").head(5)
    assert len(model.predict(rows)) == 5


@long
def test_machines_that_register_at_once_make_one_version(
    project: Project, uri: str, name: str
) -> None:
    """Two projects, each with what it needs, and one registry between them."""
    params = (project.folder / paths.PARAMS).read_text()
    # params.yaml takes no password: the environment has it
    password = re.search(r"(?<=:)[^:@/]+(?=@)", uri)
    told = uri.replace(password[0], "${PASSWORD}") if password else uri
    both = []
    for number in range(2):
        folder = project.folder.with_name(f"{name}-{number}")
        subprocess.run(["cp", "-r", str(project.folder), str(folder)], check=True)
        own = params.replace("  uri: null", f"  uri: {told}").replace("bank-deposits", name)
        (folder / paths.PARAMS).write_text(own)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        environment |= {"PASSWORD": unquote(password[0])} if password else {}
        command = [sys.executable, "-m", "perennial.stages.register"]
        both.append(subprocess.Popen(command, cwd=folder, env=environment))
    assert [process.wait(120) for process in both] == [0, 0]
    (version,) = registry.versions(uri, name)
    assert version.digest == project.digest
    reports = [
        json.loads((project.folder.with_name(f"{name}-{n}") / paths.REGISTRATION).read_text())
        for n in range(2)
    ]
    assert {report["version"] for report in reports} == {version.version}


def test_a_version_made_beside_another_of_its_digest_is_taken_back(
    project: Project, uri: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens on a server between looking and writing, which has no lock."""
    first = registry.register(uri, record(project, model=name))
    known, asked = registry._known, []

    def late(*arguments: str) -> object:
        asked.append(arguments)
        return None if len(asked) == 1 else known(*arguments)

    monkeypatch.setattr(registry, "_known", late)
    assert registry.register(uri, record(project, model=name)).version == first.version
    assert [v.version for v in registry.versions(uri, name)] == [first.version]


@long
def test_a_server_that_goes_while_it_is_written_to_is_exit_4_and_nothing_is_there_twice(
    project: Project, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone between the files and the version; back on the same address, the same call finishes."""
    from tests.integration.backends import free_port

    from perennial.adapters.registry import keeping

    port, state = free_port(), f"sqlite:///{tmp_path / 's.db'}"
    real = keeping.write
    with serving(tmp_path, state, port) as uri:
        running = registry.versions(uri, name)
        assert running == []
    for setting in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"):
        monkeypatch.setenv(setting, "1")
    with serving(tmp_path, state, port) as uri:
        gone: list[str] = []

        def write(*arguments: object) -> str:
            digest = real(*arguments)  # type: ignore[arg-type]
            server_pid = _listening(port)
            os.kill(server_pid, 9)
            gone.append("gone")
            return digest

        monkeypatch.setattr(keeping, "write", write)
        began = time.monotonic()
        with pytest.raises(UnreachableError) as error:
            registry.register(uri, record(project, model=name))
        assert gone
        assert (error.value.exit_code, time.monotonic() - began < 60) == (4, True)
    monkeypatch.setattr(keeping, "write", real)
    with serving(tmp_path, state, port) as uri:
        assert registry.register(uri, record(project, model=name)).version == "1"
        assert len(registry.versions(uri, name)) == 1


def _listening(port: int) -> int:
    import psutil

    return next(
        int(c.pid)
        for c in psutil.net_connections("tcp")
        if c.laddr.port == port and c.status == psutil.CONN_LISTEN and c.pid
    )


# --- PostgreSQL alone ----------------------------------------------------------------------------


@long
def test_machines_at_once_on_a_fresh_database_make_it_once(
    cluster: Cluster, project: Project, name: str
) -> None:
    """MLflow's migrations fail where two run them."""
    test_machines_that_register_at_once_make_one_version(project, cluster.uri("fresh"), name)


def test_a_database_that_another_process_holds_is_waited_for_and_then_told(
    database: str, project: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy

    monkeypatch.setattr(connection, "WAIT", 0.5)
    engine = sqlalchemy.create_engine(database)
    with engine.connect() as other:
        other.execute(sqlalchemy.text(f"SELECT pg_advisory_lock({postgres.KEY})"))
        with pytest.raises(UnreachableError, match="another process") as error:
            registry.versions(database, name)
        assert error.value.exit_code == 4
        assert "s3cr" not in str(error.value)
    engine.dispose()
    assert registry.versions(database, name) == []


def test_a_wrong_password_is_told_and_neither_is_shown(database: str, name: str) -> None:
    wrong = database.replace("s3cr%20et%2F%40", "wr0ng")
    with pytest.raises(UnreachableError) as error:
        registry.versions(wrong, name)
    assert "wr0ng" not in str(error.value)
    assert "password authentication failed" in str(error.value)


def test_files_in_a_folder_of_another_machine_are_said_to_be_there(
    database: str, project: Project, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are neither written anew nor taken for lost."""
    away = tmp_path / "away"
    away.mkdir()
    with monkeypatch.context() as there:
        there.chdir(away)
        made = registry.register(database, record(project, model=name))
    away.rename(tmp_path / "unplugged")
    assert registry.find_version(database, name, project.digest) == made.version
    assert registry.register(database, record(project, model=name)).version == made.version
    assert not away.exists()
    with pytest.raises(UnreachableError, match="not on this machine"):
        registry.download(database, name, made.version, tmp_path / "bundle")


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "DRIVER", "nobody_has_this")
    monkeypatch.setattr(connection, "_require_answer", lambda _: None)
    with pytest.raises(InputError, match=r"perennial\[postgres\]"):
        registry.versions("postgresql://127.0.0.1:1/x", "model")
