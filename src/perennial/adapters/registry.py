"""MLflow as the registry: it remembers every candidate that may go into production.

Importing MLflow costs more than a whole run in which nothing is stale, so what is asked on every
run is read from SQLite itself; the client is asked where that can't be done.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perennial import paths
from perennial.adapters import files
from perennial.errors import InputError, IntegrityError, UnreachableError

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

SQLITE = "sqlite:///"
BUNDLE = Path("artifacts/bundle")  # within a registered model's files
WAIT = 120  # seconds for another process that registers; it takes a few
TIMEOUT = 5  # seconds for a server's first answer

# What a registered model brings along, so that it loads where Perennial is not installed.
PACKAGE = Path(__file__).parents[1]
SHIPPED = (
    "__init__.py errors.py params.py adapters/__init__.py adapters/bundles.py adapters/files.py "
    "core/__init__.py core/boosting.py core/calibration.py core/candidate.py core/decision.py "
    "core/features.py core/linear.py"
).split()
REQUIRED = ("numpy", "pandas", "pydantic", "xgboost-cpu")

VERSIONS = """
SELECT v.version, t.value, v.run_id, v.storage_location
FROM model_versions v
LEFT JOIN model_version_tags t ON t.name = v.name AND t.version = v.version AND t."key" = 'digest'
WHERE v.name = ? AND v.current_stage IS NOT 'Deleted_Internal' ORDER BY v.version
"""
ALIAS = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


@dataclass(frozen=True)
class Version:
    """A registered version; `location` is where its files are, as the registry says it."""

    version: str
    digest: str | None
    run_id: str | None
    location: str


@dataclass(frozen=True)
class Record:
    """All that is known of a candidate when it is registered.

    `inputs` are the raw columns it predicts from; `datasets` the batches (`period`, `sha256`,
    `rows`) of each part; `artifacts` the files and folders kept with the run, by folder there.
    """

    model: str
    digest: str
    bundle: Path
    inputs: Mapping[str, Literal["double", "string"]]
    example: "pd.DataFrame"
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    datasets: Mapping[str, Sequence[Mapping[str, Any]]]
    artifacts: Mapping[str, Sequence[Path]]
    tags: Mapping[str, str]


def resolve(uri: str | None) -> str:
    """Return the registry's address: None means SQLite in the project's folder."""
    if uri is None:
        return f"{SQLITE}{(paths.REGISTRY / 'registry.db').absolute()}"
    if uri.startswith(SQLITE):
        return f"{SQLITE}{Path(uri.removeprefix(SQLITE)).absolute()}"
    return uri.rstrip("/")


def versions(uri: str, model: str) -> list[Version]:
    """Return the registered versions of a model, oldest first; none if there is no registry yet.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    rows = _select(uri, VERSIONS, (model,))
    if rows is not None:
        return [Version(str(number), *rest) for number, *rest in rows]
    with _client(uri) as client:
        found, token = [], None
        while True:
            page = client.search_model_versions(f"name = '{model}'", page_token=token)
            found += [
                Version(str(v.version), v.tags.get("digest"), v.run_id, str(v.source)) for v in page
            ]
            token = page.token
            if not token:
                return sorted(found, key=lambda version: int(version.version))


def find_version(uri: str, model: str, digest: str) -> str | None:
    """Return the version registered under that digest, if its files are still there.

    Files on a server are not looked at; files in a folder are, each against its digest.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    known = _known(uri, model, digest)
    return known.version if known is not None and _is_there(uri, known) else None


def register(uri: str, record: Record) -> Version:
    """Register a candidate, once for a digest; a version whose files are gone gets them back.

    The version is made last, so a run killed before leaves none, and the next makes it. On SQLite
    one process registers at a time; a server has no lock to offer.

    Raises:
        UnreachableError: the registry can't be reached or written, or another process holds it.
    """
    with _client(uri) as client:
        known = _known(uri, record.model, record.digest)
        if known is None:
            return _new_version(client, uri, record)
        if not _is_there(uri, known):
            _restore(client, known, record)
        return known


def set_alias(uri: str, model: str, alias: str, version: str) -> None:
    """Point an alias to a version.

    Raises:
        InputError: there is no such version.
        UnreachableError: the registry can't be reached or written.
    """
    _version(uri, model, version)
    if alias_version(uri, model, alias) != version:
        with _client(uri) as client:
            client.set_registered_model_alias(model, alias, version)


def alias_version(uri: str, model: str, alias: str) -> str | None:
    """Return the version that an alias points to, if it points to one.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    rows = _select(uri, ALIAS, (model, alias))
    if rows is not None:
        return str(rows[0][0]) if rows else None
    with _client(uri) as client:
        found = client.search_registered_models(f"name = '{model}'")
        version = found[0].aliases.get(alias) if found else None
        return None if version is None else str(version)


