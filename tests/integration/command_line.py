"""The command line in a small project, whose flow does as a test says."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.integration.pipelines import ROOT, Pipeline, enter, make
from typer.testing import CliRunner, Result

from perennial.cli import app


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A small project with params.yaml; the flow is to be chosen."""
    made = enter(make(tmp_path / "project"), monkeypatch)
    monkeypatch.delenv("PERENNIAL_DEBUG", raising=False)
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    return made


def flow(*events: dict[str, Any], then: str = "") -> None:
    """Put a flow in the project's place that tells these events, then does something."""
    Path("flows").mkdir(exist_ok=True)
    Path("flows/training.py").write_text(
        f"import json, os, sys, time\nprint('not an event')\nfor event in {list(events)!r}:\n"
        f"    print(json.dumps(event), flush=True)\n{then}\n"
    )


def perennial(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))
