"""deploy/compose.yaml without Docker: its services as processes of this machine, each with the
command, the environment, the order and the health check that the file gives it."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tests.served import clean, free_port, until

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())[
    "services"
]


class Composed:
    """Services that are up, by name; `ports` says which port of this machine stands for which."""

    def __init__(self, folder: Path, given: Mapping[str, str], ports: Mapping[int, int]) -> None:
        self.folder, self.given, self.ports = folder, given, dict(ports)
        self.up: dict[str, list[subprocess.Popen[bytes]]] = {}

    def here(self, text: str) -> str:
        """Return a text of the file as it reads on this machine."""
        text = re.sub(r"\$\{(\w+):[?-][^}]*\}", lambda found: self.given.get(found[1], ""), text)
        text = text.replace("/project/.venv/bin/", f"{PROGRAMS}/").replace("0.0.0.0", "127.0.0.1")
        text = text.replace("/project", str(self.folder))
        names = "|".join(map(re.escape, (*SERVICES, "localhost")))
        text = re.sub(
            rf"\b(?:{names}):(\d+)", lambda found: f"127.0.0.1:{self.port(found[1])}", text
        )
        opened = r"(--port=|--dashboard-address=:)(\d+)"
        return re.sub(opened, lambda found: f"{found[1]}{self.port(found[2])}", text)

    def port(self, inside: str) -> int:
        return self.ports.setdefault(int(inside), free_port())

    def start(self, name: str) -> None:
        """Start a service after those that it depends on, and wait until it is healthy."""
        service = SERVICES[name]
        for other, wanted in service.get("depends_on", {}).items():
            assert wanted == {"condition": "service_healthy"}
            if other not in self.up:
                self.start(other)
        own = {k: self.here(v) for k, v in service.get("environment", {}).items()}
        source = {"PYTHONPATH": str(self.folder / "src"), "TEST_PROJECT": str(self.folder)}
        environment = clean(self.folder, **source, **own)
        command = [self.here(word) for word in service["command"]]
        self.up[name] = []
        for _ in range(service.get("deploy", {}).get("replicas", 1)):
            with (self.folder.parent / f"{name}.log").open("ab") as log:
                started = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env=environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.up[name].append(started)
        if "healthcheck" in service:
            until(
                lambda: self.healthy(name), 180, lambda: f"{shlex.join(command)}\n{self.said(name)}"
            )

    def healthy(self, name: str) -> bool:
        """Ask the service's own health check."""
        _, *command = map(self.here, SERVICES[name]["healthcheck"]["test"])
        asked = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        return asked.returncode == 0

    def said(self, name: str) -> str:
        return (self.folder.parent / f"{name}.log").read_text(errors="replace")[-4000:]

    def end(self) -> None:
        """End all, the last that was started first, as Compose does."""
        for started in reversed([one for several in self.up.values() for one in several]):
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                started.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)


@contextmanager
def composed(folder: Path, password: str, postgres: int) -> Iterator[Composed]:
    """Yield services to start over the project in `folder`.

    Args:
        folder: What the volume of the project is.
        password: Of PostgreSQL's user, as it stands in an address.
        postgres: The port of PostgreSQL, which is no program of the image: it is up already.
    """
    services = Composed(folder, {"POSTGRES_PASSWORD": password}, {5432: postgres})
    services.up["postgres"] = []
    try:
        yield services
    finally:
        services.end()
