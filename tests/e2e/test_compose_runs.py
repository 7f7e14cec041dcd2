"""What deploy/compose.yaml starts works together: Prefect starts a run, Dask fits, MLflow keeps it
in PostgreSQL."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.composed import SERVICES, composed
from tests.e2e.conftest import clone
from tests.integration.backends import clustered
from tests.served import Served, until

pytest.importorskip("prefect")
pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


def test_a_run_that_is_asked_of_prefect_is_fitted_by_dask_and_registered(tmp_path: Path) -> None:
    project = clone(tmp_path / "project")
    with (
        clustered() as postgres,
        composed(project.folder, "s3cr%20et%2F%40", postgres.port) as services,
    ):
        postgres.uri(SERVICES["postgres"]["environment"]["POSTGRES_DB"])
        mlflow = services.here("http://mlflow:5000")
        project.edit("params.yaml", r"^  kind: local", "  kind: dask")
        project.edit("params.yaml", r"^  uri: null", f"  uri: {mlflow}")
        for name in SERVICES:
            if name not in services.up:
                services.start(name)
        url = services.here(SERVICES["worker"]["environment"]["PREFECT_API_URL"])
        serving = Served(project.folder, services.up["worker"][0], url)
        serving.out = tmp_path / "worker.log"
        until(lambda: "Ctrl-C" in services.said("worker"), 120, lambda: services.said("worker"))
        scheduler = services.here("tcp://dask-scheduler:8786")
        before = transitions(scheduler)
        assert serving.finish("training", seconds=500) == "COMPLETED", serving.said()
        champion = project.read("champion.json")
        alias = f"{mlflow}/api/2.0/mlflow/registered-models/alias"
        with urllib.request.urlopen(f"{alias}?name={champion['model']}&alias=champion") as answer:
            there: dict[str, Any] = json.load(answer)["model_version"]
        assert there["version"] == champion["version"]
        assert {"key": "digest", "value": champion["digest"]} in there["tags"]
        assert transitions(scheduler) > before
        assert list((project.folder / ".perennial/mlflow-server").rglob("manifest.json"))


def transitions(scheduler: str) -> int:
    """Return how often a task of the cluster has changed its state."""
    from distributed import Client

    with Client(scheduler, timeout=10) as client:
        return int(
            client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
        )
