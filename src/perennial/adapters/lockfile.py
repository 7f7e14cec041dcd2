"""dvc.lock: what each stage of the DAG read and made, by digest."""

import hashlib
from pathlib import Path
from typing import Any

from perennial.adapters import files
from perennial.errors import InputError

REMEDY = "Restore dvc.lock from Git (`git checkout dvc.lock`), then run `dvc repro`."


def stage_digests(path: Path) -> dict[str, str]:
    """Return one SHA-256 a stage, of all that the lock file says of it; none if there is no file.

    Raises:
        InputError: the file can't be read as a lock file.
    """
    if not path.is_file():
        return {}
    entries = stages(path.read_bytes(), str(path))
    return {name: digest_of(entry) for name, entry in sorted(entries.items())}


def digest_of(entry: Any) -> str:
    """Return one SHA-256 of all that a lock file says of a stage."""
    return hashlib.sha256(files.exact_json_bytes(entry)).hexdigest()


def stages(content: bytes, name: str = "dvc.lock") -> dict[str, dict[str, Any]]:
    """Return what a lock file says of each stage, in its own order.

    Args:
        content: The file's.
        name: What messages call it.

    Raises:
        InputError: it can't be read as a lock file.
    """
    from ruamel.yaml.error import YAMLError

    try:
        parsed = _parsed(content) or {}
        found = {str(stage): dict(entry) for stage, entry in parsed.get("stages", {}).items()}
        for entry in found.values():
            files.exact_json_bytes(entry)
    except (YAMLError, UnicodeDecodeError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{name}: not readable as a lock file: {error}", REMEDY) from error
    return found


def md5_of(entries: dict[str, dict[str, Any]], path: Path, kind: str) -> str | None:
    """Return the MD5 that a lock file has for a path among the `outs` or `deps` of its stages."""
    named = [each for entry in entries.values() for each in entry.get(kind, ())]
    return next((each.get("md5") for each in named if each["path"] == path.as_posix()), None)


def pointed(content: bytes) -> str | None:
    """Return the MD5 that a `.dvc` file's content names; None if it names none."""
    from ruamel.yaml.error import YAMLError

    try:
        return str(_parsed(content)["outs"][0]["md5"])
    except (YAMLError, UnicodeDecodeError, TypeError, LookupError):
        return None


def _parsed(content: bytes) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(content.decode("utf-8"))
