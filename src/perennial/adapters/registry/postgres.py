"""A registry in a PostgreSQL database, without a server of MLflow's before it.

Machines that register at once would each make a version of the same candidate, and MLflow's
migrations of a fresh database crash where two run them. PostgreSQL's advisory locks keep both
apart: they end with their connection, so a kill leaves none.
"""

import contextlib
import time
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from perennial.errors import InputError

KEY = 0x706572656E  # "peren", one lock for all that Perennial writes into a database
EVERY = 0.2  # seconds between two tries
DRIVER = "psycopg2"
_holding: set[str] = set()


def is_one(uri: str) -> bool:
    """Return whether the address is a PostgreSQL database's."""
    return urlsplit(uri).scheme.partition("+")[0] == "postgresql"


@contextlib.contextmanager
def held(uri: str, wait: float) -> Iterator[None]:
    """Hold the database's lock; within one process it may nest.

    Args:
        uri: The address, `postgresql://…`; what it leaves out, such as the password, libpq takes
            from its environment (PGPASSWORD, PGPASSFILE, PGSSLMODE, …).
        wait: Seconds for whoever holds it.

    Raises:
        InputError: the driver is not installed.
        TimeoutError: it is still held after that time.
    """
    if uri in _holding:
        yield
        return
    if urlsplit(uri).scheme == "postgresql" and find_spec(DRIVER) is None:
        raise InputError(
            "registry.uri names a PostgreSQL database, and its driver is not installed",
            "pip install 'perennial[postgres]'; a tracking server's address needs none.",
        )
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        asked = sqlalchemy.text(f"SELECT pg_try_advisory_lock({KEY})")
        until = time.monotonic() + wait
        while not connection.execute(asked).scalar():
            connection.rollback()
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(EVERY)
        connection.commit()  # the lock is the session's: no transaction stays open for it
        _holding.add(uri)
        try:
            yield
        finally:
            _holding.discard(uri)
