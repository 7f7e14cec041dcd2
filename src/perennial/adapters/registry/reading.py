"""What else a registry knows of its versions: tags, and the files kept with their runs."""

import tempfile
from pathlib import Path

from perennial.adapters.registry import connection, database


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


def run_file(uri: str, run_id: str, name: str) -> bytes | None:
    """Return a file that was kept with a run, by its path there; None if it isn't there.

    Nothing is checked here: whoever asks knows its digest.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    path = database.path_of(uri)
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
