"""Where a registry may be: SQLite, PostgreSQL, and a tracking server before either."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

SECRET = "s3cr et/@"  # what an address must have percent-encoded


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path, state: str, port: int | None = None) -> Iterator[str]:
    """Start a tracking server that keeps files in `folder`; yield its address."""
    port = port or free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", state, "--artifacts-destination", str(folder / "files")]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": ""}
    with (folder / "log").open("a") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + 180
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, (folder / "log").read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(30)


class Cluster:
    """A PostgreSQL server of the tests' own."""

    def __init__(self, binaries: Path, folder: Path, port: int) -> None:
        self.binaries, self.folder, self.port = binaries, folder, port

    def uri(self, name: str) -> str:
        """Make a database and return its address."""
        self.ask(f"CREATE DATABASE {name}")
        return f"postgresql://perennial:s3cr%20et%2F%40@127.0.0.1:{self.port}/{name}"

    def ask(self, statement: str) -> str:
        command = [str(self.binaries / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U"]
        command += ["perennial", "-d", "postgres", "-At", "-c", statement]
        environment = {**os.environ, "PGPASSWORD": SECRET}
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()


def _found() -> Path:
    """Return where PostgreSQL's programs are, or skip, saying why."""
    if find_spec("psycopg2") is None:
        pytest.skip("PostgreSQL's driver is not installed: pip install 'perennial[postgres]'")
    on_path = Path(shutil.which("initdb") or "/nowhere/initdb").resolve().parent
    for folder in (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), on_path):
        if all((folder / name).is_file() for name in ("initdb", "postgres", "psql")):
            return folder
    pytest.skip("PostgreSQL is not installed: on Debian, `apt-get install postgresql`")


def _user() -> pwd.struct_passwd | None:
    """Return whom PostgreSQL is to run as, which refuses root; None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL refuses root, and there is no user `postgres`")


@contextlib.contextmanager
def clustered() -> Iterator[Cluster]:
    """Start a PostgreSQL server that asks for a password, on loopback; or skip, saying why."""
    binaries, user = _found(), _user()
    who = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # not below pytest's folder, which only its owner may enter
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as temporary:
        folder, port = Path(temporary), free_port()
        (folder / "password").write_text(SECRET)
        if user is not None:
            for path in (folder, folder / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        initdb = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "perennial"]
        initdb += ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        done = subprocess.run(
            initdb, cwd=folder, capture_output=True, text=True, check=False, **who
        )  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr
        command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-h", "127.0.0.1"]
        command += ["-p", str(port), "-k", str(folder), "-c", "fsync=off"]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **who)  # type: ignore[call-overload]
        try:
            cluster = Cluster(binaries, folder, port)
            until = time.monotonic() + 60
            while True:
                with contextlib.suppress(subprocess.CalledProcessError):
                    cluster.ask("SELECT 1")
                    break
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.1)
            yield cluster
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown
            server.wait(30)


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'registry.db'}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A tracking server on SQLite."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, f"sqlite:///{folder / 's.db'}") as uri:
        yield uri


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with clustered() as started:
        yield started


@pytest.fixture(scope="session")
def database(cluster: Cluster) -> str:
    """A PostgreSQL database that all tests of a process share."""
    return cluster.uri("shared")


@pytest.fixture(scope="session")
def server_on_postgres(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("server"), cluster.uri("served")) as uri:
        yield uri
