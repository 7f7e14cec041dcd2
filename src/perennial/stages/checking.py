"""Batches checked against the contract, each once: what is known by content is not checked again.

A check is kept in `.perennial/validations`, so a run that has seen every batch imports no Great
Expectations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import batches, expectations, files, progress
from perennial.adapters.batches import Batch
from perennial.adapters.expectations import Contract
from perennial.core import arrivals
from perennial.errors import InputError, for_each

if TYPE_CHECKING:
    import pandas as pd

DOCS_CONTENT = paths.DATA_DOCS / "content.json"


@dataclass(frozen=True)
class Checked:
    """A batch, its digest, and what is kept of its check.

    Attributes:
        batch: The batch.
        sha256: Of its file.
        key: The name of the check.
        kept: `rows`, `types` of the columns in the contract, columns likely `renamed`, and Great
            Expectations' own `result`.
        new: Whether it was checked now.
    """

    batch: Batch
    sha256: str
    key: str
    kept: Mapping[str, Any]
    new: bool


def check(found: Sequence[Batch], contract: Contract) -> list[Checked]:
    """Check the batches that are not known by content; write Data Docs of all.

    Raises:
        InputError: batches can't be read (all are named, and none is checked), or the contract
            names what there is not.
    """
    digests = [files.sha256(batch.path) for batch in found]
    keys = [contract.key(b.period, sha256) for b, sha256 in zip(found, digests, strict=True)]
    known = {key: kept for key in keys if (kept := _known(key)) is not None}
    new = {key: b for key, b in zip(keys, found, strict=True) if key not in known}
    # all are read before any is checked, so that all unreadable ones are named at once
    frames = dict(zip(new, for_each(lambda b: batches.read(b.path), new.values()), strict=True))
    known |= _check(new, frames, contract) if new else {}
    _write_data_docs({b.period: key for b, key in zip(found, keys, strict=True)}, known, contract)
    return [
        Checked(batch, sha256, key, known[key], key in new)
        for batch, sha256, key in zip(found, digests, keys, strict=True)
    ]


def _known(key: str) -> dict[str, Any] | None:
    try:
        return files.read_json(paths.VALIDATIONS / f"{key}.json", "")
    except InputError:  # never checked, or the file was damaged: check (again)
        return None


def _check(
    new: Mapping[str, Batch], frames: "dict[str, pd.DataFrame]", contract: Contract
) -> dict[str, dict[str, Any]]:
    checker = expectations.Checker(contract)
    wanted = arrivals.columns_of(contract.expectations)
    kept: dict[str, dict[str, Any]] = {}
    for key, batch in progress.track(new.items(), len(new), "Validating batches"):
        frame = frames.pop(key)
        kept[key] = {
            "rows": len(frame),
            "types": {str(n): str(t) for n, t in frame.dtypes.items() if n in wanted},
            "renamed": arrivals.renamed(contract.expectations, frame),
            "result": checker.check(batch.period, frame),
        }
        files.write_json(paths.VALIDATIONS / f"{key}.json", kept[key])
    return kept


def _write_data_docs(
    wanted: Mapping[str, str], kept: Mapping[str, Mapping[str, Any]], contract: Contract
) -> None:
    """Write Data Docs of these checks, unless these very ones are what is there."""
    try:
        if files.read_json(DOCS_CONTENT, "") == wanted:
            return
    except InputError:  # no Data Docs, or half of them
        pass
    results = {period: kept[key]["result"] for period, key in wanted.items()}
    expectations.Checker(contract).write_data_docs(results, paths.DATA_DOCS)
    files.write_json(DOCS_CONTENT, wanted)
