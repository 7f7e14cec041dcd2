"""init: a clone becomes a project for the user's own data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import blocks, files, forgotten, intake, runlock, swapping
from perennial.adapters.files import configuration
from perennial.commands import init_guards, init_pages
from perennial.core.profiling import contract, periods, settings, wished
from perennial.core.profiling import profile as profiling
from perennial.core.profiling.profile import Profile
from perennial.core.profiling.wished import Wishes
from perennial.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from perennial.adapters.intake import Table

WHOLE = "all"  # the period of rows that have none
REMEDY = "Correct this and run the same command again; nothing was changed."
GUIDE = Path("docs/your-data.md")
README = Path("data/README.md")
LARGEST = 10.0


@dataclass(frozen=True)
class Made:
    """What init found, and what it writes or would write.

    Attributes:
        source: What was read, a sentence each.
        profile: What was found in it and chosen. The cells of a large table's columns are there
            only while it is written.
        model: The model's name.
        rows: The rows of each batch, by their places.
        texts: Files of text, by path.
        removed: What was the shipped data's and goes.
        hindrances: What would be lost; not empty only under `dry_run`, or with `force`.
        written: Whether it was written.
    """

    source: Sequence[str]
    profile: Profile
    model: str
    rows: "Mapping[str, np.ndarray]"
    texts: Mapping[Path, str]
    removed: Sequence[Path]
    hindrances: Sequence[str]
    written: bool


def init(
    data: str, query: str | None, wishes: Wishes, dry_run: bool = False, force: bool = False
) -> Made:
    """Read the user's data, choose, and unless `dry_run` write the project anew.

    Raises:
        InputError: the data or the wishes are faulty, all faults at once; or something would be
            lost and `force` is not given.
        UnreachableError: a database can't be reached, or a run is at work.
    """
    if not Path("dvc.yaml").is_file() or not paths.PARAMS.is_file():
        raise InputError(
            "dvc.yaml or params.yaml: no such file", "Run this in the project's folder."
        )
    if dry_run:
        hindrances = init_guards.hindrances()
        with intake.read(data, query) as table:
            return _make(table, wishes, hindrances)
    with runlock.alone():
        swapping.finish()  # of one that was killed
        hindrances = init_guards.hindrances()
        if hindrances and not force:
            raise InputError(hindrances, init_guards.REMEDY)
        with intake.read(data, query) as table:
            made = _make(table, wishes, hindrances)
            _write(made)
    return replace(made, written=True)


def _make(table: "Table", wishes: Wishes, hindrances: Sequence[str]) -> Made:
    found = _profile(table, wishes)
    rows = batch_rows(found)
    model = init_pages.model_name(table.name, found.target)
    texts = _texts(table.said, found, rows, model)
    texts[intake.NOTES] = _json(_notes(table, found).to_json())
    kept = {*texts, *map(_batch, rows)}
    removed = [path for path in init_guards.of_the_old_data() if path not in kept]
    return Made(table.said, found, model, rows, texts, removed, hindrances, written=False)


def _profile(table: "Table", wishes: Wishes) -> Profile:
    faults = wished.unknown(wishes, table.names)
    if faults:
        raise InputError(faults, REMEDY)
    own = list(intake.recognised(table))
    found = profiling.profile(own, wishes, named_by_files(table), table.place)
    if isinstance(found, list):
        remedy = REMEDY
        if any("multiclass" in fault or "regression" in fault for fault in found):
            from perennial.core.profiling import target

            remedy = f"{target.REMEDY} Nothing was changed."
        raise InputError(found, remedy)
    if not found.features:
        why = [f"{name}: {reason}" for name, reason in list(found.dropped.items())[:20]]
        raise InputError(["no column is left to be a feature", *why], REMEDY)
    return found


def named_by_files(table: "Table") -> "np.ndarray | None":
    """Return each row's period as its file is called; None if files have no such names."""
    import numpy as np

    if not table.periods:
        return None
    sizes = np.diff([*(start for _, start in table.starts), table.rows])
    return np.repeat(np.array([name for name, _ in table.starts], dtype=object), sizes)


def batch_rows(found: Profile) -> "dict[str, np.ndarray]":
    """Return the rows of each batch, by their places, oldest first."""
    import numpy as np

    if found.periods is None:
        return {WHOLE: np.arange(found.rows)}
    return periods.rows_of(found.periods.names)


def _texts(
    source: Sequence[str], found: Profile, rows: "Mapping[str, np.ndarray]", model: str
) -> dict[Path, str]:
    sizes = [len(own) for own in rows.values()]
    changes = settings.blocks(found, model, _largest(sizes))
    text = blocks.put(paths.PARAMS.read_text("utf-8"), changes, paths.PARAMS)
    params = configuration.check(text)
    suite = contract.suite(found, list(rows.values()))
    nobody = dict.fromkeys(("version", "digest", "plan", "verdict", "when"))
    champion: dict[str, Any] = {"schema_version": 1, "model": model, **nobody, "attempts": []}
    return {
        paths.PARAMS: text,
        paths.EXPECTATIONS / params.validation.suite: _json(suite),
        paths.CHAMPION: _json(champion),
        paths.FORGOTTEN: forgotten.HEADER.decode(),  # the old log is of the old data
        README: init_pages.readme(source, found, {n: len(own) for n, own in rows.items()}),
        GUIDE: init_pages.guide(source, found, model),
    }


def _notes(table: "Table", found: Profile) -> intake.Notes:
    """Return what `perennial add` needs to read later rows as these were read."""
    return intake.Notes(
        found.time,
        found.periods.unit if found.periods and found.time else None,
        table.comma_is_decimal,
        {c.name: c.formats for c in found.columns if c.formats},
        {c.name: c.words for c in found.columns if c.words},
    )


def _batch(period: str) -> Path:
    return paths.BATCHES / f"{period}.parquet"


def _json(content: Mapping[str, Any]) -> str:
    import json

    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _largest(sizes: Sequence[int]) -> float:
    """Return how many times the largest before it a batch may have: 10, or twice what yours do."""
    import itertools
    import math

    before = list(itertools.accumulate(sizes, max))
    grown = [size / most for size, most in zip(sizes[2:], before[1:], strict=False)]
    return max(LARGEST, float(math.ceil(2 * max(grown, default=1.0))))


def _write(made: Made) -> None:
    """Make every file aside, then put all in place."""
    swapping.begin()
    put: list[Path] = []
    for path, text in made.texts.items():
        files.write_bytes(swapping.aside(path), text.encode())
        put.append(path)
    intake.write_batches(
        made.profile.columns, made.rows, lambda period: swapping.aside(_batch(period))
    )
    swapping.decide([*put, *map(_batch, made.rows)], made.removed)
    swapping.finish()
