"""Stage validate: each batch against the data contract, and beside the batches before it.

`data/batches` is only read: a batch that fails is not copied, no more.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from perennial import paths
from perennial.adapters import expectations, files, forgotten
from perennial.adapters.expectations import Contract
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.adapters.parquet.batches import Batch
from perennial.core.incoming import arrivals, privacy
from perennial.core.incoming.findings import findings, why
from perennial.core.ledger import forgetting
from perennial.errors import InputError, IntegrityError
from perennial.params import Params, Validation
from perennial.stages import checking, labelling
from perennial.stages.checking import Checked
from perennial.stages.running import run


def validate() -> None:
    """Check the batches up to data.as_of, write the report and the accepted batches.

    Raises:
        InputError: periods don't sort as they are meant, batches can't be read, the contract is
            wrong, batches fail under `on_failure: stop`, or none is accepted.
    """
    params = read_params("data", "target", "validation", "split")
    try:
        _validate(params)
    finally:
        if params.data.pii:  # rows joined to their labels have them still
            shutil.rmtree(paths.JOINED, ignore_errors=True)


def _validate(params: Params) -> None:
    contract = expectations.load(paths.EXPECTATIONS / params.validation.suite)
    found, every = _find(params.data.as_of)
    _require_pii(found, params.data.pii)
    _require_forgotten(found)
    orphans = labelling.orphans(every, params.data)
    arrived = labelling.arrive(found, params.data, params.target.column)
    seen = checking.check(arrived, contract, params.target.column, params.data.pii)
    entries = _entries(seen, params.validation)
    report = {"schema_version": 1, "suite": contract.sha256, "batches": entries}
    report |= {"labels_without_batch": orphans} if params.data.labels is not None else {}
    files.write_json(paths.VALIDATION_REPORT, report)
    _require_some(seen, entries, contract, params.validation.on_failure == "stop")
    _accept(seen, entries, params.data.pii, params.split.key)
    _say_replaced(entries)
    _say_labels(entries, orphans)
    _say(entries, sum(item.new for item in seen))


def _find(as_of: str) -> tuple[list[Batch], list[str]]:
    """Return the batches up to `as_of`, and the periods of all."""
    found = batches.find(paths.BATCHES, as_of)
    every = [batch.period for batch in batches.find(paths.BATCHES)]  # as_of cuts in text order
    arrivals.require_order(every if as_of == "latest" else [*every, as_of])
    return found, every


def _entries(seen: Sequence[Checked], settings: Validation) -> list[dict[str, Any]]:
    """Return each batch's lines of the report, oldest first, for each is judged by those before."""
    entries: list[dict[str, Any]] = []
    before: list[arrivals.Arrival] = []
    accepted: list[arrivals.Arrival] = []
    for item in seen:
        kept = item.kept
        this = arrivals.Arrival(
            item.arrived.batch.period, item.sha256, kept["rows"], kept["types"], kept["content"]
        )
        own = [*item.arrived.faults, *arrivals.faults(this, before, accepted, settings.largest)]
        entry = _entry(item, own, settings.on_failure == "stop")
        entries.append(entry)
        before.append(this)
        accepted += [this] * entry["success"]
    return entries


def _entry(item: Checked, own: Sequence[Mapping[str, Any]], stop: bool) -> dict[str, Any]:
    found = findings(item.kept["result"], item.kept["renamed"])
    failures = [*own, *found["failures"]]
    expected = item.kept["result"]["statistics"]["evaluated_expectations"]
    success = not failures
    return {
        "period": item.arrived.batch.period,
        "sha256": item.sha256,
        "rows": item.kept["rows"],
        "success": success,
        "quarantined": not success and not stop,
        "why": why(failures, item.kept["rows"], expected),
        "failures": failures,
        "tolerated": found["tolerated"],
        **({} if item.arrived.labels is None else {"labels": item.arrived.labels}),
    }


