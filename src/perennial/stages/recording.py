"""What a version is made from, written down as files: the state of the code and the environment.

dvc.lock, the plan, the parameters and champion.json are files already. Only what stages read counts
as code, so nothing else that lies about in the folder gets into the registry.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files, git, lockfile, machine

FOLDER = paths.STATE / "origin"
DAG = Path("dvc.yaml")
CODE = (
    Path("src"),
    DAG,
    paths.PARAMS,
    paths.EXPECTATIONS,
    machine.LOCK,
    Path("pyproject.toml"),
    Path(".dvcignore"),
)
# a new file is recorded with its content only if it looks like source
SOURCES = {".py", ".json", ".yaml", ".yml", ".toml", ".lock", ".html", ".jinja", ".j2", ".css"}
LARGEST = 2**20  # bytes of a new file
SECRET = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY")
SHORTEST = 8  # characters of a secret; what is shorter is found anywhere
PRIVATE_KEY = b"PRIVATE KEY-----"


def record(ignoring: Sequence[Path]) -> list[Path]:
    """Write the files, below `FOLDER`, and return them: code.json, environment.json, and code.diff
    where something that stages read differs from the commit.

    Args:
        ignoring: What runs and promotions write, which makes the code no other.
    """
    state, difference = _code(ignoring)
    written = {"code.json": state, "environment.json": machine.describe()}
    for name, content in written.items():
        files.write_json(FOLDER / name, content)
    found = [FOLDER / name for name in written]
    if difference:
        files.write_bytes(FOLDER / "code.diff", difference)
        found.append(FOLDER / "code.diff")
    return found


def _code(ignoring: Sequence[Path]) -> tuple[dict[str, Any], bytes]:
    """Return the state of the code, and the difference of what stages read to the commit."""
    commit = git.commit()
    changed = git.changed(CODE) if commit else {}
    entries = [_entry(path, state) for path, state in changed.items()]
    difference = git.diff([Path(e["path"]) for e in entries if e["content"]]) if entries else b""
    why = "Git could not write it" if difference is None else _secret(difference)
    kept = b"" if why is not None or difference is None else difference
    state = {
        "schema_version": 1,
        "commit": commit,
        "dirty": git.dirty(ignoring=ignoring),
        "changed": entries,
        # dvc.lock keeps what it had of stages that are no more
        "stages": sorted(lockfile.stages(DAG.read_bytes(), str(DAG))) if DAG.is_file() else None,
        "diff_sha256": hashlib.sha256(kept).hexdigest() if kept else None,
        "left_out": why,
    }
    return state, kept


def _entry(name: str, state: str) -> dict[str, Any]:
    """Return what is said of a file that differs; `content` is whether the difference has it."""
    path = Path(name)
    is_file = path.is_file() and not path.is_symlink()
    source = path.suffix in SOURCES and is_file and path.stat().st_size <= LARGEST
    return {
        "path": name,
        "state": state,
        "sha256": files.sha256(path) if is_file else None,
        "content": state != "new" or source,
    }


def _secret(difference: bytes) -> str | None:
    """Return why a difference must not be kept: it holds a secret, as far as can be told."""
    if PRIVATE_KEY in difference:
        return "it holds a private key"
    for name, value in sorted(os.environ.items()):
        secret = any(word in name.upper() for word in SECRET) and len(value) >= SHORTEST
        if secret and value.encode(errors="surrogateescape") in difference:
            return f"it holds the value of the environment's {name}"
    return None
