"""Labels that come later than the rows: which have come, joined to their batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters.parquet import batches
from perennial.adapters.parquet.batches import Batch
from perennial.core.incoming import joining
from perennial.errors import InputError, for_each
from perennial.params import Data, Labels

README = "README.md"


@dataclass(frozen=True)
class Arrived:
    """A batch and what of it is checked and, if that passes, accepted.

    Attributes:
        batch: As it came.
        source: Its own file; or its rows with their labels, where these were joined, or without
            a target column that holds nothing.
        labelled: Whether `source` has, or must have, the target.
        labels: The report's lines about its labels; None where batches bring their own.
        faults: What keeps labels from being joined to it, as findings.
    """

    batch: Batch
    source: Path
    labelled: bool = True
    labels: Mapping[str, Any] | None = None
    faults: Sequence[Mapping[str, Any]] = ()


def arrive(found: Sequence[Batch], data: Data, target: str) -> list[Arrived]:
    """Join labels to the batches for which they have come.

    Raises:
        InputError: files can't be read, or labels lack a column; all are named at once.
    """
    settings = data.labels
    if settings is None:
        return [Arrived(batch, batch.path) for batch in found]
    shown = settings.key not in data.pii
    return for_each(lambda batch: _join(batch, settings, target, shown), found)


def orphans(every: Sequence[str], data: Data) -> list[str]:
    """Return the periods up to data.as_of that have labels and no batch.

    Args:
        every: The periods of all batches.
        data: Where labels are.

    Raises:
        InputError: the folder is missing, or a file there is not <period>.parquet.
    """
    if data.labels is None:
        return []
    folder = Path(data.labels.folder)
    remedy = "Keep one file a period there, named as its batch is, or set data.labels to null."
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder, and data.labels names it", remedy)
    there = sorted(p for p in folder.iterdir() if p.name != README and p.name[0] != ".")
    faults = [
        f"{p}: not labels: the name is not <period>.parquet"
        for p in there
        if p.suffix != ".parquet" or not batches.PERIOD.fullmatch(p.stem)
    ]
    faults += [fault for p in there if (fault := batches.link_fault(p))]
    if faults:
        raise InputError(faults, remedy)
    seen = [p.stem for p in there if data.as_of == "latest" or p.stem <= data.as_of]
    return [period for period in seen if period not in every]


def _join(batch: Batch, settings: Labels, target: str, shown: bool) -> Arrived:
    path = Path(settings.folder) / f"{batch.period}.parquet"
    column = batches.has_column(batch, target)
    if column and not _without_a_value(batch, target):
        why = "the batch brings its own labels" + ("; its file is not used" * path.exists())
        return Arrived(batch, batch.path, labels={"why": why})
    frame = batches.read(batch.path).drop(columns=target, errors="ignore")
    labels = batches.read(path, [settings.key, target]) if path.exists() else None
    faults = joining.key_faults(frame, settings.key, shown)
    if faults:
        return Arrived(batch, batch.path, False, {"why": "its keys are at fault"}, faults)
    joined = joining.join(frame, labels, settings.key, target, settings.min_share, shown)
    labelled = joined.rows is not None
    if not labelled and not column:
        return Arrived(batch, batch.path, False, joined.to_json())
    source = paths.JOINED / f"{batch.period}.parquet"
    batches.write_parquet(source, frame if joined.rows is None else joined.rows)
    return Arrived(batch, source, labelled, joined.to_json())


def _without_a_value(batch: Batch, column: str) -> bool:
    values = batches.read(batch.path, [column])[column]
    return len(values) > 0 and bool(values.isna().all())
