"""What is kept with a version beside its model: reports, plots and what it was made from.

All of it is in the manifest `kept.json`, whose digest is a tag of the version.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters import bundles
from perennial.adapters.registry import connection, database
from perennial.adapters.registry.records import KEPT, KEPT_TAG, Record, Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def write(client: "MlflowClient", run_id: str, record: Record) -> str:
    """Keep a record's files with a run, and their manifest; return the manifest's digest."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for folder, sources in record.artifacts.items():
            for source in sources:
                copy = root / folder / source.name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(source, copy) if source.is_dir() else shutil.copyfile(source, copy)
        _drop_empty_folders(root)
        digest = bundles.seal(root, KEPT)
        client.log_artifacts(run_id, temporary)
    return digest


def _drop_empty_folders(root: Path) -> None:
    """Take away folders with nothing in them, as the plots of fairness are where no attribute is
    sensitive: not every store of artifacts can hold one."""
    for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def kept(uri: str, version: Version, folder: str) -> dict[str, bytes]:
    """Return the files that were kept with a version in `folder`, by name; none if it has none.

    Nothing is checked here: the version's tags have the digests of those that matter.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    if version.run_id is None:
        return {}
    with connection.client(uri) as client, tempfile.TemporaryDirectory() as temporary:
        from mlflow.artifacts import download_artifacts

        listed = client.list_artifacts(version.run_id, folder)
        found = {}
        for name in [item.path for item in listed if not item.is_dir]:
            there = download_artifacts(
                run_id=version.run_id, artifact_path=name, dst_path=temporary, tracking_uri=uri
            )
            found[Path(name).name] = Path(there).read_bytes()
        return found


def kept_file(uri: str, version: Version, name: str) -> bytes | None:
    """Return one file that was kept with a version, by its path there; None if it isn't there.

    Nothing is checked here: whoever asks knows its digest.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    if version.run_id is None:
        return None
    if (here := _known_here(uri, version.run_id)) is not None:
        return (here / name).read_bytes() if (here / name).is_file() else None
    with connection.client(uri) as client, tempfile.TemporaryDirectory() as folder:
        there = client.list_artifacts(version.run_id, str(Path(name).parent))
        if not any(each.path == name for each in there):
            return None
        return Path(client.download_artifacts(version.run_id, name, folder)).read_bytes()


def faults(uri: str, version: Version) -> list[str]:
    """Return what of the files that are kept with a version is not as it was registered.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    if version.kept is None or version.run_id is None:
        return ["is registered without the digests of what is kept with it"]
    with _folder(uri, version.run_id) as folder:
        found = bundles.faults(folder, version.kept, KEPT)
        return [fault.removeprefix(f"{folder}/") for fault in found]


def drop(uri: str, model: str, version: Version, names: Sequence[str]) -> list[str]:
    """Remove files and folders that are kept with a version, and their entries in the manifest,
    where they are in a folder of this machine.

    Returns:
        Those that are elsewhere, where only their owner can remove them.
    """
    if version.run_id is None:
        return []
    with connection.client(uri) as client:
        location = _location(client, version.run_id)
        if not location.startswith("/"):
            return [f"{location}/{name}" for name in names]
        for path in (Path(location) / name for name in names):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if (Path(location) / KEPT).is_file():
            digest = bundles.leave_out(Path(location), KEPT, names)
            client.set_model_version_tag(model, version.version, KEPT_TAG, digest)
    return []


def put_aside(client: "MlflowClient", run_id: str) -> None:
    """Rename the folder of what is kept with a run, if it is on this machine: nothing is lost."""
    folder = Path(_location(client, run_id))
    if folder.is_absolute() and folder.is_dir():
        number = sum(1 for _ in folder.parent.glob(f"{folder.name}.damaged-*")) + 1
        folder.rename(folder.with_name(f"{folder.name}.damaged-{number}"))


def _location(client: "MlflowClient", run_id: str) -> str:
    """Return where a run's files are: a path, if it is on this machine, or an address."""
    return str(client.get_run(run_id).info.artifact_uri).removeprefix("file://")


def _known_here(uri: str, run_id: str) -> Path | None:
    """Return the folder of a run as a SQLite registry names it, asked without MLflow."""
    path = database.path_of(uri)
    rows = None if path is None else database.select(path, database.RUN, (run_id,))
    if not rows or not str(rows[0][0]).startswith("/"):
        return None
    return Path(rows[0][0])


@contextmanager
def _folder(uri: str, run_id: str) -> Iterator[Path]:
    """Yield a folder with all that is kept with a run, fetched if it is on a server."""
    if (here := _known_here(uri, run_id)) is not None:
        yield here
        return
    with connection.client(uri) as client, tempfile.TemporaryDirectory() as temporary:
        location = _location(client, run_id)
        if location.startswith("/"):
            yield Path(location)
            return
        from mlflow.artifacts import download_artifacts

        yield Path(download_artifacts(location, dst_path=temporary, tracking_uri=uri))
