"""MLflow as the registry: it remembers every candidate that may go into production.

What is asked on every run is read from SQLite itself (`database`); MLflow is imported only where
something is written, or where the registry is a server.
"""

import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote

from perennial.adapters.registry import aliases, checking, connection, database, keeping, writing
from perennial.adapters.registry.aliases import alias_version, drop_alias
from perennial.adapters.registry.keeping import drop, kept, kept_file
from perennial.adapters.registry.reading import (
    Remembered,
    follow,
    is_moved,
    remembered,
    tags,
)
from perennial.adapters.registry.records import (
    BUNDLE,
    FILES_TAG,
    KEPT_TAG,
    SIGNATURE_TAG,
    Record,
    Version,
)
from perennial.errors import InputError, IntegrityError, UnreachableError

__all__ = [
    "Record",
    "Remembered",
    "Version",
    "alias_version",
    "download",
    "drop",
    "drop_alias",
    "faults",
    "find_version",
    "follow",
    "is_moved",
    "kept",
    "kept_file",
    "register",
    "remembered",
    "resolve",
    "set_alias",
    "sign",
    "tags",
    "versions",
]


def resolve(uri: str | None) -> str:
    """Return the registry's address as the other functions take it.

    Args:
        uri: `registry.uri` of params.yaml; None means SQLite in the project's folder.

    Raises:
        InputError: MLflow can't work in a folder of that name, or the environment lacks what the
            address names.
    """
    uri = None if uri is None else connection.filled_in(uri)
    path = database.own() if uri is None else database.path_of(uri)
    if path is None:
        return str(uri).rstrip("/")
    plain = str(path.resolve())
    if "?" in plain or unquote(plain) != plain:
        raise InputError(
            f"{plain}: MLflow takes the ? or % in it for part of an address, and would write "
            "somewhere else",
            "Move the project to a folder without them in its name.",
        )
    return f"{database.SCHEME}{plain}"


def versions(uri: str, model: str) -> list[Version]:
    """Return the registered versions of a model, oldest first; none if there is no registry yet.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    path = database.path_of(uri)
    rows = None if path is None else database.select(path, database.VERSIONS, (model,))
    if rows is not None:
        return [Version(str(version), *rest) for version, *rest in rows]
    with connection.client(uri) as client:
        found, token = [], None
        while True:
            page = client.search_model_versions(f"name = '{model}'", page_token=token)
            for item in page:
                tagged = [item.tags.get(tag) for tag in (FILES_TAG, SIGNATURE_TAG, KEPT_TAG)]
                known = (item.tags.get("digest"), item.run_id, str(item.source), *tagged)
                found.append(Version(str(item.version), *known))
            token = page.token
            if not token:
                return sorted(found, key=lambda version: int(version.version))


def find_version(uri: str, model: str, digest: str) -> str | None:
    """Return the version that is registered under a digest, if its files are still there.

    Each file in a folder is compared with its digest; what a server holds is not fetched for it.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    known = _known(uri, model, digest)
    return known.version if known is not None and _is_there(uri, model, known) else None


def register(uri: str, record: Record) -> Version:
    """Register a candidate, once for a digest; a version that lost its files gets them back.

    In a database one process registers at a time. A server has no such lock: of two machines that
    register the same digest in the same seconds each makes a version, and the later one takes its
    own back.

    Raises:
        UnreachableError: the registry can't be reached or written, or another process holds it.
    """
    with connection.client(uri) as client:
        known = _known(uri, record.model, record.digest)
        if known is None:
            made = writing.new_version(client, record, _root(uri))
            first = _known(uri, record.model, record.digest) or made
            if first.version != made.version:
                client.delete_model_version(record.model, made.version)
            return first
        folder = _folder(known)
        if folder is not None and not _is_there(uri, record.model, known):
            writing.restore(client, uri, known, folder, record)
        return known


def set_alias(uri: str, model: str, alias: str, version: str) -> None:
    """Point an alias to a version.

    Raises:
        InputError: there is no such version.
        UnreachableError: the registry can't be reached or written.
    """
    _named(uri, model, version)
    aliases.point(uri, model, alias, version)


