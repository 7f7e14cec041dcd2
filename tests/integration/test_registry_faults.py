"""What can go wrong with a registry: away, slow, none, or not allowed."""

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.integration.registered import (
    NAME,
    Project,
    record,
)

from perennial import paths
from perennial.adapters import bundles, files, registry
from perennial.errors import InputError, IntegrityError, UnreachableError


def asked(uri: str) -> None:
    start = time.perf_counter()
    with pytest.raises(UnreachableError) as error:
        registry.find_version(uri, NAME, "0" * 64)
    assert error.value.exit_code == 4
    assert "secret" not in str(error.value)
    assert time.perf_counter() - start < 10


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked(f"http://127.0.0.1:{port}")
    asked(f"http://user:secret@127.0.0.1:{port}")
    asked(f"postgresql://user:secret@127.0.0.1:{port}/mlflow")


@pytest.mark.slow
def test_a_tracking_server_serves_as_well_as_a_file(
    registered: Project, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Registered once, found, named by alias and fetched, with its files behind the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri, state = f"http://127.0.0.1:{port}", f"sqlite:///{tmp_path / 's.db'}"
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", state, "--artifacts-destination", str(tmp_path / "files")]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": ""}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(600):
            with contextlib.suppress(UnreachableError):
                assert registry.versions(uri, NAME) == []
                break
            time.sleep(0.2)
        for _ in range(2):
            assert registry.register(uri, record(registered)).version == "1"
        assert registry.find_version(uri, NAME, registered.digest) == "1"
        registry.set_alias(uri, NAME, "champion", "1")
        assert registry.alias_version(uri, NAME, "champion") == "1"
        folder = registry.download(uri, NAME, "1", tmp_path / "bundle")
        assert bundles.is_whole(folder, registered.digest)
        plan = (registered.folder / paths.PLAN).read_bytes()
        (known,) = registry.remembered(uri, NAME, registry.versions(uri, NAME))
        assert known.datasets == json.loads(plan)["parts"]
        assert registry.kept(uri, known.version, "origin") == {"plan.json": plan}
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    assert capfd.readouterr() == ("", ""), "no banner, no warning, no progress bar"


def test_a_server_that_never_answers_is_told_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perennial.adapters.registry.connection.ANSWER", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        asked(f"http://127.0.0.1:{silent.getsockname()[1]}")


class NotMlflow(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_that_is_no_mlflow_is_told_without_the_password() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), NotMlflow) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        asked(f"http://user:secret@127.0.0.1:{other.server_address[1]}")
        other.shutdown()


def test_a_file_that_is_no_database_is_named(registered: Project, tmp_path: Path) -> None:
    """By what reads and by what writes, and MLflow is not left to try again and again."""
    uri = f"sqlite:///{tmp_path / 'registry.db'}"
    (tmp_path / "registry.db").write_bytes(b"not a database" * 100)
    asked(uri)
    with pytest.raises(UnreachableError, match="not a database"):
        registry.register(uri, record(registered))


def test_a_folder_name_that_mlflow_would_misread_is_refused(tmp_path: Path) -> None:
    for name in ("a?b", "a%20b"):
        with pytest.raises(InputError, match="somewhere else"):
            registry.resolve(f"sqlite:///{tmp_path / name / 'registry.db'}")


@pytest.mark.parametrize("change", ["blocked", "another candidate", "damaged candidate"])
def test_only_what_the_gate_let_pass_is_registered(project: Project, change: str) -> None:
    from perennial.stages.register import register

    gate = json.loads((project.folder / paths.GATE_REPORT).read_text())
    if change == "blocked":
        gate["verdict"] = "block"
    elif change == "another candidate":
        gate["candidate"] = "0" * 64
    else:
        (project.folder / paths.CANDIDATE / "member-00.ubj").write_bytes(b"")
    files.write_json(paths.GATE_REPORT, gate)
    shutil.rmtree(project.folder / paths.REGISTRY)
    with pytest.raises(InputError if change == "blocked" else IntegrityError):
        register()
    assert not (project.folder / paths.REGISTRY).exists()
