"""Files: every write is a temporary file, fsync and rename, so that no half file is taken for
whole; every read that can fail says which file and what to do. `configuration` has params.yaml."""

import contextlib
import glob
import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from perennial.errors import InputError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the place of `path`.

    What writers of the same path have left who were killed is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    # mkstemp makes files nobody else may read; what a project shares must follow the umask
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    temporary = Path(name)
    try:
        lock(handle)  # until the end: it says that the writer lives
        yield temporary
        _sync(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def remove_unfinished(path: Path) -> None:
    """Remove what a killed process left of `path`. Nobody else may be writing it."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}{re.escape(path.suffix)}")
    for file in path.parent.iterdir() if path.parent.is_dir() else ():
        if ours.fullmatch(file.name):
            file.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write sorted, indented JSON with floats to 9 significant digits; NaN becomes null."""
    write_bytes(path, json_bytes(content))


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return the bytes that `write_json` writes: the same for the same values, anywhere."""
    text = json.dumps(
        _jsonable(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False
    )
    return f"{text}\n".encode()


def exact_json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return sorted JSON with every float exact: for what is read back and computed with."""
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: missing or no JSON object; `remedy` says what to do about it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file", remedy) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as JSON: {error}", remedy) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__}, not an object", remedy)
    return content


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(*parts: str | bytes | Mapping[str, Any]) -> str:
    """Return one SHA-256 for several parts, each set apart from the next."""
    digest = hashlib.sha256()
    for part in parts:
        content = json_bytes(part) if isinstance(part, Mapping) else part
        content = content.encode() if isinstance(content, str) else content
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def _sweep(path: Path) -> None:
    """Remove temporary files of `path` that no living process writes."""
    random = "[a-z0-9_]" * 8  # as `tempfile` names them
    for left in path.parent.glob(f".{glob.escape(path.name)}.{random}{glob.escape(path.suffix)}"):
        with contextlib.suppress(OSError):  # another one removes it, or it isn't ours to remove
            handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if lock(handle):
                    # SQLite's journals of it first: without it, nobody would look for them
                    for journal in left.parent.glob(f"{glob.escape(left.name)}-*"):
                        journal.unlink()
                    left.unlink()
            finally:
                os.close(handle)


def lock(handle: int) -> bool:
    """Lock an open file unless somebody has; return whether it is ours.

    The lock is the process's, so a kill ends it. False also where the file system has no locks.
    """
    import fcntl  # a model is loaded on systems that have none, and nothing is written there

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_jsonable(item) for item in items]
    if hasattr(value, "item") and not isinstance(value, str | bytes):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.9g}") + 0.0 if math.isfinite(value) else None  # -0.0 is 0.0
    return value
