"""Landing: what is read goes to a temporary folder block by block, however much it is."""

import itertools
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from perennial.adapters.intake import typed
from perennial.adapters.intake.limits import SHOWN, require_room
from perennial.adapters.intake.table import Part, Table
from perennial.core.profiling.columns import distinct_names
from perennial.errors import InputError


def land(blocks: Iterable[Any], header: Sequence[str], folder: Path, what: str) -> Table:
    """Put rows aside.

    Args:
        blocks: Arrow record batches, each with a column for each name of the header.
        header: Names, as the source has them.
        folder: Where to.
        what: What to call the source.

    Raises:
        InputError: there are no rows, too many, or no column that can be used.
    """
    import pyarrow as pa

    names, renamed = distinct_names(list(header))
    left_out: dict[str, None] = {}
    size = rows = 0

    def usable(block: Any) -> Any:
        nonlocal size, rows
        size, rows = size + block.nbytes, rows + block.num_rows
        require_room(what, size, rows, len(header))
        found = dict(zip(names, map(typed.usable, block.columns), strict=True))
        left_out.update((name, None) for name, column in found.items() if column is None)
        return pa.RecordBatch.from_pydict({n: c for n, c in found.items() if c is not None})

    parts = [
        _write(alike, schema, folder)
        for schema, alike in itertools.groupby(map(usable, blocks), lambda block: block.schema)
    ]
    if rows == 0:
        raise InputError(f"{what}: a header and no rows", "Export it again, with rows.")
    said = [f"{why}, so it is called `{new}`" for new, why in renamed.items()]
    if left_out:
        said.append(f"left out, as lists, structures or bytes: {', '.join([*left_out][:SHOWN])}")
    own = tuple(name for name in names if name not in left_out)
    if not own:
        raise InputError(f"{what}: no column that can be used", "Export it as a flat table.")
    return Table(tuple(parts), own, tuple(said), what, ((what, 0),))


def _write(blocks: Iterable[Any], schema: Any, folder: Path) -> Part:
    import pyarrow as pa

    handle, path = tempfile.mkstemp(".arrow", dir=folder)
    os.close(handle)
    rows = 0
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, schema, options=options) as writer:
        for block in blocks:
            writer.write(block)
            rows += block.num_rows
    return Part(Path(path), {name: place for place, name in enumerate(schema.names)}, rows)