def download(uri: str, model: str, version: str, folder: Path) -> Path:
    """Fetch a version's bundle into `folder`, in place of what is there, and return `folder`.

    Nothing is checked here: `bundles.read` does that, with the digest that is expected.

    Raises:
        InputError: there is no such version.
        IntegrityError: its files are gone.
        UnreachableError: the registry can't be reached or read.
    """
    found = _named(uri, model, version)
    here = _folder(found)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetched-") as temporary:
        fetched = Path(temporary) / BUNDLE.name
        if here is not None and _is_elsewhere(uri, here):
            raise UnreachableError(
                f"registry {connection.shown(uri)}: the files of {model} version {version} are in "
                f"{here}, which is not on this machine",
                "Fetch it where it was registered, or let machines share a tracking server, which "
                "keeps the files (`mlflow server --artifacts-destination`).",
            )
        if here is None:
            with connection.client(uri):
                from mlflow.artifacts import download_artifacts

                source = f"{found.location}/{BUNDLE.as_posix()}"
                download_artifacts(source, dst_path=temporary, tracking_uri=uri)
        elif (here / BUNDLE).is_dir():
            shutil.copytree(here / BUNDLE, fetched)
        if not fetched.is_dir():
            where = connection.shown(uri)
            raise IntegrityError(
                f"registry {where}: the files of {model} version {version} are gone",
                "Run `dvc repro`, which puts the candidate's back, or choose another version.",
            )
        shutil.rmtree(folder, ignore_errors=True)
        fetched.replace(folder)
    return folder


def sign(uri: str, model: str, version: Version) -> None:
    """Sign a version by the key of the environment, in place of a signature that it has.

    Raises:
        InputError: the environment has no key.
        UnreachableError: the registry can't be reached or written.
    """
    with connection.client(uri) as client:
        writing.sign(client, model, version, _folder(version))


def faults(uri: str, model: str, version: Version) -> list[str]:
    """Return what of a version's files is not as it was registered: bundle, code, MLmodel, and
    what is kept beside the model.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    return _model_faults(uri, model, version) + keeping.faults(uri, version)


def _model_faults(uri: str, model: str, version: Version) -> list[str]:
    here = _folder(version)
    if here is not None:
        return checking.faults(here, model, version)
    with tempfile.TemporaryDirectory(prefix="perennial-verify-") as temporary:
        with connection.client(uri):
            from mlflow.artifacts import download_artifacts

            got = download_artifacts(version.location, dst_path=temporary, tracking_uri=uri)
        return checking.faults(Path(got), model, version)


def _root(uri: str) -> Path | None:
    """Return where a new experiment keeps its files; None leaves it to the server."""
    if (path := database.path_of(uri)) is not None:
        return database.files_of(path)
    # MLflow's own choice for a database is `mlruns` in the current folder
    return None if uri.startswith(("http://", "https://")) else database.files_of(database.own())


def _known(uri: str, model: str, digest: str) -> Version | None:
    """Return the first version with that digest."""
    return next((v for v in versions(uri, model) if v.digest == digest), None)


def _named(uri: str, model: str, version: str) -> Version:
    found = {v.version: v for v in versions(uri, model)}
    if version not in found:
        there = ", ".join(found) or "none"
        raise InputError(
            f"registry {connection.shown(uri)}: {model} has no version {version}, but {there}",
            "Name a version that is there, or run `dvc repro` to register the candidate.",
        )
    return found[version]


def _folder(version: Version) -> Path | None:
    """Return the folder of a version's files; None if they are not in a folder of this machine."""
    path = version.location.removeprefix("file://")
    return Path(path) if path.startswith("/") else None


def _is_elsewhere(uri: str, folder: Path) -> bool:
    """Return whether a version's files are in a folder of another machine, or of a project there.

    A database that machines share names folders that only one of them has.
    """
    root = _root(uri)
    if root is None or database.path_of(uri) is not None or folder.is_relative_to(root):
        return False
    # <experiment>/models/<model id>/artifacts
    return not any(parent.is_dir() for parent in list(folder.parents)[:3])


def _is_there(uri: str, model: str, version: Version) -> bool:
    """Return whether a version's files are where they belong, every one as it was.

    What a server or another machine holds is taken to be there.
    """
    folder, path = _folder(version), database.path_of(uri)
    if folder is None or _is_elsewhere(uri, folder):
        return True
    if path == database.own() and not folder.resolve().is_relative_to(database.files_of(path)):
        return False  # the project was moved or copied, and its database names the files of old
    return not checking.faults(folder, model, version)
