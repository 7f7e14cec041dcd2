"""The engine on Dask, on real clusters: the bytes of a run without it, whoever is killed."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.integration import clusters
from tests.integration.clusters import by_itself
from tests.integration.test_search import fits, make_project, outputs

from perennial import paths
from perennial.adapters import study
from perennial.adapters.configuration import read_params
from perennial.adapters.engine import cluster, rows
from perennial.errors import InputError, UnreachableError
from perennial.stages.features import features
from perennial.stages.train import train
from perennial.stages.tune import tune

__all__ = ["by_itself"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def two() -> "contextlib.AbstractContextManager[clusters.LocalCluster]":
    with clusters.cluster(2) as made:
        yield made  # type: ignore[misc]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clusters.run(make_project(tmp_path_factory.mktemp("searched")), tune)


DASHBOARD = ("--dashboard-address", f"{clusters.HERE}:0")


def worker(there: str, folder: Path) -> tuple[str, ...]:
    """Return the command of a worker that nobody starts again."""
    command = ("distributed.cli.dask_worker", there, "--no-nanny", "--nthreads", "1")
    return *command, *DASHBOARD, "--local-directory", str(folder / "worker")


def on_dask(folder: Path) -> Path:
    clusters.settings(make_project(folder), kind="dask")
    return folder


def test_matrices_recipe_and_models_are_the_bytes_of_a_run_without_dask_on_two_workers(
    by_itself: Path, two: clusters.LocalCluster, tmp_path: Path
) -> None:
    folder = clusters.again(by_itself, tmp_path / "p", kind="dask")
    clusters.run(folder, PERENNIAL_SCHEDULER=two.scheduler_address)
    assert clusters.members(folder) > 1
    assert clusters.made(folder) == clusters.made(by_itself)


@pytest.mark.slow
def test_they_are_on_one_worker_too_and_by_rows_as_well(by_itself: Path, tmp_path: Path) -> None:
    """With one worker there is one share of the rows, and no sum is added in another order."""
    with clusters.cluster(1) as one:
        for training in ("members", "rows"):
            folder = clusters.again(by_itself, tmp_path / training, kind="dask", training=training)
            clusters.run(folder, PERENNIAL_SCHEDULER=one.scheduler_address)
            assert clusters.made(folder) == clusters.made(by_itself)


def test_a_cluster_made_here_gives_them_too_and_leaves_its_files_in_the_project(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = clusters.run(on_dask(tmp_path / "p"), tune, PERENNIAL_WORKERS="2")
    assert outputs(folder) == outputs(searched)
    assert (folder / paths.DASK).is_dir()
    assert not (tmp_path / "home").exists()


def trained(project: Path, folder: Path, scheduler: str, **values: str) -> dict[str, bytes]:
    """Return what train makes on Dask, of the project's matrices and recipe."""
    clusters.again(project, folder, kind="dask", **values)
    shutil.copytree(project / paths.FEATURES, folder / paths.FEATURES)
    shutil.copy(project / paths.RECIPE, folder / paths.RECIPE)
    return clusters.made(clusters.run(folder, train, PERENNIAL_SCHEDULER=scheduler))


@pytest.mark.slow
def test_by_rows_two_workers_give_the_same_bytes_again_which_are_not_those_of_one(
    by_itself: Path, two: clusters.LocalCluster, tmp_path: Path
) -> None:
    """Also where the worker that is first by name is second by address, and the other way round."""
    found = [trained(by_itself, tmp_path / "two", two.scheduler_address, training="rows")]
    for order in ("ab", "ba"):
        ports = sorted({str(_free_port()), str(_free_port())})
        with clusters.cluster(0) as none, contextlib.ExitStack() as until_the_end:
            there = none.scheduler_address
            for name, port in zip(order, ports, strict=True):
                command = (*worker(there, tmp_path), "--name", name, "--worker-port", port)
                until_the_end.enter_context(
                    clusters.process(*command, "--host", clusters.HERE, ready="Registered to:")
                )
            found.append(trained(by_itself, tmp_path / order, there, training="rows"))
    assert found[0] == found[1] == found[2]
    assert found[0] != clusters.made(by_itself)


@pytest.mark.slow
def test_weights_of_a_mitigation_go_to_the_workers(by_itself: Path, tmp_path: Path) -> None:
    local = clusters.again(by_itself, tmp_path / "local", method="reweighing")
    shutil.copytree(by_itself / paths.FEATURES, local / paths.FEATURES)
    shutil.copy(by_itself / paths.RECIPE, local / paths.RECIPE)
    weighed = clusters.made(clusters.run(local, train))
    member = "models/candidate/member-00.ubj"
    assert weighed[member] != clusters.made(by_itself)[member]
    with clusters.cluster(1) as one:
        for by in ("members", "rows"):
            values = {"training": by, "method": "reweighing"}
            found = trained(by_itself, tmp_path / by, one.scheduler_address, **values)
            assert found == weighed


# whoever is killed