def download(uri: str, model: str, version: str, folder: Path) -> Path:
    """Fetch a version's bundle into `folder`, in place of what is there, and return `folder`.

    Nothing is checked here: `bundles.read` does that, against the digest that is asked for.

    Raises:
        InputError: there is no such version.
        IntegrityError: its files are gone.
        UnreachableError: the registry can't be reached or read.
    """
    found = _version(uri, model, version)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as temporary:
        fetched = Path(temporary) / BUNDLE.name
        local = _local(found.location)
        if local is None:
            _fetch(uri, f"{found.location}/{BUNDLE.as_posix()}", Path(temporary))
        elif (local / BUNDLE).is_dir():
            shutil.copytree(local / BUNDLE, fetched)
        if not fetched.is_dir():
            raise IntegrityError(
                f"registry {uri}: the files of {model} version {version} are gone",
                "Run `dvc repro` to register the candidate again, or choose another version.",
            )
        shutil.rmtree(folder, ignore_errors=True)
        fetched.replace(folder)
    return folder


# --- reading ---------------------------------------------------------------------------------


def _database(uri: str) -> Path | None:
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def _select(uri: str, query: str, values: Sequence[str]) -> list[tuple[Any, ...]] | None:
    """Return rows of the SQLite database; None where only MLflow can say."""
    database = _database(uri)
    if database is None:
        return None
    if not database.exists():
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()
    except sqlite3.Error as error:
        if str(error).startswith("no such"):  # a table or column: another version's schema
            return None
        raise _unreachable(uri, error) from error


def _known(uri: str, model: str, digest: str) -> Version | None:
    """Return the first version with that digest."""
    return next((v for v in versions(uri, model) if v.digest == digest), None)


def _version(uri: str, model: str, version: str) -> Version:
    found = {v.version: v for v in versions(uri, model)}
    if version not in found:
        there = ", ".join(found) or "none"
        raise InputError(
            f"registry {uri}: {model} has no version {version} (it has {there})",
            "Name one that is there, or run `dvc repro` to register the candidate.",
        )
    return found[version]


def _local(location: str) -> Path | None:
    """Return the location as a path, if it is one."""
    plain = location.removeprefix("file://")
    return Path(plain) if plain.startswith("/") else None


def _is_there(uri: str, version: Version) -> bool:
    """Return whether a version's bundle is where it belongs, every artefact as it was."""
    local = _local(version.location)
    if local is None:
        return True
    if uri == resolve(None) and not local.is_relative_to(_root(uri)):
        return False  # the project's folder was moved or copied: those are another's files
    try:
        manifest = local / BUNDLE / "manifest.json"
        if files.sha256(manifest) != version.digest or not (local / "MLmodel").is_file():
            return False
        entries = json.loads(manifest.read_bytes())["artefacts"]
        return all(files.sha256(local / BUNDLE / n) == e["sha256"] for n, e in entries.items())
    except FileNotFoundError:
        return False


# --- writing ---------------------------------------------------------------------------------


def _new_version(client: "MlflowClient", uri: str, record: Record) -> Version:
    from mlflow.entities import LoggedModelOutput

    experiment = _experiment(client, uri, record.model)
    run = client.create_run(experiment, tags=dict(record.tags), run_name=record.digest[:12])
    run_id = run.info.run_id
    model = client.create_logged_model(
        experiment, record.model, run_id, {"digest": record.digest}, model_type="classifier"
    )
    _log_facts(client, run_id, model.model_id, record)
    _log_artifacts(client, run_id, record)
    with tempfile.TemporaryDirectory() as temporary:
        saved = _save(Path(temporary), record, model)
        client.log_model_artifacts(model.model_id, str(saved))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    client.set_terminated(run_id)
    _registered_model(client, record.model)
    location = str(model.artifact_location)
    tags = {**record.tags, "digest": record.digest}
    made = client.create_model_version(
        record.model, location, run_id, tags, model_id=model.model_id
    )
    return Version(str(made.version), record.digest, run_id, location)


def _restore(client: "MlflowClient", known: Version, record: Record) -> None:
    """Put a version's files back where the registry says they are."""
    target = _local(known.location)
    assert target is not None and known.run_id is not None  # only local files are looked at
    model = client.get_logged_model(target.parent.name)
    _log_artifacts(client, known.run_id, record)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".restore-") as temporary:
        saved = _save(Path(temporary), record, model)
        shutil.rmtree(target, ignore_errors=True)
        saved.replace(target)


def _experiment(client: "MlflowClient", uri: str, model: str) -> str:
    """Return the id of the experiment that is named as the model, made if need be."""
    found = client.get_experiment_by_name(model)
    if found is None:
        root = _root(uri)
        return client.create_experiment(model, None if root is None else str(root / model))
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _registered_model(client: "MlflowClient", model: str) -> None:
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model)


