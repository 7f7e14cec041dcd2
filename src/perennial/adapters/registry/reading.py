"""What the registry remembers of versions, and the files that were kept with them."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.adapters.registry import connection
from perennial.adapters.registry.records import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Remembered:
    """What is remembered of a version: its tags, its run's parameters, and the batches of each
    part, as its plan named them."""

    version: Version
    tags: Mapping[str, str]
    params: Mapping[str, str]
    datasets: Mapping[str, Sequence[Mapping[str, Any]]]


def remembered(uri: str, model: str, versions: Sequence[Version]) -> list[Remembered]:
    """Return what is remembered of each of `versions`, in their order.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    if not versions:
        return []
    with connection.client(uri) as client:
        return [_remembered(client, model, version) for version in versions]


def kept(
    uri: str, version: Version, folder: str, only: Sequence[str] | None = None
) -> dict[str, bytes]:
    """Return the files that were kept with a version in `folder`, by name; none if it has none.

    Nothing is checked here: the version's tags have the digests of those that matter.

    Args:
        uri: Of the registry.
        version: The version.
        folder: As its record names it.
        only: The files to fetch; all if None.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    if version.run_id is None:
        return {}
    with connection.client(uri) as client, tempfile.TemporaryDirectory() as temporary:
        from mlflow.artifacts import download_artifacts

        listed = client.list_artifacts(version.run_id, folder)
        files = [item.path for item in listed if not item.is_dir]
        names = [name for name in files if only is None or Path(name).name in only]
        found = {}
        for name in names:
            there = download_artifacts(
                run_id=version.run_id, artifact_path=name, dst_path=temporary, tracking_uri=uri
            )
            found[Path(name).name] = Path(there).read_bytes()
        return found


def _remembered(client: "MlflowClient", model: str, version: Version) -> Remembered:
    tags = dict(client.get_model_version(model, version.version).tags)
    if version.run_id is None:
        return Remembered(version, tags, {}, {})
    run = client.get_run(version.run_id)
    datasets = {}
    for item in run.inputs.dataset_inputs if run.inputs else ():
        profile = json.loads(item.dataset.profile or "{}")
        datasets[str(item.dataset.name)] = list(profile.get("batches", ()))
    return Remembered(version, tags, dict(run.data.params), datasets)
