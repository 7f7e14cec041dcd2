"""Databases: the rows of a query, by SQLAlchemy. Its password is never shown or written."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import Any

from perennial.errors import InputError, UnreachableError

PASSWORD = "PERENNIAL_DATABASE_PASSWORD"  # noqa: S105  the variable's name
ROWS = 50_000


@contextlib.contextmanager
def opened(address: str, query: str | None) -> Iterator[tuple[list[str], Iterator[Any], str, str]]:
    """Yield a query's columns, its rows as Arrow record batches, the address without its password,
    and a name.

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
    engine = _engine(url, shown)
    try:
        with engine.connect() as connection:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=ROWS)
            result = streaming.execute(sqlalchemy.text(query))
            if not result.returns_rows:
                raise InputError("--query: returns no rows", "Give a select.")
            yield list(result.keys()), _blocks(result), shown, _name(url.database)
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


def _engine(url: Any, shown: str) -> Any:
    import sqlalchemy
    from sqlalchemy import exc

    try:
        return sqlalchemy.create_engine(url)
    except ModuleNotFoundError as error:
        remedy = f"Install it into .venv: pip install {error.name}"
        raise InputError(f"--data {shown}: the driver {error.name} is missing", remedy) from error
    except exc.NoSuchModuleError as error:
        remedy = "Name one that SQLAlchemy knows, such as postgresql, mysql, sqlite."
        raise InputError(f"--data {shown}: no such kind of database", remedy) from error


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


def _blocks(result: Any) -> Iterator[Any]:
    import pyarrow as pa

    while rows := result.fetchmany(ROWS):
        columns = [_column(list(values)) for values in zip(*rows, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, names=[str(n) for n in range(len(columns))])


def _column(values: list[Any]) -> Any:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds & {bytes, bytearray, memoryview}:
        return pa.nulls(len(values), pa.binary())  # left out
    if len(kinds) < 2 and uuid.UUID not in kinds:
        with contextlib.suppress(pa.ArrowException, TypeError, OverflowError):
            return pa.array(values)
    # kinds mixed, as SQLite allows: each as it is written
    return pa.array([None if v is None else str(v) for v in values], type=pa.string())