def _log_facts(client: "MlflowClient", run_id: str, model_id: str, record: Record) -> None:
    """Log parameters, inputs and metrics; the metrics are the model's on the holdout."""
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

    params = [Param(name, str(value)) for name, value in record.params.items()]
    for start in range(0, len(params), 100):  # as many as MLflow takes at once
        client.log_batch(run_id, params=params[start : start + 100])
    inputs = {}
    for part, batches in record.datasets.items():
        # MLflow keeps 36 characters of a digest; the batches' own are whole in the profile
        digest = files.digest_of(*(f"{b['period']} {b['sha256']}" for b in batches))[:36]
        profile = {"rows": sum(b["rows"] for b in batches), "batches": list(batches)}
        source = json.dumps({"uri": paths.ACCEPTED.as_posix()})
        inputs[part] = Dataset(part, digest, "local", source, profile=json.dumps(profile))
    client.log_inputs(
        run_id,
        [DatasetInput(d, [InputTag("mlflow.data.context", p)]) for p, d in inputs.items()],
    )
    now, holdout = int(time.time() * 1000), inputs["holdout"]
    metrics = [
        Metric(name, value, now, 0, model_id, holdout.name, holdout.digest)
        for name, value in record.metrics.items()
    ]
    client.log_batch(run_id, metrics=metrics)


def _log_artifacts(client: "MlflowClient", run_id: str, record: Record) -> None:
    for folder, sources in record.artifacts.items():
        for source in sources:
            if source.is_dir():
                client.log_artifacts(run_id, str(source), f"{folder}/{source.name}")
            else:
                client.log_artifact(run_id, str(source), folder)


def _save(folder: Path, record: Record, model: "LoggedModel") -> Path:
    """Write the candidate as an MLflow model into `folder` and return where it is."""
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    code, bundle, saved = folder / PACKAGE.name, folder / BUNDLE.name, folder / "saved"
    for name in SHIPPED:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, code / name)
    shutil.copytree(record.bundle, bundle)
    save_model(
        str(saved),
        python_model=str(Path(__file__).with_name("pyfunc_model.py")),
        artifacts={"bundle": str(bundle)},
        code_paths=[str(code)],
        model_config={"digest": record.digest},
        signature=_signature(record),
        input_example=record.example,
        pip_requirements=[f"{name}=={metadata.version(name)}" for name in REQUIRED],
        mlflow_model=Model(
            artifact_path=model.artifact_location,
            run_id=model.source_run_id,
            model_uuid=model.model_id,
            model_id=model.model_id,
        ),
    )
    for cache in list(saved.rglob("__pycache__")):
        shutil.rmtree(cache)
    return saved


def _signature(record: Record) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec(kind, name) for name, kind in record.inputs.items()])
    outputs = Schema([ColSpec("double", "probability"), ColSpec("long", "decision")])
    return ModelSignature(inputs, outputs)


# --- MLflow itself ---------------------------------------------------------------------------


@contextlib.contextmanager
def _client(uri: str) -> "Iterator[MlflowClient]":
    """Yield a client of a registry that is ready and, on SQLite, held by nobody else."""
    _require_answer(uri)
    _quiet()
    import requests
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _ready(uri):
            yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except (MlflowException, SQLAlchemyError, sqlite3.Error, requests.RequestException) as error:
        raise _unreachable(uri, error) from error


def _quiet() -> None:
    """Switch off, before MLflow is imported, what it would send, print, load or wait for."""
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        DO_NOT_TRACK="true",
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
        MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING="false",
        MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        MLFLOW_UV_AUTO_DETECT="false",
    )
    if "PERENNIAL_DEBUG" not in os.environ:  # what goes wrong is raised, and said once
        os.environ["MLFLOW_LOGGING_LEVEL"] = "CRITICAL"
    for name, value in (("MAX_RETRIES", "1"), ("BACKOFF_FACTOR", "1"), ("TIMEOUT", "30")):
        os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_{name}", value)


@contextlib.contextmanager
def _ready(uri: str) -> Iterator[None]:
    """Hold the lock of a SQLite registry whose database is there, with its paths right."""
    database = _database(uri)
    if database is None:
        yield
        return
    from filelock import FileLock, Timeout

    database.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(database.with_suffix(".lock"), timeout=WAIT):
            _create(database)
            if uri == resolve(None):
                _rebase(database, _root(uri))
            yield
    except Timeout as error:
        raise UnreachableError(
            f"registry {uri}: another process has been writing to it for {WAIT} seconds",
            "Wait for it to end, then run again.",
        ) from error


def _create(database: Path) -> None:
    """Make the database under another name first: MLflow's migrations don't survive a kill."""
    if database.exists() and database.stat().st_size > 0:
        return
    from mlflow import MlflowClient

    with files.replacing(database) as temporary:
        MlflowClient(tracking_uri=f"{SQLITE}{temporary}").search_registered_models()


def _root(uri: str) -> Path:
    """Return where a SQLite registry keeps its files."""
    ...


def _rebase(database: Path, root: Path) -> None:
    """Let the database's absolute paths follow the project's folder where it was moved or copied.

    MLflow knows only absolute paths, and would go on writing into the folder of old.
    """
    ...
