"""Batches checked against the contract, each once: what is known by content is not checked again.

A check is kept in `.perennial/validations`, so a run that has seen every batch imports no Great
Expectations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial import paths
from perennial.adapters import expectations, files, progress
from perennial.adapters.expectations import Contract
from perennial.adapters.parquet import batches
from perennial.core.incoming import arrivals, contents
from perennial.errors import InputError, for_each
from perennial.stages.labelling import Arrived

DOCS_CONTENT = paths.DATA_DOCS / "content.json"


@dataclass(frozen=True)
class Checked:
    """A batch, its digest, and what is kept of its check.

    Attributes:
        arrived: The batch, and what of it is checked.
        sha256: Of the batch's own file.
        key: The name of the check.
        kept: `rows`, `types` of the columns in the contract, the digest of its `content`, columns
            likely `renamed`, and Great Expectations' own `result`.
        new: Whether it was checked now.
    """

    arrived: Arrived
    sha256: str
    key: str
    kept: Mapping[str, Any]
    new: bool


def check(
    arrived: Sequence[Arrived], contract: Contract, target: str, pii: Sequence[str]
) -> list[Checked]:
    """Check what is not known by content; write Data Docs of all.

    Args:
        arrived: The batches.
        contract: What is expected of them; without `target`, where labels have not come.
        target: The column that labels bring.
        pii: Columns whose values are kept nowhere.

    Raises:
        InputError: batches can't be read (all are named, and none is checked), or the contract
            names what there is not.
    """
    unlabelled = expectations.without(contract, target)
    asked = [contract if item.labelled else unlabelled for item in arrived]
    keys = [
        wanted.key(item.batch.period, files.sha256(item.source), pii)
        for item, wanted in zip(arrived, asked, strict=True)
    ]
    known = {key: kept for key in keys if (kept := _known(key)) is not None}
    new = {key: item for key, item in zip(keys, arrived, strict=True) if key not in known}
    # all are read through before any is checked, so that all unreadable ones are named at once;
    # none is kept, so that memory is bounded by the largest batch
    for_each(lambda item: batches.read_through(item.source), new.values())
    for wanted in (contract, unlabelled):
        part = {
            key: new[key]
            for key, its in zip(keys, asked, strict=True)
            if its is wanted and key in new
        }
        known |= _check(part, expectations.Checker(wanted, pii)) if part else {}
    periods = [item.batch.period for item in arrived]
    _write_data_docs(dict(zip(periods, keys, strict=True)), known, contract)
    return [
        Checked(item, files.sha256(item.batch.path), key, known[key], key in new)
        for item, key in zip(arrived, keys, strict=True)
    ]


def _known(key: str) -> dict[str, Any] | None:
    try:
        return files.read_json(paths.VALIDATIONS / f"{key}.json", "")
    except InputError:  # never checked, or the file was damaged: check (again)
        return None


def _check(new: Mapping[str, Arrived], checker: expectations.Checker) -> dict[str, dict[str, Any]]:
    expected = checker.contract.expectations
    wanted = arrivals.columns_of(expected)
    kept: dict[str, dict[str, Any]] = {}
    for key, item in progress.track(new.items(), len(new), "Validating batches"):
        frame = batches.read(item.source)
        # of its own file: rows that wait for labels are a copy as well
        own = frame if item.source == item.batch.path else batches.read(item.batch.path)
        kept[key] = {
            "rows": len(frame),
            "types": contents.types(frame, wanted),
            "content": contents.rows_digest(own),
            "renamed": arrivals.renamed(expected, frame),
            "result": checker.check(item.batch.period, frame),
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
