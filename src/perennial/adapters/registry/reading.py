"""What the registry remembers of versions, and the files that were kept with them."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.adapters.registry import connection, database
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


def kept(uri: str, version: Version, folder: str) -> dict[str, bytes]:
    """Return the files that were kept with a version in `folder`, by name; none if it has none.

    Nothing is checked here: the version's tags have the digests of those that matter.

    Args:
        uri: Of the registry.
        version: The version.
        folder: As its record names it.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    if version.run_id is None:
        return {}
    with connection.client(uri) as client, tempfile.TemporaryDirectory() as temporary:
        from mlflow.artifacts import download_artifacts

        listed = client.list_artifacts(version.run_id, folder)
        names = [item.path for item in listed if not item.is_dir]
        found = {}
        for name in names:
            there = download_artifacts(
                run_id=version.run_id, artifact_path=name, dst_path=temporary, tracking_uri=uri
            )
            found[Path(name).name] = Path(there).read_bytes()
        return found


def tags(uri: str, model: str) -> dict[str, dict[str, str]]:
    """Return each version's tags, by version.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    path = database.path_of(uri)
    rows = None if path is None else database.select(path, database.TAGS, (model,))
    found: dict[str, dict[str, str]] = {}
    if rows is not None:
        for version, key, value in rows:
            found.setdefault(str(version), {})[key] = value
        return found
    with connection.client(uri) as client:
        token = None
        while True:
            page = client.search_model_versions(f"name = '{model}'", page_token=token)
            found |= {str(item.version): dict(item.tags) for item in page}
            token = page.token
            if not token:
                return found


def kept_file(uri: str, version: Version, name: str) -> bytes | None:
    """Return one file that was kept with a version, by its path there; None if it isn't there.

    Nothing is checked here: whoever asks knows its digest.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    run_id, path = version.run_id, database.path_of(uri)
    if run_id is None:
        return None
    rows = None if path is None else database.select(path, database.RUN, (run_id,))
    if rows is not None and (not rows or str(rows[0][0]).startswith("/")):
        file = Path(rows[0][0]) / name if rows else None
        return file.read_bytes() if file is not None and file.is_file() else None
    with connection.client(uri) as client, tempfile.TemporaryDirectory() as folder:
        there = client.list_artifacts(run_id, str(Path(name).parent))
        if not any(each.path == name for each in there):
            return None
        return Path(client.download_artifacts(run_id, name, folder)).read_bytes()


def is_moved(uri: str) -> bool:
    """Return whether a SQLite registry's folder was moved, and its paths lead to the old place."""
    path = database.path_of(uri)
    return path == database.own() and path.exists() and database.is_elsewhere(path)


def follow(uri: str) -> None:
    """Let the paths of a SQLite registry follow its folder.

    Raises:
        UnreachableError: another process holds it, or it can't be written.
    """
    with connection.held(uri):
        return


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
