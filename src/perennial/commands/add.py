"""add: later rows, from the file that they come in, become batches like those that are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import names, paths
from perennial.adapters import files, intake, runlock
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.commands.init import named_by_files
from perennial.core.incoming import arrivals
from perennial.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from perennial.adapters.intake import Table

REMEDY = "Correct this and run the same command again; nothing was written."


@dataclass(frozen=True)
class Added:
    """What was read and what became of it: each batch's rows, and which were there already.

    `beyond` says whether some are later than `data.as_of`, so that no run looks at them yet.
    """

    source: Sequence[str]
    rows: Mapping[str, int]
    known: Sequence[str]
    new_columns: Sequence[str]
    as_of: str
    written: bool

    @property
    def beyond(self) -> Sequence[str]:
        """The periods later than `data.as_of`."""
        return [p for p in self.rows if self.as_of != "latest" and p > self.as_of]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told = {"source": list(self.source), "rows": dict(self.rows), "known": list(self.known)}
        return {
            "schema_version": 1,
            **told,
            "new_columns": list(self.new_columns),
            "later_than_as_of": list(self.beyond),
            "written": self.written,
        }


def add(
    data: str, query: str | None = None, period: str | None = None, dry_run: bool = False
) -> Added:
    """Read rows, make them like those of the newest batch, and write a batch a period.

    Args:
        data: A file or folder, or a database's address.
        query: The rows of a database.
        period: Of all rows; without it, as files are called or as the time column of `init` says.
        dry_run: Write nothing.

    Raises:
        InputError: rows, columns or periods are faulty, all faults at once; or there is a batch of
            a period with other rows.
        UnreachableError: a database can't be reached, or a run is at work.
    """
    params = read_params("data", "target")
    newest = batches.find(paths.BATCHES)[-1]
    known = intake.notes()
    with intake.read(data, query) as table:
        frame, new = _conform(table, newest, known, _may_lack(params))
    own = _periods(frame, table, known, period)
    arrivals.require_order(sorted({*own, *(b.period for b in batches.find(paths.BATCHES))}))
    with runlock.alone():
        there = _write({name: frame.iloc[rows] for name, rows in own.items()}, dry_run)
    counted = {name: len(rows) for name, rows in own.items()}
    return Added(table.said, counted, there, new, params.data.as_of, not dry_run)


def _may_lack(params: Any) -> set[str]:
    """Return the columns that rows may come without: the target, where labels come later."""
    return {params.target.column} if params.data.labels else set()


def _conform(
    table: "Table", newest: batches.Batch, known: intake.Notes, may_lack: set[str]
) -> tuple["pd.DataFrame", list[str]]:
    """Return the rows as batches have them, columns that no batch has last, and which these are."""
    import pandas as pd

    from perennial.core.profiling import columns, conforming

    wanted = batches.columns(newest.path)
    lacks = [name for name in wanted if name not in table.names and name not in may_lack]
    faults = dict.fromkeys(lacks, "missing; batches have it")
    cells: dict[str, pd.Series] = {}
    for name, values in table.columns():
        if name not in wanted:
            cells[name] = columns.recognise(values, name, known.comma_is_decimal).cells
            continue
        how = (table.place, known.comma_is_decimal, known.dates.get(name, ()))
        read = conforming.conform(values, wanted[name], *how, known.missing.get(name, ()))
        if isinstance(read, str):
            faults[name] = read
        else:
            cells[name] = read
    if faults:
        raise InputError([f"column {n}: {faults[n]}" for n in wanted if n in faults], REMEDY)
    new = [name for name in table.names if name not in wanted]
    return pd.DataFrame({n: cells[n] for n in (*wanted, *new) if n in cells}), new


def _periods(
    frame: "pd.DataFrame", table: "Table", known: intake.Notes, period: str | None
) -> "dict[str, np.ndarray]":
    """Return the rows of each period by their places, in order of period."""
    import numpy as np

    from perennial.core.profiling import periods

    if period is not None:
        if not names.WORD.fullmatch(period):
            raise InputError(f"--period {period}: not a period", "Letters, digits, - and _.")
        return {period: np.arange(len(frame))}
    if known.time is not None and known.unit is not None:
        return _cut(frame, table, known.time, known.unit)
    stem = Path(table.starts[0][0]).stem.partition(".")[0]
    like = {arrivals.NUMBER.sub("#", b.period) for b in batches.find(paths.BATCHES)}
    if (named := named_by_files(table)) is not None:
        return periods.rows_of(named)
    if len(table.starts) == 1 and arrivals.NUMBER.sub("#", stem) in like:
        return {stem: np.arange(len(frame))}
    raise InputError(
        f"{table.name}: which period its rows are of can't be told from its name",
        f"Say so, like the newest batch: --period {batches.find(paths.BATCHES)[-1].period}",
    )


def _cut(frame: "pd.DataFrame", table: "Table", time: str, unit: str) -> "dict[str, np.ndarray]":
    import numpy as np

    from perennial.core.profiling import periods

    lacking = np.flatnonzero(frame[time].isna())
    if len(lacking):
        shown = ", ".join(table.place(row) for row in lacking[:5])
        more = f" and {len(lacking) - 5:,} more" if len(lacking) > 5 else ""
        raise InputError(f"column {time}: no time in {shown}{more}", REMEDY)
    if unit in periods.ALIASES:
        named = periods.named(frame[time], unit)
    else:  # a number itself
        width = len(batches.find(paths.BATCHES)[-1].period)
        named = frame[time].astype("int64").astype("str").str.zfill(width).to_numpy()
    return periods.rows_of(named)


def _write(made: "Mapping[str, pd.DataFrame]", dry_run: bool) -> list[str]:
    """Write each batch; return those that were there already, with the same bytes."""
    aside = paths.STATE / "added"
    faults, known = [], []
    for period, frame in made.items():
        path, new = paths.BATCHES / f"{period}.parquet", aside / f"{period}.parquet"
        intake.write_batch(new, frame)
        if not path.exists():
            continue
        if files.sha256(path) == files.sha256(new):
            known.append(period)
        else:
            faults.append(f"{path}: is there already, with other rows; a batch is never edited")
    try:
        if faults:
            raise InputError(
                faults,
                "Leave these rows out, or give them a period of their own with --period; nothing "
                "was written.",
            )
        for period in [] if dry_run else made:
            if period not in known:
                (aside / f"{period}.parquet").replace(paths.BATCHES / f"{period}.parquet")
    finally:
        for period in made:
            (aside / f"{period}.parquet").unlink(missing_ok=True)
    return known
