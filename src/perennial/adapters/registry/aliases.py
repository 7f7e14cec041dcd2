"""Aliases of versions. On SQLite they are set without MLflow, whose import takes longer than all
else that a rollback does; where its schema is another, MLflow does it."""

from perennial.adapters.registry import connection, database


def alias_version(uri: str, model: str, alias: str) -> str | None:
    """Return the version that an alias points to, or None.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    path = database.path_of(uri)
    rows = None if path is None else database.select(path, database.ALIAS, (model, alias))
    if rows is not None:
        return str(rows[0][0]) if rows else None
    with connection.client(uri) as client:
        found = client.search_registered_models(f"name = '{model}'")
        version = found[0].aliases.get(alias) if found else None
        return None if version is None else str(version)


def point(uri: str, model: str, alias: str, version: str) -> None:
    """Point an alias to a version that is there.

    Raises:
        UnreachableError: the registry can't be reached or written.
    """
    if alias_version(uri, model, alias) == version:
        return
    if not _changed(uri, database.POINT, (alias, model, version)):
        with connection.client(uri) as client:
            client.set_registered_model_alias(model, alias, version)


def drop_alias(uri: str, model: str, alias: str) -> None:
    """Have an alias point to nothing.

    Raises:
        UnreachableError: the registry can't be reached or written.
    """
    if alias_version(uri, model, alias) is None:
        return
    if not _changed(uri, database.UNPOINT, (model, alias)):
        with connection.client(uri) as client:
            client.delete_registered_model_alias(model, alias)


def _changed(uri: str, statement: str, values: tuple[str, ...]) -> bool:
    """Change a SQLite registry without MLflow; False if that is not to be done."""
    path = database.path_of(uri)
    if path is None:
        return False
    with connection.held(uri):
        return database.change(path, statement, values)
