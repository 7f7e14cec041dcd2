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
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not path.is_file():
        return {}
    try:
        content: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
        return {
            name: hashlib.sha256(files.exact_json_bytes(entry)).hexdigest()
            for name, entry in sorted(content.get("stages", {}).items())
        }
    except (YAMLError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not readable as a lock file: {error}", REMEDY) from error
