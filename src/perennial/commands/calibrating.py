"""One worker's part of `perennial calibrate-drift`: windows drawn, changed and examined."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import bundles, champions, files
from perennial.adapters.configuration import read_params
from perennial.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from perennial.core.drift.rows import Rows
    from perennial.core.model.candidate import Candidate
    from perennial.core.nulls import Planted
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
    from perennial.core.monitoring import rows_checked_on
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
    return Pool(model, digest, raw, target, view(model, raw, target), params)


def planted() -> "list[Planted]":
    """Return the changes to plant in the pool's rows."""
    from perennial.core.nulls import plants

    known = pool()
    features = reversed(list(known.model.spec.columns.values()))
    kinds = {feature.kind: feature.source for feature in features}  # the first of each kind
    return plants(known.raw, kinds.get("number"), kinds.get("category"))


def null(rows: int, seed: int) -> dict[str, Any]:
    """Examine a window of so many rows in which nothing has changed."""
    from perennial.core import nulls
    from perennial.core.drift.examination import examine

    known = pool()
    inside, others = nulls.draw(len(known.rows), rows, seed)
    window, settings = known.rows.take(inside), known.params.monitor
    utility = known.params.training.utility
    found = examine(
        known.model, known.rows.take(others), window, window, settings, utility, known.params.seed
    )
    needed = nulls.strengths(found, settings)
    return {"rows": rows, "alarms": nulls.alarms(found), "needed": needed}


def changed(rows: int, seed: int, number: int) -> dict[str, Any]:
    """Examine a window in which one change is planted."""
    import numpy as np

    from perennial.core import nulls
    from perennial.core.drift.examination import examine
    from perennial.core.drift.rows import view

    known, plant = pool(), planted()[number]
    wanted = min(round(rows * plant.drawn), len(known.rows) * 2 // 3)
    inside, others = nulls.draw(len(known.rows), wanted, seed)
    raw, target = plant.change(
        known.raw.iloc[inside].reset_index(drop=True),
        known.target[inside],
        np.random.default_rng(seed),
    )
    window, settings = view(known.model, raw, target), known.params.monitor
    utility = known.params.training.utility
    found = examine(
        known.model, known.rows.take(others), window, window, settings, utility, known.params.seed
    )
    return {"plant": number, "rows": rows, "alarms": nulls.alarms(found)}
