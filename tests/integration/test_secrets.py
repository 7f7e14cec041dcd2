"""Secrets come from the environment and go nowhere: not into messages, reports, registry or Git."""

import subprocess
from pathlib import Path

import pytest
from tests.integration.configured import Faults
from tests.integration.registered import write_project
from tests.traces import traces

from perennial.adapters import dag, registry
from perennial.adapters.bundles import signing
from perennial.adapters.registry import connection
from perennial.core.model.candidate import Candidate
from perennial.errors import InputError, UnreachableError

SECRET = "S3cr3tQzxv"
REFUSED = {
    f"postgresql://me:{SECRET}@db.example.org/mlflow": "a password",
    f"https://me:{SECRET}@mlflow.example.org": "a password",
    f"https://{SECRET}@mlflow.example.org": "a user or token",
    f"postgresql://me@db.example.org/mlflow?password={SECRET}": "parameter password",
    f"https://mlflow.example.org/?access_token={SECRET}": "parameter access_token",
    f"mysql+pymysql://me:{SECRET}%40x@db/mlflow": "a password",
}
TAKEN = [
    "https://mlflow.example.org",
    "postgresql://me@db.example.org/mlflow?sslmode=require",
    "postgresql://me:${DB_PASSWORD}@db.example.org/mlflow",
    "https://mlflow.example.org/?access_token=${TOKEN}",
    "${MLFLOW_ADDRESS}",
]


@pytest.mark.parametrize("uri", REFUSED)
def test_an_address_with_a_secret_is_refused_and_not_repeated(uri: str, faults: Faults) -> None:
    (fault,) = faults(("uri: null", f"uri: {uri}"))
    assert REFUSED[uri] in fault
    assert "${NAME}" in fault
    assert SECRET not in fault


@pytest.mark.parametrize("uri", TAKEN)
def test_an_address_without_is_taken(uri: str, params_yaml: object) -> None:
    from perennial.adapters.files.configuration import read_params

    assert callable(params_yaml)
    assert read_params(path=params_yaml(("uri: null", f'uri: "{uri}"'))).registry.uri == uri


def test_what_the_environment_has_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", f"{SECRET}@/?")
    monkeypatch.setenv("MLFLOW_ADDRESS", "https://mlflow.example.org/")
    uri = registry.resolve("postgresql://me:${DB_PASSWORD}@db.example.org/mlflow")
    assert uri == f"postgresql://me:{SECRET}%40%2F%3F@db.example.org/mlflow"
    assert registry.resolve("${MLFLOW_ADDRESS}") == "https://mlflow.example.org"
    assert SECRET not in connection.shown(uri)
    with pytest.raises(InputError, match="OTHER: not set"):
        registry.resolve("postgresql://${DB_PASSWORD}:${OTHER}@db.example.org/mlflow")


@pytest.mark.parametrize("reason", [f"no route for {SECRET}@x", f"bad {SECRET}%40x given"])
def test_no_message_of_a_registry_that_cannot_be_reached_repeats_it(reason: str) -> None:
    uri = f"postgresql://me:{SECRET}%40x@127.0.0.1:1/mlflow?sslpassword={SECRET}2"
    assert SECRET not in str(connection._unreachable(uri, reason))
    with pytest.raises(UnreachableError) as caught:
        registry.versions(uri, "model")
    assert SECRET not in str(caught.value)


def test_nothing_that_a_registration_leaves_has_a_secret_of_its_environment(
    candidates: dict[str, Candidate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git, registry, reports and what it prints; the search proves itself on what it may find."""
    project = write_project(tmp_path / "p", candidates["logistic"])
    pem, _ = signing.new_key()
    secrets = {
        "PERENNIAL_ALERT_WEBHOOK": f"https://hooks.example.org/{SECRET}",
        "MLFLOW_TRACKING_USERNAME": f"{SECRET}-user",
        "MLFLOW_TRACKING_PASSWORD": SECRET,
        "MLFLOW_TRACKING_TOKEN": f"{SECRET}-token",
        "AWS_SECRET_ACCESS_KEY": f"{SECRET}-aws",
        signing.PRIVATE: pem.decode(),
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    done = project.register()
    assert done.returncode == 0, done.stderr
    line = pem.decode().splitlines()[1]
    assert SECRET not in done.stdout + done.stderr
    assert line not in done.stdout + done.stderr
    assert traces(project.folder, [SECRET, line, line[16:48]]) == []
    version = registry.versions(project.uri, "bank-deposits")[0]
    assert version.signature, "the key was used"
    assert traces(project.folder, [version.signature]), "and what may be there is found"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    (tmp_path / ".dvc").mkdir()
    return tmp_path


def configure(text: str, name: str = "config") -> None:
    head = "[core]\n    analytics = false\n    remote = store\n" if name == "config" else ""
    Path(".dvc", name).write_text(f"{head}['remote \"store\"']\n{text}")


@pytest.mark.parametrize(
    "text",
    [
        f"    url = https://me:{SECRET}@example.org/store\n",
        f"    url = s3://bucket/x\n    secret_access_key = {SECRET}\n",
        f"    url = azure://x/y\n    connection_string = {SECRET}\n",
    ],
)
def test_a_remote_of_dvc_whose_secret_git_would_have_is_refused(
    text: str, repository: Path
) -> None:
    configure(text)
    with pytest.raises(InputError, match="Git would have it") as caught:
        dag.remote_name()
    assert SECRET not in str(caught.value)


def test_what_only_this_machine_has_is_taken(repository: Path) -> None:
    configure("    url = https://example.org/store\n")
    configure(f"    password = {SECRET}\n    user = me\n", "config.local")
    assert dag.remote_name() == "store"
