"""What is said about a version when it is registered, and what is known of it afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

BUNDLE = Path("artifacts/bundle")  # the candidate's bundle, within a version's files
FILES = "files.json"  # there too: the manifest of all of them
SIGNATURE = "signature.json"  # there too, where it was signed
SIGNATURE_TAG = "signature"
FILES_TAG = "files"  # and where its digest is in the registry's database
KEPT = "kept.json"  # the manifest of what is kept with a version's run
KEPT_TAG = "kept"


@dataclass(frozen=True)
class Version:
    """A registered version; `location` is where its files are, as the registry has it.

    `digest` is its bundle's, `files` that of the manifest of all its files, code included;
    `signature` is of both, if it was signed; `kept` the digest of the manifest of what is kept
    beside the model.
    """

    version: str
    digest: str | None
    run_id: str | None
    location: str
    files: str | None = None
    signature: str | None = None
    kept: str | None = None


@dataclass(frozen=True)
class Record:
    """All that is recorded of a candidate.

    `inputs` are the raw columns that it predicts from and what as, `example` a few rows of just
    these; `datasets` the batches of each part as the plan names them; `artifacts` the files and
    folders that are kept with the run, by their folder there.
    """

    model: str
    digest: str
    bundle: Path
    inputs: Mapping[str, str]
    example: "pd.DataFrame"
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    datasets: Mapping[str, Sequence[Mapping[str, Any]]]
    artifacts: Mapping[str, Sequence[Path]]
    tags: Mapping[str, str]
