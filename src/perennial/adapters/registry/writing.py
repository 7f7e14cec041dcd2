"""A version written into the registry: run, inputs, facts and files first, the version last."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from perennial import paths
from perennial.adapters import files
from perennial.adapters.bundles import signing
from perennial.adapters.registry import keeping, packaging
from perennial.adapters.registry.records import (
    FILES_TAG,
    KEPT_TAG,
    SIGNATURE,
    SIGNATURE_TAG,
    Record,
    Version,
)
from perennial.errors import InputError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput

AT_ONCE = 100  # parameters that MLflow takes in one call


def new_version(client: "MlflowClient", record: Record, root: Path | None) -> Version:
    """Write a run, a model and a version of it.

    The version comes last and its digest with it, so one that is found is whole; a run that was
    killed before leaves what nobody looks for.

    Args:
        client: Of the registry.
        record: What is known of the candidate.
        root: Where a new experiment keeps its files; None leaves it to the server.
    """
    from mlflow.entities import LoggedModelOutput

    experiment = _experiment(client, record.model, root)
    tags = {**record.tags, "digest": record.digest}
    run = client.create_run(experiment, tags=tags, run_name=record.digest[:12])
    run_id = str(run.info.run_id)
    model = client.create_logged_model(experiment, record.model, run_id, tags)
    _log_facts(client, run_id, model.model_id, record)
    kept = keeping.write(client, run_id, record)
    with tempfile.TemporaryDirectory() as temporary:
        saved, sealed = packaging.save(Path(temporary), record, model)
        signed = _signed(saved, record.model, record.digest, sealed)
        client.log_model_artifacts(model.model_id, str(saved))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    client.set_terminated(run_id)
    if not client.search_registered_models(f"name = '{record.model}'"):
        _make(lambda: client.create_registered_model(record.model))
    location = str(model.artifact_location)
    tags |= _tags(sealed, kept, signed)
    made = client.create_model_version(
        record.model, location, run_id, tags, model_id=model.model_id
    )
    return Version(str(made.version), record.digest, run_id, location, sealed, signed, kept)


def restore(
    client: "MlflowClient", uri: str, version: Version, folder: Path, record: Record
) -> None:
    """Put a version's files back into `folder`, where the registry says they are. What is kept
    beside the model stays as it is if it is whole."""
    assert version.run_id is not None  # every version with a digest was written above
    kept = version.kept
    if kept is None or keeping.faults(uri, version):
        keeping.put_aside(client, version.run_id)
        kept = keeping.write(client, version.run_id, record)
        for name, value in record.tags.items():  # they have the digests of what was just kept
            client.set_model_version_tag(record.model, version.version, name, value)
    model = client.get_logged_model(folder.parent.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".restored-") as temporary:
        saved, sealed = packaging.save(Path(temporary), record, model)
        signed = _signed(saved, record.model, record.digest, sealed)
        shutil.rmtree(folder, ignore_errors=True)
        if version.signature and not signed:  # it was of other files
            client.delete_model_version_tag(record.model, version.version, SIGNATURE_TAG)
        for key, value in _tags(sealed, kept, signed).items():
            client.set_model_version_tag(record.model, version.version, key, value)
        saved.replace(folder)


def sign(client: "MlflowClient", model: str, version: Version, here: Path | None) -> None:
    """Sign a version by the key of the environment: its file, then its tag.

    Args:
        client: Of the registry.
        model: Its name.
        version: What is signed.
        here: The folder of its files; None if they are on a server.

    Raises:
        InputError: the environment has no key.
    """
    assert version.digest is not None
    assert version.files is not None
    with tempfile.TemporaryDirectory() as temporary:
        folder = here or Path(temporary)
        signed = _signed(folder, model, version.digest, version.files)
        if signed is None:
            raise InputError(
                f"{signing.PRIVATE}: is not set, so there is nothing to sign with",
                "Set it to the PEM of an Ed25519 key, or the name of its file.",
            )
        if here is None:
            model_id = version.location.rstrip("/").split("/")[-2]  # …/models/<id>/artifacts
            client.log_model_artifact(model_id, str(folder / SIGNATURE))
    client.set_model_version_tag(model, version.version, SIGNATURE_TAG, signed)


def _signed(folder: Path, model: str, digest: str, sealed: str) -> str | None:
    """Sign a version's files, if there is a key, beside them in `folder`."""
    statement = signing.statement(model, digest, sealed)
    signature = signing.sign(statement)
    if signature is not None:
        signing.write(folder / SIGNATURE, statement, signature)
    return signature


def _tags(sealed: str, kept: str, signature: str | None) -> dict[str, str]:
    signed = {SIGNATURE_TAG: signature} if signature else {}
    return {FILES_TAG: sealed, KEPT_TAG: kept, **signed}


def _experiment(client: "MlflowClient", model: str, root: Path | None) -> str:
    """Return the id of the experiment that is named as the model, made if need be."""
    found = client.get_experiment_by_name(model)
    if found is None:
        _make(lambda: client.create_experiment(model, None if root is None else str(root / model)))
        found = client.get_experiment_by_name(model)
    if found.lifecycle_stage == "deleted":  # in MLflow's UI; its name stays taken
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _make(make: Callable[[], object]) -> None:
    """Make what was not there, unless another machine makes it in this very moment."""
    from mlflow.exceptions import MlflowException

    try:
        make()
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _log_facts(client: "MlflowClient", run_id: str, model_id: str, record: Record) -> None:
    """Log parameters, inputs and metrics; the metrics are the model's on the holdout."""
    from mlflow.entities import DatasetInput, InputTag, Metric, Param

    params = [Param(name, str(value)) for name, value in record.params.items()]
    for start in range(0, len(params), AT_ONCE):
        client.log_batch(run_id, params=params[start : start + AT_ONCE])
    inputs = {part: _dataset(part, record) for part in record.datasets}
    tagged = [DatasetInput(d, [InputTag("mlflow.data.context", p)]) for p, d in inputs.items()]
    _log_inputs(client, run_id, tagged)
    now, holdout = int(time.time() * 1000), inputs["holdout"]
    metrics = [
        Metric(name, value, now, 0, model_id, holdout.name, holdout.digest)
        for name, value in record.metrics.items()
    ]
    client.log_batch(run_id, metrics=metrics)


def _log_inputs(client: "MlflowClient", run_id: str, inputs: "list[DatasetInput]") -> None:
    """Log the inputs; again, if another machine logs the same in this very moment: a server on
    PostgreSQL refuses one of the two, and finds what the other wrote afterwards."""
    from mlflow.exceptions import MlflowException

    try:
        client.log_inputs(run_id, inputs)
    except MlflowException as error:
        if "dataset" not in str(error):
            raise
        client.log_inputs(run_id, inputs)


def _dataset(part: str, record: Record) -> "Dataset":
    from mlflow.entities import Dataset

    batches = record.datasets[part]
    # MLflow keeps 36 characters of a digest; the batches' own stand whole in the profile
    digest = files.digest_of(part, *(f"{b['period']} {b['sha256']}" for b in batches))[:36]
    profile = {"rows": sum(b["rows"] for b in batches), "batches": list(batches)}
    source = {"uri": paths.ACCEPTED.as_posix()}
    return Dataset(part, digest, "local", json.dumps(source), profile=json.dumps(profile))
