"""What can go wrong with a registry: away, slow, none, or not allowed."""

import http.server
import json
import shutil
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
from perennial.core.model.candidate import Candidate, to_artefacts
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


LOCKING = (
    "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
    "db.execute(sys.argv[2]); print('held', flush=True); sys.stdin.read()"
)


@pytest.mark.parametrize("how", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"])
def test_a_database_that_another_process_has_locked_is_exit_4_in_bounded_time(
    project: Project, candidates: dict[str, Candidate], how: str
) -> None:
    """Nothing is half registered, and the same call works when the lock is gone."""
    bundles.write(project.folder / paths.CANDIDATE, to_artefacts(candidates["logistic"]))
    path = project.folder / paths.REGISTRY / "registry.db"
    holder = subprocess.Popen(
        [sys.executable, "-c", LOCKING, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="locked") as error:
            registry.register(project.uri, record(project))
        assert error.value.exit_code == 4
        assert time.monotonic() - began < 60
    finally:
        holder.kill()
        holder.wait()
    assert registry.register(project.uri, record(project)).version == "2"
    assert len(registry.versions(project.uri, NAME)) == 2


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