def test_a_worker_that_is_killed_in_the_search_changes_nothing(
    searched: Path, two: clusters.LocalCluster, tmp_path: Path
) -> None:
    folder = on_dask(tmp_path / "p")
    before = clusters.ids(two)
    thread = clusters.kill_one_when(lambda: len(fits(folder)) >= 3, two)
    clusters.run(folder, tune, PERENNIAL_SCHEDULER=two.scheduler_address)
    thread.join()
    assert outputs(folder) == outputs(searched)
    two.wait_for_workers(2)
    assert len(set(before) & set(clusters.ids(two))) == 1


@pytest.mark.slow
def test_a_worker_that_is_killed_while_all_fit_over_the_rows_changes_nothing(
    by_itself: Path,
    two: clusters.LocalCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = clusters.again(by_itself, tmp_path / "project")
    shutil.copytree(by_itself / paths.FEATURES, project / paths.FEATURES)
    recipe = json.loads((by_itself / paths.RECIPE).read_text())
    recipe["members"] = [{**recipe["members"][0], "rounds": 3000}]
    (project / paths.RECIPE).write_text(json.dumps(recipe))
    begun, fit = [], rows._fit_over

    def counted(*given: Any) -> Any:
        begun.append(time.monotonic())
        return fit(*given)

    monkeypatch.setattr(rows, "_fit_over", counted)
    two.wait_for_workers(2)
    undisturbed = trained(project, tmp_path / "a", two.scheduler_address, training="rows")
    assert len(begun) == 2  # default, and the recipe's member
    two.wait_for_workers(2)
    thread = clusters.kill_one_when(
        lambda: len(begun) == 4 and time.monotonic() - begun[3] > 0.7, two
    )
    killed = trained(project, tmp_path / "b", two.scheduler_address, training="rows")
    thread.join()
    assert len(begun) > 4  # it was begun again
    assert killed == undisturbed


def test_work_for_a_scheduler_that_is_gone_is_said_to_be_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERENNIAL_SCHEDULER", f"tcp://{clusters.HERE}:{(port := _free_port())}")
    command = ("distributed.cli.dask_scheduler", "--host", clusters.HERE, "--port", str(port))
    with (
        clusters.process(*command, *DASHBOARD, ready="Scheduler at:") as scheduler,
        clusters.Client(f"tcp://{clusters.HERE}:{port}", set_as_default=False) as client,
    ):
        scheduler.kill()
        scheduler.wait()
        while client.status == "running":  # it has not been told yet
            time.sleep(0.1)
        with pytest.raises(UnreachableError, match="is gone"):
            cluster.submit(client, len, "abc", device="cpu")


def test_a_scheduler_that_is_killed_is_said_and_what_was_finished_is_kept(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, port = on_dask(tmp_path / "p"), str(_free_port())
    put = study.Memo.put
    there = f"tcp://{clusters.HERE}:{port}"
    command = ("distributed.cli.dask_scheduler", "--host", clusters.HERE, "--port", port)
    with (
        clusters.process(*command, *DASHBOARD, ready="Scheduler at:") as first,
        clusters.process(*worker(there, tmp_path), ready="Registered to:"),
    ):

        def put_and_kill(memo: study.Memo, task: object, fit: object) -> None:
            put(memo, task, fit)  # type: ignore[arg-type]
            if len(fits(folder)) == 4:
                first.kill()
                first.wait()

        monkeypatch.setattr(study.Memo, "put", put_and_kill)
        with pytest.raises(UnreachableError, match="is gone") as caught:
            clusters.run(folder, tune, PERENNIAL_SCHEDULER=there)
    assert "run the same command again" in caught.value.remedy
    kept = fits(folder)
    assert 4 <= len(kept) < len(fits(searched))
    clusters.settings(folder, kind="local")
    clusters.run(folder, tune, PERENNIAL_WORKERS="1")
    assert outputs(folder) == outputs(searched)
    assert kept.items() <= fits(folder).items()


# what can't be


def _free_port() -> int:
    import socket

    with socket.socket() as tried:
        tried.bind((clusters.HERE, 0))
        return int(tried.getsockname()[1])


def test_an_address_at_which_nobody_listens_ends_with_4_in_seconds(tmp_path: Path) -> None:
    folder = on_dask(tmp_path / "p")
    there = f"tcp://{clusters.HERE}:{_free_port()}"
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
    folder = on_dask(tmp_path / "p")
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
        clusters.run(on_dask(tmp_path / "p"), tune, PERENNIAL_SCHEDULER=none.scheduler_address)
    assert "dask worker" in caught.value.remedy


def test_a_worker_with_other_code_is_refused(tmp_path: Path) -> None:
    """It might fit other bytes, and nobody would know."""
    other = tmp_path / "other"
    shutil.copytree(ROOT / "src/perennial", other / "perennial")
    with (other / "perennial/core/model/boosting.py").open("a") as file:
        file.write("# another commit\n")
    with clusters.cluster(0) as none:
        there = none.scheduler_address
        command = worker(there, tmp_path)
        with (
            clusters.process(*command, ready="Registered to:", PYTHONPATH=str(other)),
            pytest.raises(InputError, match="has another version") as caught,
        ):
            clusters.run(on_dask(tmp_path / "p"), tune, PERENNIAL_SCHEDULER=there)
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
        clusters.run(on_dask(tmp_path / "p"), tune)
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