def _require_pii(found: Sequence[Batch], pii: Sequence[str]) -> None:
    """Check that each column of data.pii is in some batch: misspelt, it would protect nothing."""
    absent = [name for name in pii if not any(batches.has_column(b, name) for b in found)]
    if absent:
        raise InputError(
            [f"{paths.PARAMS}: data.pii: no batch has a column {name}" for name in absent],
            "Write it as the batches do, or take it out.",
        )


def _require_forgotten(found: Sequence[Batch]) -> None:
    """Check that nobody's rows came back, as from a backup, after they were to be forgotten."""
    log = forgotten.read()
    there = {line["period"] for line in log}
    now = {batch.period: files.sha256(batch.path) for batch in found if batch.period in there}
    unlike = forgetting.unlike(log, now)
    if unlike:
        raise IntegrityError(
            [
                f"{paths.BATCHES / period}.parquet: not what `perennial forget` left of it"
                for period in unlike
            ],
            "Run `perennial forget` with the same keys again, or put back what it left.",
        )


def _require_some(
    seen: Sequence[Checked],
    entries: Sequence[Mapping[str, Any]],
    contract: Contract,
    stop: bool,
) -> None:
    """Check that something is left to go on with; under `on_failure: stop`, that nothing failed."""
    if paths.ACCEPTED.exists():
        shutil.rmtree(paths.ACCEPTED)
    failed = [
        f"{item.arrived.batch.path}: {entry['why']}"
        for item, entry in zip(seen, entries, strict=True)
        if not entry["success"]
    ]
    if failed and (stop or len(failed) == len(seen)):
        raise InputError(
            failed if stop else [*failed, "no batch is accepted, so nothing is left to train on"],
            f"Correct the batch, or {contract.path} if the batch is right; "
            f"{paths.VALIDATION_REPORT} names every failure.",
        )


def _accept(
    seen: Sequence[Checked],
    entries: Sequence[Mapping[str, Any]],
    pii: Sequence[str],
    key: str | None,
) -> None:
    """Copy what is accepted, without the columns that say who somebody is."""
    for item, entry in zip(seen, entries, strict=True):
        if not entry["success"]:
            continue
        source = item.arrived.source
        accepted = paths.ACCEPTED / f"{item.arrived.batch.period}.parquet"
        if pii:
            batches.write_parquet(accepted, privacy.without(batches.read(source), pii, key))
        else:
            batches.copy(source, accepted)


def _say_replaced(entries: Sequence[Mapping[str, Any]]) -> None:
    """Say which batches this folder once accepted with other content.

    Only said: in the report it would make two folders with the same batches differ.
    """
    now = {entry["period"]: entry["sha256"] for entry in entries if entry["success"]}
    try:
        last = files.read_json(paths.LAST_ACCEPTED, "")
    except InputError:  # nothing was accepted before, or the file was damaged
        last = {}
    for period, sha256 in now.items():
        if last.get(period, sha256) != sha256:
            print(f"{period}: replaced: it was accepted before with other content", file=sys.stderr)
    files.write_json(paths.LAST_ACCEPTED, last | now)


def _say_labels(entries: Sequence[Mapping[str, Any]], orphans: Sequence[str]) -> None:
    for entry in entries:
        labels = entry.get("labels", {})
        if entry["success"] and labels.get("why"):
            print(f"{entry['period']}: labels: {labels['why']}", file=sys.stderr)
        if labels.get("unknown_keys"):
            told = f"{labels['unknown_keys']:,} keys that no row of the batch has are set aside"
            print(f"{entry['period']}: labels: {told}", file=sys.stderr)
        if labels.get("matched") and labels["unlabelled"] and not labels["why"]:
            told = f"{labels['unlabelled']:,} of {labels['rows']:,} rows have none and are left out"
            print(f"{entry['period']}: labels: {told}", file=sys.stderr)
    for period in orphans:
        print(f"{period}: labels have come, and no batch of that period", file=sys.stderr)


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
