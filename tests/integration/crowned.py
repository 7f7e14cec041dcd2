"""A project with a real champion, and the months that may come after it, for `monitor`."""

import contextlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.integration.pipelines import NOBODY
from tests.integration.strict_html import Page

from perennial import paths
from perennial.adapters import bundles, files
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.stages.features import features
from perennial.stages.monitor import monitor
from perennial.stages.train import train

ROOT = Path(__file__).parents[2]
KNOWN = ("2009-10", "2009-11", "2009-12", "2010-01", "2010-02", "2010-03")
NEW, NEWER = "2010-04", "2010-05"
RECIPE = {
    "kind": "xgboost",
    "members": [{"params": {"learning_rate": 0.2, "max_depth": 3}, "rounds": 20}],
}
SMALLER = {
    r"^  calibration_rows: \d+": "  calibration_rows: 400",
    r"^  holdout_rows: \d+": "  holdout_rows: 400",
}


def shipped(period: str) -> pd.DataFrame:
    return pd.read_parquet(ROOT / "data/batches" / f"{period}.parquet")


def accept(period: str, rows: pd.DataFrame) -> None:
    rows.to_parquet(paths.ACCEPTED / f"{period}.parquet")


def edit(**replaced: str) -> None:
    """Change values of params.yaml, each by the one line that has its key."""
    text = paths.PARAMS.read_text()
    for key, value in replaced.items():
        text, count = re.subn(rf"^(\s+{key}: )\S+", rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert count == 1, key
    paths.PARAMS.write_text(text)


def report() -> dict[str, Any]:
    return json.loads(paths.DRIFT_REPORT.read_text())


def page() -> str:
    return Page(paths.DRIFT_PAGE.read_text()).text


@pytest.fixture(scope="session")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose champion was planned, trained and promoted on the batches of KNOWN."""
    folder = tmp_path_factory.mktemp("crowned")
    with contextlib.chdir(folder):
        text = (ROOT / "params.yaml").read_text()
        for pattern, value in SMALLER.items():
            text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
            assert count == 1, pattern
        paths.PARAMS.write_text(text)
        paths.CHAMPION.write_text(json.dumps(NOBODY))
        paths.ACCEPTED.mkdir(parents=True)
        for period in KNOWN:
            accept(period, shipped(period))
        monitor()
        shutil.copytree("reports", "bootstrap")
        shutil.copyfile(paths.PLAN, "plan-of-the-champion.json")
        features()
        paths.RECIPE.parent.mkdir(exist_ok=True)
        files.write_bytes(paths.RECIPE, files.exact_json_bytes(RECIPE))
        train()
        shutil.copytree(paths.CANDIDATE, paths.CHAMPION_BUNDLE)
        crown()
    return folder


def crown(*attempts: dict[str, str]) -> None:
    plan = json.loads(Path("plan-of-the-champion.json").read_text())
    digest, when = bundles.digest(paths.CHAMPION_BUNDLE), "2010-04-01T00:00:00Z"
    champions.write(Champion("bank-deposits", "1", digest, plan, "promote", when, attempts))


@pytest.fixture
def project(crowned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project to work in, with no batch newer than the champion."""
    shutil.copytree(crowned, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def quiet() -> pd.DataFrame:
    """A month like those that the champion was calibrated and judged on."""
    known = pd.concat([shipped(period) for period in KNOWN[-4:]])
    return known.sample(300, random_state=5).reset_index(drop=True)


def moved() -> pd.DataFrame:
    """A month of older and richer customers."""
    rows = quiet()
    return rows.assign(age=(rows["age"] + 30).clip(upper=95), balance=90_000)
