"""What a registered version was made of, as its run has it; and what of it shows single rows."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perennial.adapters.registry import connection
from perennial.adapters.registry.records import Version


def batches_of(uri: str, version: Version) -> dict[str, list[dict[str, Any]]]:
    """Return the batches of each part that a version was made of; none where its run is gone.

    Raises:
        UnreachableError: the registry can't be reached or read.
    """
    if version.run_id is None:
        return {}
    with connection.client(uri) as client:
        inputs = client.get_run(version.run_id).inputs
        datasets = [item.dataset for item in inputs.dataset_inputs]
        return {d.name: json.loads(d.profile or "{}").get("batches", []) for d in datasets}


def drop_files(uri: str, version: Version, names: Sequence[str]) -> list[str]:
    """Remove files and folders of a version's run where they are in a folder of this machine.

    Returns:
        Those that are elsewhere, where only their owner can remove them.
    """
    if version.run_id is None:
        return []
    with connection.client(uri) as client:
        location = str(client.get_run(version.run_id).info.artifact_uri).removeprefix("file://")
    if not location.startswith("/"):
        return [f"{location}/{name}" for name in names]
    for name in names:
        path = Path(location) / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return []
