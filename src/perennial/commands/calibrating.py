"""One worker's part of `perennial calibrate-drift`: windows drawn, changed and examined."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import bundles, files
from perennial.adapters.bundles import champions
from perennial.adapters.files.configuration import read_params
from perennial.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from perennial.core.drift.examination import Examination
    from perennial.core.drift.rows import Rows
    from perennial.core.drift.signals import Baseline
    from perennial.core.model.candidate import Candidate
    from perennial.core.planted_shifts import Planted
    from perennial.params import Params


@dataclass(frozen=True)
class Pool:
    """A model, and rows that it was not trained on."""

    model: "Candidate"
    digest: str
    raw: "pd.DataFrame"
    target: "np.ndarray"
    rows: "Rows"
    params: "Params"


@cache
def pool() -> Pool:
    """Return the champion, or the last candidate, with what it was calibrated and judged on.

    Raises:
        InputError: there is neither.
        IntegrityError: the champion or a batch is not what was recorded.
    """
    from perennial.core.drift.rows import view
    from perennial.core.model.candidate import from_artefacts
    from perennial.core.monitoring.finding import rows_checked_on
    from perennial.stages import incumbent, planning

    params, champion = read_params(), champions.read()
    if champion is not None:
        model, plan, digest = incumbent.load(champion), champion.plan, champion.digest
    else:
        if not paths.CANDIDATE.is_dir():
            raise InputError(
                "nobody is champion and there is no candidate, so no model's scores can be watched",
                "Run `perennial run` first.",
            )
        digest = bundles.digest(paths.CANDIDATE)
        model = from_artefacts(bundles.read(paths.CANDIDATE, digest))
        plan = files.read_json(paths.PLAN, "Run `perennial run`.")
    raw, target = rows_checked_on(plan, planning.reader(params.target), params.seed)
    assert target is not None  # a plan names labelled batches only
    return Pool(model, digest, raw, target, view(model, raw, target, params.split.key), params)


@cache
def planted() -> "list[Planted]":
    """Return the changes to plant in the pool's rows."""
    from perennial.core.planted_shifts import plants

    known = pool()
    columns = known.model.spec.columns.values()
    numbers = [feature.source for feature in columns if feature.kind != "category"]
    categories = [feature.source for feature in columns if feature.kind == "category"]
    return plants(known.raw, known.target, numbers, categories)


def drawn(plant: "Planted", rows: int) -> int | None:
    """Return how many rows are drawn for a change; None if half of the pool has not so many."""
    wanted = round(rows * plant.drawn)
    return wanted if wanted <= len(pool().rows) // 2 else None


def null(rows: int, seed: int) -> dict[str, Any]:
    """Examine a window of so many rows in which nothing has changed."""
    from perennial.core import nulls

    inside, others = nulls.draw(len(pool().rows), rows, seed)
    found = _examined(pool().rows.take(others), pool().rows.take(inside), None)
    monitor = pool().params.monitor
    return {
        "rows": rows,
        "alarms": nulls.alarms(found, monitor.min_features),
        "reached": nulls.strengths(found, monitor),
    }


def changed(rows: int, seed: int) -> list[dict[str, Any]]:
    """Examine a draw of so many rows with each change planted, all held to the other rows."""
    import numpy as np

    from perennial.core import nulls
    from perennial.core.drift.rows import view
    from perennial.core.drift.signals import baseline

    known, monitor = pool(), pool().params.monitor
    found, prepared = [], {}
    for number, plant in enumerate(planted()):
        wanted = drawn(plant, rows)
        if wanted is None:
            continue
        inside, others = nulls.draw(len(known.rows), wanted, seed)
        if wanted not in prepared:
            reference = known.rows.take(others)
            prepared[wanted] = reference, baseline(reference, monitor, known.params.seed)
        raw, target = plant.change(
            known.raw.iloc[inside].reset_index(drop=True),
            known.target[inside],
            np.random.default_rng([seed, number]),
        )
        window = view(known.model, raw, target, known.params.split.key)
        seen = _examined(prepared[wanted][0], window, prepared[wanted][1])
        raised = nulls.alarms(seen, monitor.min_features)
        found.append({"plant": number, "rows": rows, "alarms": raised})
    return found


def _examined(reference: "Rows", window: "Rows", known: "Baseline | None") -> "Examination":
    from perennial.core.drift.examination import examine

    model, params = pool().model, pool().params
    settings = (params.monitor, params.training.utility, params.seed)
    return examine(model, reference, window, window, *settings, known)
