"""Where several rows are about one person, all stages are told which: no fold parts them, and no
interval takes them for several persons."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from tests.integration.crowned import KNOWN, accept, project, shipped
from tests.integration.pipelines import NOBODY

from perennial import paths
from perennial.adapters import matrices
from perennial.core.plan import PARTS
from perennial.stages.features import features
from perennial.stages.monitor import monitor

__all__ = ["project"]


def test_the_rows_that_are_trained_on_say_which_are_of_one_person_but_not_who(
    project: Path,
) -> None:
    """By a number of its own, so that a key that is personal stays in the batches."""
    text = paths.PARAMS.read_text()
    for old, new in (("  kind: time ", "  kind: group "), ("  key: null ", "  key: who ")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    paths.PARAMS.write_text(text)
    whose = {}
    for period in KNOWN:
        rows = shipped(period)
        whose[period] = np.array([f"Person {number % 300}" for number in range(len(rows))])
        accept(period, rows.assign(who=whose[period]))
    paths.CHAMPION.write_text(json.dumps(NOBODY))
    monitor()
    features()
    rows = matrices.read_rows(paths.FEATURES, "train")
    names = pd.Series([whose[p][n] for p, n in zip(rows["period"], rows["row"], strict=True)])
    part = matrices.read_part(paths.FEATURES, "train")
    assert part.key is not None
    assert part.key.tolist() == pd.factorize(names)[0].tolist()
    assert names.nunique() < len(names)
    assert list(part.groups) == ["age_group", "marital"]
    assert all(matrices.read_part(paths.FEATURES, part).key is not None for part in PARTS)
    assert not any(b"Person" in path.read_bytes() for path in paths.FEATURES.iterdir())
