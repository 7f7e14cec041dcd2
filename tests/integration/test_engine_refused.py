"""The engine on Dask: addresses, workers and settings that can not be, each with its remedy."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration import clusters
from tests.integration.clusters import by_itself, two

from perennial.adapters.engine import cluster
from perennial.adapters.files.configuration import read_params
from perennial.errors import InputError, UnreachableError
from perennial.stages.features import features
from perennial.stages.tune import tune

__all__ = ["by_itself", "two"]
ROOT = Path(__file__).parents[2]


def test_an_address_at_which_nobody_listens_ends_with_4_in_seconds(tmp_path: Path) -> None:
    folder = clusters.on_dask(tmp_path / "p")
    there = f"tcp://{clusters.HERE}:{clusters.free_port()}"
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "perennial.stages.tune"],
        cwd=folder,
        env={**os.environ, "PERENNIAL_SCHEDULER": there},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 4, ended.stderr
    assert f"no scheduler answers at {there}" in ended.stderr
    assert "engine.kind to local" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert time.monotonic() - start < cluster.ANSWER + 20


@pytest.mark.parametrize("there", ["8786", "http://h:1", "tcp://h", "tcp://u:p@h:1", "tcp:// h:1"])
def test_an_address_that_is_none_is_the_users_to_correct(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    folder = clusters.on_dask(tmp_path / "p")
    with pytest.raises(InputError, match="PERENNIAL_SCHEDULER"):
        clusters.run(folder, tune, PERENNIAL_SCHEDULER=there)


def test_a_scheduler_without_workers_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "WORKERS", 1)
    with (
        clusters.cluster(0) as none,
        pytest.raises(UnreachableError, match="no worker") as caught,
    ):
        clusters.run(
            clusters.on_dask(tmp_path / "p"), tune, PERENNIAL_SCHEDULER=none.scheduler_address
        )
    assert "dask worker" in caught.value.remedy


def test_a_worker_with_other_code_is_refused(tmp_path: Path) -> None:
    """It might fit other bytes, and nobody would know."""
    other = tmp_path / "other"
    shutil.copytree(ROOT / "src/perennial", other / "perennial")
    with (other / "perennial/core/model/boosting.py").open("a") as file:
        file.write("# another commit\n")
    with clusters.cluster(0) as none:
        there = none.scheduler_address
        command = clusters.worker(there, tmp_path)
        with (
            clusters.process(*command, ready="Registered to:", PYTHONPATH=str(other)),
            pytest.raises(InputError, match="has another version") as caught,
        ):
            clusters.run(clusters.on_dask(tmp_path / "p"), tune, PERENNIAL_SCHEDULER=there)
    assert "the same commit" in caught.value.remedy


def test_an_error_on_a_worker_comes_back_as_it_is(
    by_itself: Path, two: clusters.LocalCluster, tmp_path: Path
) -> None:
    folder = clusters.again(by_itself, tmp_path / "p", kind="dask")
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("column: deposit", "column: lost", 1))
    with pytest.raises(InputError, match="column lost: missing") as caught:
        clusters.run(folder, features, PERENNIAL_SCHEDULER=two.scheduler_address)
    assert "target.column" in caught.value.remedy


def test_dask_that_is_not_installed_is_named_with_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="not installed") as caught:
        clusters.run(clusters.on_dask(tmp_path / "p"), tune)
    assert "perennial[dask]" in caught.value.remedy


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"training": "rows"}, "kind: dask"),
        ({"training": "rows", "kind": "dask", "method": "exponentiated_gradient"}, "rows"),
        ({"kind": "spark"}, "engine.kind"),
    ],
)
def test_engines_that_can_not_be_are_refused_with_their_line(
    by_itself: Path, tmp_path: Path, values: dict[str, str], said: str
) -> None:
    folder = clusters.again(by_itself, tmp_path / "p", **values)
    with pytest.raises(InputError, match=said):
        read_params(path=folder / "params.yaml")


LOCAL = """
import sys
from perennial.stages import features, train, tune
for stage in (features.features, tune.tune, train.train):
    stage()
print(sorted({"dask", "distributed", "xgboost.dask", "tornado"} & set(sys.modules)))
"""


def test_without_it_dask_is_not_imported(by_itself: Path, tmp_path: Path) -> None:
    folder = clusters.again(by_itself, tmp_path / "p")
    ended = subprocess.run(
        [sys.executable, "-c", LOCAL],
        cwd=folder,
        env={**os.environ, "PERENNIAL_WORKERS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ended.stdout.splitlines()[-1] == "[]"
