"""Files to score: what each needs and whether it has it, before any row is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters import tables
from perennial.core.scoring import Wanted, columns_of
from perennial.errors import InputError, for_each

if TYPE_CHECKING:
    import pyarrow as pa

REMEDY = "Give the columns that the model was trained on; `--keep` says which others go along."
KEEPS = ("all", "inputs", "none")


@dataclass(frozen=True)
class Job:
    """A file to score.

    Attributes:
        source: The file.
        target: Where its rows go.
        keep: The input's columns that go along, in its order.
    """

    source: tables.Source
    target: Path
    keep: list[str]


def jobs(
    source: Path, target: Path, keep: Sequence[str], wanted: Mapping[str, Wanted], reasons: int
) -> list[Job]:
    """Return the files to score, each fit to be scored.

    Args:
        source: A file, or a folder of files, taken with its subfolders.
        target: A file, or a folder for files of the same names.
        keep: `all`, `inputs`, `none`, or names of columns.
        wanted: The columns that the model asks for.
        reasons: How many are given for each row.

    Raises:
        InputError: whatever is wrong with any file, all of it at once.
    """
    pairs = _pairs(source, target)

    def job(pair: tuple[Path, Path]) -> Job:
        described = tables.describe(pair[0])
        kept = _kept(described, keep, wanted)
        written = tables.kind_of(pair[1])[0]
        faults = _faults(described, kept, wanted, reasons, written)
        if faults:
            raise InputError([f"{described.path}: {fault}" for fault in faults], REMEDY)
        return Job(described, pair[1], kept)

    return for_each(job, pairs)


def _pairs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Return each input file with its output file."""
    if not source.exists():
        raise InputError(f"{source}: no such file or folder", "Name the rows to score by --in.")
    if source.resolve() == target.resolve():
        raise InputError(f"{target}: is the input", "Name another place by --out.")
    if source.is_dir() != target.is_dir() and target.exists():
        what = "a folder, and the input is a file" if target.is_dir() else "a file"
        raise InputError(f"{target}: is {what}", "Give a file for a file, a folder for a folder.")
    if not source.is_dir():
        return [(source, target)]
    if target.resolve().is_relative_to(source.resolve()):
        raise InputError(f"{target}: is inside the input", "Name another place by --out.")
    inside = sorted(path for path in source.rglob("*") if not _is_hidden(path, source))
    files = [path for path in inside if path.is_file()]
    if not files:
        raise InputError(f"{source}: no file in it", "Name the rows to score by --in.")
    return [(path, target / path.relative_to(source)) for path in files]


def _is_hidden(path: Path, folder: Path) -> bool:
    """Return whether a name starts with . or _, as of the notes that Spark and Hadoop leave."""
    return any(part[0] in "._" for part in path.relative_to(folder).parts)


def _kept(source: tables.Source, keep: Sequence[str], wanted: Mapping[str, Wanted]) -> list[str]:
    names: list[str] = source.schema.names
    if "all" in keep:
        return names
    asked = {name for name in keep if name not in KEEPS}
    asked |= set(wanted) if "inputs" in keep else set()
    # what is not there is named among the faults
    return [name for name in names if name in asked] + sorted(asked - set(names) - set(wanted))


def _faults(
    source: tables.Source,
    kept: Sequence[str],
    wanted: Mapping[str, Wanted],
    reasons: int,
    written: str,
) -> list[str]:
    schema = source.schema
    faults = [
        f"column {name}: missing, and {', '.join(asked.uses)} {_needs(asked)} it"
        for name, asked in wanted.items()
        if name not in schema.names
    ]
    faults += [
        f"column {name}: is {schema.field(name).type}, and the model takes "
        + ("a number" if asked.is_number else "a category")
        for name, asked in wanted.items()
        if name in schema.names
        and tables.unfit(schema.field(name).type, tables.Column(asked.is_number))
    ]
    faults += [
        f"column {name}: missing, and --keep names it" for name in kept if name not in schema.names
    ]
    faults += [
        f"column {name}: the output has a column of that name; keep others, or rename it"
        for name in columns_of(reasons)
        if name in kept
    ]
    if written == "csv":
        faults += [
            f"column {name}: {schema.field(name).type} has no place in a CSV file"
            for name in kept
            if name in schema.names and _is_nested(schema.field(name).type)
        ]
    return faults


def _needs(asked: Wanted) -> str:
    return "need" if len(asked.uses) > 1 or asked.uses[0].startswith("the thresholds") else "needs"


def _is_nested(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_nested(kind))
