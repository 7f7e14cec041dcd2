"""A project with a champion and a month of rows, for the tests of `perennial score`."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.integration.registered import HOLDOUT, ROOT, raw

from perennial import paths
from perennial.adapters import bundles
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.commands import score as command
from perennial.commands.score import Wish
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.errors import PerennialError


@pytest.fixture
def month_to_score(
    candidates: dict[str, Candidate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project with a champion and a month of rows, as the current folder."""
    monkeypatch.chdir(tmp_path)
    crown(candidates["boosted"])
    shutil.copyfile(ROOT / paths.PARAMS, paths.PARAMS)
    raw(HOLDOUT).drop(columns="deposit").to_parquet("in.parquet")
    return tmp_path


def crown(model: Candidate) -> None:
    """Make a model champion."""
    digest = bundles.write(paths.CHAMPION_BUNDLE, to_artefacts(model))
    champions.write(Champion("bank-deposits", "1", digest, {}, "promote", "2026-01-01", []))


def scored(source: str = "in.parquet", target: str = "out.parquet", **wish: Any) -> pd.DataFrame:
    """Score a file and return what was written."""
    command.score(Wish(Path(source), Path(target), **wish), lambda *_: None)
    return pd.read_parquet(target) if target.endswith(".parquet") else pd.read_csv(target)


def refused(source: str = "in.parquet", target: str = "out.parquet", **wish: Any) -> PerennialError:
    """Return the error for which nothing is written."""
    with pytest.raises(PerennialError) as caught:
        scored(source, target, **wish)
    assert not Path(target).exists()
    return caught.value
