"""A client of MLflow that is quiet, that gives up soon, and that finds a database ready."""

import contextlib
import errno
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from perennial.adapters import files
from perennial.adapters.registry import database, postgres
from perennial.errors import InputError, UnreachableError
from perennial.names import REFERENCE

if TYPE_CHECKING:
    from mlflow import MlflowClient

WAIT = 120  # seconds for another process that registers, which takes a few
ANSWER = 5  # seconds for a server's first answer
SERVER_REMEDY = (
    "Start the server, or correct registry.uri in params.yaml (null: in this folder); run again."
)
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


@contextlib.contextmanager
def client(uri: str) -> "Iterator[MlflowClient]":
    """Yield a client; a registry in a database is made if need be, and is nobody else's meanwhile.

    Raises:
        InputError: PostgreSQL's driver is not installed.
        OSError: the disk is full.
        UnreachableError: the registry doesn't answer, refuses, or is held by another process.
    """
    _require_answer(uri)
    _quiet()
    import requests
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with held(uri):
            yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except (MlflowException, SQLAlchemyError, sqlite3.Error, requests.RequestException) as error:
        if "disk is full" in str(error):  # SQLite's words for ENOSPC
            full = errno.ENOSPC
            raise OSError(full, os.strerror(full), str(database.path_of(uri))) from error
        raise _unreachable(uri, str(error)) from error


@contextlib.contextmanager
def held(uri: str) -> Iterator[None]:
    """Hold the lock of a registry's database, SQLite's file there and its paths right."""
    path = database.path_of(uri)
    if path is None:
        with contextlib.ExitStack() as until_the_end:
            if postgres.is_one(uri):
                try:
                    until_the_end.enter_context(postgres.held(uri, WAIT))
                except TimeoutError as error:
                    raise busy(uri) from error
            yield
        return
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"), timeout=WAIT, is_singleton=True)  # so it may nest
    try:
        lock.acquire()
    except Timeout as error:
        raise busy(uri) from error
    try:
        if not path.exists() or path.stat().st_size == 0:
            _create(path)
        database.select(path, database.TABLES, ())  # MLflow would try a damaged one for minutes
        if path == database.own():
            database.rebase(path)
        yield
    finally:
        lock.release()


def _create(path: Path) -> None:
    """Make the database under another name, then rename it: MLflow's migrations, killed in the
    middle, leave one that they can't finish."""
    from mlflow import MlflowClient

    with files.replacing(path) as temporary:
        MlflowClient(tracking_uri=f"{database.SCHEME}{temporary}").search_registered_models()


def _quiet() -> None:
    """Say, before MLflow is imported, what it must not send, print, load or wait for."""
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        DO_NOT_TRACK="true",
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
        MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING="false",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
        MLFLOW_UV_AUTO_DETECT="false",
        MLFLOW_SQLALCHEMYSTORE_POOLCLASS="NullPool",  # or it keeps a database that was removed
    )
    if "PERENNIAL_DEBUG" not in os.environ:  # a failure is raised, and told once
        os.environ["MLFLOW_LOGGING_LEVEL"] = "CRITICAL"
        logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # if it is imported already
    for name, value in (("MAX_RETRIES", "1"), ("BACKOFF_FACTOR", "1"), ("TIMEOUT", "30")):
        os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_{name}", value)


def _require_answer(uri: str) -> None:
    """Check that a server is there at all: MLflow would retry for minutes.

    Raises:
        UnreachableError: it isn't.
    """
    address = urlsplit(uri)
    if not address.hostname:
        return
    import http.client
    import socket
    import ssl
    import urllib.error
    import urllib.request

    try:
        if address.scheme in ("http", "https"):
            urllib.request.urlopen(shown(uri), timeout=ANSWER).close()  # noqa: S310
        elif (kind := address.scheme.partition("+")[0]) in PORTS:
            there = (address.hostname, address.port or PORTS[kind])
            socket.create_connection(there, ANSWER).close()
    except urllib.error.HTTPError:
        return  # an answer, if not a kind one
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, ssl.SSLError):  # MLflow may know a certificate that we don't
            raise _unreachable(uri, str(reason) or type(error).__name__) from error


def filled_in(uri: str) -> str:
    """Return an address with what the environment has in place of each `${NAME}`.

    Raises:
        InputError: the environment has no such variable.
    """
    names = dict.fromkeys(REFERENCE.findall(uri))
    if lacking := [name for name in names if not os.environ.get(name)]:
        raise InputError(
            [f"registry.uri: {name}: not set in the environment" for name in lacking],
            "Set it where this runs; it is never written down.",
        )
    whole = REFERENCE.fullmatch(uri)
    if whole:
        return os.environ[whole[1]]
    return REFERENCE.sub(lambda found: quote(os.environ[found[1]], safe=""), uri)


def busy(uri: str) -> UnreachableError:
    """Return the error for a registry that another process holds."""
    return UnreachableError(
        f"registry {shown(uri)}: another process has been writing to it for {WAIT} seconds",
        "Wait until it has ended, then run again.",
    )


def _unreachable(uri: str, reason: str) -> UnreachableError:
    for secret in _secrets(uri):
        reason = reason.replace(secret, "…")
    told = " ".join(reason.split())
    return UnreachableError(
        f"registry {shown(uri)}: {told[:300]}",
        SERVER_REMEDY if database.path_of(uri) is None else database.REMEDY,
    )


def _secrets(uri: str) -> list[str]:
    """Return what of an address is nobody's business, as written and as meant; longest first."""
    address = urlsplit(uri)
    user = address.username if address.scheme in ("http", "https") else None
    query = [value for _, value in parse_qsl(address.query)]
    known = [text for text in (address.password, user, *query) if text]
    return sorted({form for text in known for form in (text, unquote(text))}, key=len)[::-1]


def shown(uri: str) -> str:
    """Return the address as messages may have it: a path, or a server's without user and query."""
    address = urlsplit(uri)
    plain = address._replace(netloc=address.netloc.rpartition("@")[2], query="").geturl()
    return str(database.path_of(uri) or plain)
