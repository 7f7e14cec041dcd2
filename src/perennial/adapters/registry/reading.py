"""What the registry's database remembers of versions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
