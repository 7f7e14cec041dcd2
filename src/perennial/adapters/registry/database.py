"""The registry's SQLite database, read and put right without MLflow, whose import alone costs more
than a whole run in which nothing is stale."""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.errors import UnreachableError

SCHEME = "sqlite:///"
REMEDY = (
    "Run again; if the file is damaged, move it away first: `dvc repro` registers the candidate in "
    "a new one."
)

VERSIONS = """
SELECT v.version, t.value, v.run_id, v.storage_location, f.value, s.value, k.value
FROM model_versions v
LEFT JOIN model_version_tags t ON t.name = v.name AND t.version = v.version AND t."key" = 'digest'
LEFT JOIN model_version_tags f ON f.name = v.name AND f.version = v.version AND f."key" = 'files'
LEFT JOIN model_version_tags s
    ON s.name = v.name AND s.version = v.version AND s."key" = 'signature'
LEFT JOIN model_version_tags k ON k.name = v.name AND k.version = v.version AND k."key" = 'kept'
WHERE v.name = ? AND v.current_stage IS NOT 'Deleted_Internal' ORDER BY v.version
"""
ALIAS = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
TAGS = 'SELECT version, "key", value FROM model_version_tags WHERE name = ?'
RUN = "SELECT artifact_uri FROM runs WHERE run_uuid = ?"
POINT = """
INSERT INTO registered_model_aliases (workspace, name, alias, version)
SELECT workspace, name, ?, version FROM model_versions WHERE name = ? AND version = ?
ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version
"""
UNPOINT = "DELETE FROM registered_model_aliases WHERE name = ? AND alias = ?"
TABLES = "SELECT count(*) FROM sqlite_master"
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def path_of(uri: str) -> Path | None:
    """Return the database's path; None if the address is no SQLite database's."""
    return Path(uri.removeprefix(SCHEME)) if uri.startswith(SCHEME) else None


def own() -> Path:
    """Return the path of the project's own database."""
    return (paths.REGISTRY / "registry.db").resolve()


def files_of(database: Path) -> Path:
    """Return where a SQLite registry keeps its files: beside the database."""
    return database.parent / "artifacts"


def select(database: Path, query: str, values: Sequence[str]) -> list[tuple[Any, ...]] | None:
    """Return the rows of a query; none if there is no database, None if only MLflow can say.

    Raises:
        UnreachableError: the file is no database, or can't be read.
    """
    if not database.exists():
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()
    except sqlite3.Error as error:
        if str(error).startswith("no such"):  # table or column: another MLflow's schema
            return None
        raise UnreachableError(f"registry {database}: {error}", REMEDY) from error


def change(database: Path, statement: str, values: Sequence[str]) -> bool:
    """Change the database, whole or not at all; False if only MLflow can: it has another schema.

    Raises:
        UnreachableError: the file is no database, or can't be written.
    """
    try:
        with contextlib.closing(sqlite3.connect(database)) as db, db:
            db.execute(statement, values)
    except sqlite3.Error as error:
        if str(error).startswith(("no such", "table registered_model_aliases has no", "ON CONF")):
            return False
        raise UnreachableError(f"registry {database}: {error}", REMEDY) from error
    return True


def is_elsewhere(database: Path) -> bool:
    """Return whether the database's paths lead to where its folder was before it was moved."""
    known = select(database, "SELECT name, artifact_location FROM experiments", ()) or []
    here = files_of(database)
    return any(
        location.endswith(f"/{here.name}/{name}") and location != f"{here}/{name}"
        for name, location in known
    )


def rebase(database: Path) -> None:
    """Let the paths in the database follow its folder, where that was moved or copied.

    MLflow keeps absolute paths only, and would go on reading and writing in the old place.
    """
    here = files_of(database)
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        known = db.execute("SELECT name, artifact_location FROM experiments").fetchall()
        olds = {
            location.removesuffix(f"/{name}")
            for name, location in known
            if location.endswith(f"/{here.name}/{name}")
        }
        for old in sorted(olds - {str(here)}):
            for table, column in LOCATIONS:
                db.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?)"  # noqa: S608
                    f" WHERE substr({column}, 1, ?) = ?",
                    (str(here), len(old) + 1, len(old) + 1, f"{old}/"),
                )
