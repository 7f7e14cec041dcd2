"""What is installed: known vulnerabilities are found by the real pip-audit, and all of it is in the
bill of materials."""

import http.server
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AUDIT = ROOT / "supply_chain/audit.py"
LOCK = "".join(f"{name}==1.0 \\\n    --hash=sha256:{'a' * 64}\n" for name in ("alpha", "beta"))
ADVISORY = {
    "id": "GHSA-0000-0000-0000",
    "aliases": ["CVE-2026-0001"],
    "summary": "reads any file",
    "affected": [
        {
            "package": {"name": "beta", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
            "versions": ["1.0"],
        }
    ],
}


@contextmanager
def advisories(of: str | None) -> Iterator[str]:
    """An advisory database that speaks OSV's protocol and knows of one package."""

    class Database(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(405)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = {"vulns": [ADVISORY]} if asked["package"]["name"] == of else {}
            content = json.dumps(known).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def audit(
    folder: Path, url: str, lock: str = LOCK, ignored: str = ""
) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("pip_audit", reason="pip-audit is not installed: `make setup`")
    (folder / "lock").write_text(lock)
    (folder / "ignored.toml").write_text(ignored)
    command = [sys.executable, str(AUDIT), "--osv-url", url]
    command += ["--lock", str(folder / "lock"), "--ignored", str(folder / "ignored.toml")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def entry(**changes: str) -> str:
    keys = {
        "id": '"CVE-2026-0001"',
        "package": '"beta"',
        "why": '"we read no file with it"',
        "until": "2999-01-01",
    }
    lines = [f"{key} = {value}" for key, value in {**keys, **changes}.items()]
    return "\n".join(["[[ignore]]", *lines])


def test_a_known_vulnerability_fails_the_audit_and_is_named(tmp_path: Path) -> None:
    with advisories("beta") as url:
        done = audit(tmp_path, url)
    assert done.returncode == 1
    for told in ("beta 1.0", "GHSA-0000-0000-0000", "CVE-2026-0001", "fixed in 1.1"):
        assert told in done.stderr
    assert "alpha" not in done.stderr


def test_a_sound_lock_passes(tmp_path: Path) -> None:
    with advisories(None) as url:
        done = audit(tmp_path, url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 packages audited" in done.stdout


def test_one_that_may_stay_is_told_with_its_reason(tmp_path: Path) -> None:
    with advisories("beta") as url:
        done = audit(tmp_path, url, ignored=entry())
    assert done.returncode == 0
    assert "stays, beta: we read no file with it" in done.stdout


@pytest.mark.parametrize(
    "fault", [{"why": '""'}, {"until": "2020-01-01"}, {"until": '"never"'}, {"reason": '"x"'}]
)
def test_one_that_stays_without_a_reason_or_for_ever_is_refused(
    tmp_path: Path, fault: dict[str, str]
) -> None:
    assert audit(tmp_path, "http://127.0.0.1:1", ignored=entry(**fault)).returncode == 2


def test_offline_it_says_so_and_does_not_fail(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = audit(tmp_path, f"http://127.0.0.1:{port}")
    assert done.returncode == 0
    assert "Not audited" in done.stdout


def test_a_lock_without_hashes_is_no_sound_one(tmp_path: Path) -> None:
    """It is not the database's fault, so it is not passed over as if we were offline."""
    with advisories(None) as url:
        done = audit(tmp_path, url, lock="alpha==1.0\n")
    assert done.returncode == 2, done.stdout


def test_the_shipped_list_of_what_may_stay_is_in_order() -> None:
    sys.path.insert(0, str(AUDIT.parent))
    try:
        pytest.importorskip("pip_audit", reason="pip-audit is not installed: `make setup`")
        from datetime import UTC, datetime

        import audit as module

        today = datetime.now(UTC).date()
        assert module.ignored(AUDIT.with_name("ignored.toml"), today)[1] == []
    finally:
        sys.path.remove(str(AUDIT.parent))


@pytest.mark.long
def test_the_bill_of_materials_has_all_that_the_lock_has(tmp_path: Path) -> None:
    """Each package at its version, and the same bytes for the same environment."""
    pytest.importorskip("cyclonedx_py", reason="cyclonedx-bom is not installed: `make setup`")
    recipe = re.search(r"^sbom:.*?\n\n", (ROOT / "Makefile").read_text(), re.M | re.S)
    assert recipe is not None
    assert "cyclonedx-py environment" in recipe[0]
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment"]
    command += ["--pyproject", "pyproject.toml", "--output-reproducible", "--output-format", "JSON"]
    made = tmp_path / "sbom.json"
    subprocess.run([*command, "--output-file", str(made), sys.executable], cwd=ROOT, check=True)
    content = json.loads(made.read_text())
    assert content["bomFormat"] == "CycloneDX"
    assert content["metadata"]["component"]["name"] == "perennial"
    assert "timestamp" not in content["metadata"]
    there = {(plain(item["name"]), item["version"]) for item in content["components"]}
    pinned = re.findall(
        r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.M
    )
    assert len(pinned) > 100
    assert {(plain(name), version) for name, version in pinned} - there == set()


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
