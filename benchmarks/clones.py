"""Fresh clones of HEAD, and what a command in one sees."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def fresh(folder: Path) -> None:
    """Clone HEAD into a folder, as if nothing had run in it."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    # its reports are committed, so DVC would take a stage that writes nothing else for done
    (folder / "dvc.lock").unlink()


def environment(folder: Path) -> dict[str, str]:
    """Return the variables with which a clone's own code is run, with bytecode, as in the
    Makefile."""
    found = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = f"{BIN}{os.pathsep}{found['PATH']}"
    return {**found, "PATH": path, "PYTHONPATH": str(folder / "src")}
