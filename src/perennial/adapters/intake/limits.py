"""The limits of what is read."""

from perennial.errors import InputError

GIB = 1 << 30
LARGEST = 8 * GIB  # bytes of a table, unpacked
CELLS = 2_000_000_000
MOST_COLUMNS = 20_000
SHOWN = 10  # faults of a kind that are named one by one


def require_room(what: str, size: int, rows: int, columns: int) -> None:
    """Check that a table is one that can be worked with.

    Raises:
        InputError: it is too large; each limit that it breaks is named.
    """
    faults = []
    if size > LARGEST:
        faults.append(f"{what}: {size / GIB:,.1f} GiB unpacked; at most {LARGEST // GIB} are read")
    if rows * columns > CELLS:
        faults.append(f"{what}: {rows:,} rows × {columns:,} columns; at most {CELLS:,} cells")
    if columns > MOST_COLUMNS:
        faults.append(f"{what}: {columns:,} columns; at most {MOST_COLUMNS:,} are read")
    if faults:
        raise InputError(faults, "Take fewer rows or columns, for example the newest periods.")
