"""Databases: the rows of a query, by SQLAlchemy. Its password is never shown or written."""

import os
from typing import Any

from perennial.adapters.intake.table import require_room
from perennial.errors import InputError, UnreachableError

PASSWORD = "PERENNIAL_DATABASE_PASSWORD"  # noqa: S105  the variable's name
ROWS = 50_000


def read(address: str, query: str | None) -> tuple[Any, str, str]:
    """Return a query's rows as an Arrow table, the address without its password, and a name.

    Raises:
        InputError: address or query is wrong, or a driver is missing.
        UnreachableError: the database can't be reached.
    """
    import sqlalchemy
    from sqlalchemy import exc

    try:
        url = sqlalchemy.make_url(address)
    except exc.ArgumentError as error:
        remedy = "Write it as postgresql://user@host/database; docs/your-own-data.md says more."
        raise InputError("--data: no address of a database", remedy) from error
    if not query or not query.strip():
        raise InputError(
            f"--data {_shown(url)}: which rows? --query is missing",
            'Add --query "select … from …".',
        )
    if url.password is None and os.environ.get(PASSWORD):
        url = url.set(password=os.environ[PASSWORD])
    shown = _shown(url)
    if url.drivername.startswith("sqlite") and not _is_file(url.database):
        raise InputError(f"--data {shown}: no such file", "Name a database that is there.")
    try:
        engine = sqlalchemy.create_engine(url)
    except ModuleNotFoundError as error:
        remedy = f"Install it into .venv: pip install {error.name}"
        raise InputError(f"--data {shown}: the driver {error.name} is missing", remedy) from error
    except exc.NoSuchModuleError as error:
        remedy = "Name one that SQLAlchemy knows, such as postgresql, mysql, sqlite."
        raise InputError(f"--data {shown}: no such kind of database", remedy) from error
    try:
        return _rows(engine, query, shown), shown, _name(url.database)
    except exc.OperationalError as error:
        told = _told(error)
        if url.drivername.startswith("sqlite"):  # a wrong query, as there is no server
            raise InputError(f"--query: {told}", "Correct the query.") from error
        remedy = f"Is it running, and is the password right? It may be in {PASSWORD}."
        raise UnreachableError(f"{shown}: can't be read: {told}", remedy) from error
    except exc.SQLAlchemyError as error:
        raise InputError(f"--query: {_told(error)}", "Correct the query.") from error
    finally:
        engine.dispose()


def _shown(url: Any) -> str:
    """Return an address without its password, and without options, which may hold one."""
    return str(url.set(query={}).render_as_string(hide_password=True))


def _is_file(path: str | None) -> bool:
    return path is not None and os.path.isfile(path)  # noqa: PTH113


def _name(database: str | None) -> str:
    return (database or "database").replace("\\", "/").rsplit("/", 1)[-1].split(".")[0]


def _told(error: Exception) -> str:
    """Return the database's own words, without SQLAlchemy's and the statement."""
    own = getattr(error, "orig", None) or error
    return " ".join(str(own).split())[:300]


def _rows(engine: Any, query: str, shown: str) -> Any:
    import pyarrow as pa
    import sqlalchemy

    tables, count = [], 0
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, max_row_buffer=ROWS)
        result = streaming.execute(sqlalchemy.text(query))
        if not result.returns_rows:
            raise InputError("--query: returns no rows", "Give a select.")
        names = list(result.keys())
        while rows := result.fetchmany(ROWS):
            count += len(rows)
            require_room(shown, 0, count, len(names))
            tables.append([list(column) for column in zip(*rows, strict=True)])
    columns = [
        _column([value for part in tables for value in part[place]]) for place in range(len(names))
    ]
    return pa.table(columns, names=names)


def _column(values: list[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, OverflowError):  # kinds mixed, as SQLite allows
        return pa.array([None if v is None else str(v) for v in values], type=pa.string())
