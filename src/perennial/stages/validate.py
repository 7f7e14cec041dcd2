"""Stage validate: each batch against the data contract, once; the accepted ones go on.

A check is kept by content in `.perennial/validations`, so a run that has seen every batch imports
no Great Expectations. `data/batches` is only read: a batch that fails is not copied, no more.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import batches, expectations, files, progress
from perennial.adapters.configuration import read_params
from perennial.core.findings import findings, why
from perennial.errors import InputError
from perennial.stages.running import run

if TYPE_CHECKING:
    import pandas as pd

DOCS_CONTENT = paths.DATA_DOCS / "content.json"


@dataclass(frozen=True)
class Checked:
    """A batch, its digest, the name of its check, and what was kept of the check, if any."""

    batch: batches.Batch
    sha256: str
    key: str
    kept: dict[str, Any] | None


def validate() -> None:
    """Check the batches up to data.as_of, write the report and the accepted batches.

    Raises:
        InputError: batches can't be read, the contract is wrong, batches fail under
            `on_failure: stop`, or none is accepted.
    """
    params = read_params("data", "validation")
    contract = expectations.load(paths.EXPECTATIONS / params.validation.suite)
    seen = [_look_up(b, contract) for b in batches.find(paths.BATCHES, params.data.as_of)]
    new = [item for item in seen if item.kept is None]
    kept = {item.key: item.kept for item in seen if item.kept is not None}
    kept |= _check(new, contract)
    _write_data_docs({item.batch.period: item.key for item in seen}, kept, contract)

    stop = params.validation.on_failure == "stop"
    entries = [_entry(item, kept[item.key], stop) for item in seen]
    report = {"schema_version": 1, "suite": contract.sha256, "batches": entries}
    files.write_json(paths.VALIDATION_REPORT, report)
    _accept(seen, entries, contract, stop)
    _say(entries, len(new))


def _look_up(batch: batches.Batch, contract: expectations.Contract) -> Checked:
    sha256 = files.sha256(batch.path)
    key = contract.key(batch.period, sha256)
    try:
        kept = files.read_json(paths.VALIDATIONS / f"{key}.json", "")
    except InputError:  # never checked, or the file was damaged: check (again)
        kept = None
    return Checked(batch, sha256, key, kept)


def _check(new: Sequence[Checked], contract: expectations.Contract) -> dict[str, dict[str, Any]]:
    if not new:
        return {}
    frames = _read(new)
    checker = expectations.Checker(contract)
    kept = {}
    for item in progress.track(new, len(new), "Validating batches"):
        frame = frames.pop(item.batch.period)
        result = checker.check(item.batch.period, frame)
        kept[item.key] = {"rows": len(frame), "result": result}
        files.write_json(paths.VALIDATIONS / f"{item.key}.json", kept[item.key])
    return kept


def _read(new: Sequence[Checked]) -> "dict[str, pd.DataFrame]":
    """Read all of them before any is checked, so that all unreadable ones are named at once."""
    frames: dict[str, pd.DataFrame] = {}
    faults: list[str] = []
    remedies: dict[str, None] = {}  # keeps their order
    for item in new:
        try:
            frames[item.batch.period] = batches.read(item.batch.path)
        except InputError as error:
            faults += error.faults
            remedies[error.remedy] = None
    if faults:
        raise InputError(faults, " ".join(remedies))
    return frames


def _write_data_docs(
    wanted: Mapping[str, str],
    kept: Mapping[str, Mapping[str, Any]],
    contract: expectations.Contract,
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


def _entry(item: Checked, kept: Mapping[str, Any], stop: bool) -> dict[str, Any]:
    found = findings(kept["result"])
    expected = kept["result"]["statistics"]["evaluated_expectations"]
    success = not found["failures"]
    return {
        "period": item.batch.period,
        "sha256": item.sha256,
        "rows": kept["rows"],
        "success": success,
        "quarantined": not success and not stop,
        "why": why(found["failures"], kept["rows"], expected),
        **found,
    }


def _accept(
    seen: Sequence[Checked],
    entries: Sequence[Mapping[str, Any]],
    contract: expectations.Contract,
    stop: bool,
) -> None:
    if paths.ACCEPTED.exists():
        shutil.rmtree(paths.ACCEPTED)
    failed = [
        f"{item.batch.path}: {entry['why']}"
        for item, entry in zip(seen, entries, strict=True)
        if not entry["success"]
    ]
    if failed and (stop or len(failed) == len(seen)):
        raise InputError(
            failed if stop else [*failed, "no batch is accepted, so nothing is left to train on"],
            f"Correct the batch, or {contract.path} if the batch is right; "
            f"{paths.VALIDATION_REPORT} names every failure.",
        )
    for item, entry in zip(seen, entries, strict=True):
        if entry["success"]:
            batches.copy(item.batch.path, paths.ACCEPTED / f"{item.batch.period}.parquet")


def _say(entries: Sequence[Mapping[str, Any]], new: int) -> None:
    quarantined = [entry for entry in entries if entry["quarantined"]]
    for entry in quarantined:
        print(f"{entry['period']} is quarantined: {entry['why']}", file=sys.stderr)
    tolerated = sum(1 for entry in entries if entry["tolerated"] and entry["success"])
    print(
        f"validate: {len(entries) - len(quarantined)} batches accepted"
        + (f", {tolerated} of them with faults tolerated" if tolerated else "")
        + f"; {len(quarantined)} quarantined ({new} validated now, {len(entries) - new} known by "
        f"content); details: {paths.VALIDATION_REPORT}"
    )


if __name__ == "__main__":
    run(validate)
