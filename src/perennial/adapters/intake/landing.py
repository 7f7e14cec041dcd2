"""Landing: what is read goes to a temporary folder block by block, however much it is."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from perennial.adapters.intake import typed
from perennial.adapters.intake.limits import SHOWN, require_room
from perennial.adapters.intake.scratch import new_file
from perennial.adapters.intake.table import Part, Table
from perennial.core.profiling.columns import distinct_names
from perennial.errors import InputError

Blocks = Iterable[Any]  # Arrow record batches


def land(
    header: Sequence[str], groups: Iterable[tuple[Sequence[int], Blocks]], folder: Path, what: str
) -> Table:
    """Put rows aside.

    Args:
        header: The columns' names, as the source has them.
        groups: The places of some columns, and all rows of these in blocks; of text and databases
            there is one group, as they can't be read by columns. A column of none is left out.
        folder: Where to.
        what: What to call the source.

    Raises:
        InputError: there are no rows, too many, or no column that can be used.
    """
    names, renamed = distinct_names(list(header))
    left_out: set[str] = set()
    size = 0

    def bounded(blocks: Blocks) -> Blocks:
        nonlocal size
        rows = 0
        for block in blocks:
            size, rows = size + block.nbytes, rows + block.num_rows
            require_room(what, size, rows, len(header))
            yield block

    read = []
    there: set[int] = set()
    for places, blocks in groups:
        there.update(places)
        own = [names[place] for place in places]
        read.append(_parts(bounded(_usable(blocks, own, left_out, what)), folder))
    left_out.update(name for place, name in enumerate(names) if place not in there)
    parts = tuple(_beside(alike) for alike in zip(*read, strict=True))
    said = [f"{why}, so it is called `{new}`" for new, why in renamed.items()]
    if left_out:
        some = [name for name in names if name in left_out][:SHOWN]
        said.append(f"left out, as lists, structures or bytes: {', '.join(some)}")
    usable = tuple(name for name in names if name not in left_out)
    if not usable:
        raise InputError(f"{what}: no column that can be used", "Export it as a flat table.")
    if not sum(part.rows for part in parts):
        raise InputError(f"{what}: a header and no rows", "Export it again, with rows.")
    return Table(folder, parts, usable, tuple(said), what, ((what, 0),), size)


def _usable(blocks: Blocks, names: Sequence[str], left_out: set[str], what: str) -> Blocks:
    """Give blocks with the columns that can be used, by name; note the others."""
    import pyarrow as pa

    for block in blocks:
        found: dict[str, Any] = {}
        for name, values in zip(names, block.columns, strict=True):
            try:
                found[name] = typed.usable(values)
            except pa.ArrowInvalid as error:
                told = " ".join(str(error).split())[:200]
                remedy = "Correct it, or export the column as text."
                raise InputError(f"{what}: column {name}: {told}", remedy) from error
        left_out.update(name for name, values in found.items() if values is None)
        rows = pa.nulls(block.num_rows)  # says how many there are where no column can be used
        yield pa.RecordBatch.from_arrays(
            [*(c for c in found.values() if c is not None), rows],
            names=[*(n for n, c in found.items() if c is not None), ""],
        )


def _parts(blocks: Blocks, folder: Path) -> list[Part]:
    """Write blocks, those of the same types one after another into one file."""
    alike = itertools.groupby(blocks, key=lambda block: block.schema)
    return [_write(own, schema, folder) for schema, own in alike]


def _write(blocks: Blocks, schema: Any, folder: Path) -> Part:
    import pyarrow as pa

    path, rows = new_file(folder), 0
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_file(file, schema, options=options) as writer,
    ):
        for block in blocks:
            writer.write(block)
            rows += block.num_rows
    return Part({column: (path, place) for place, column in enumerate(schema.names)}, rows)


def _beside(parts: Sequence[Part]) -> Part:
    """Return parts of the same rows as one."""
    return Part({k: v for part in parts for k, v in part.places.items()}, parts[0].rows)
