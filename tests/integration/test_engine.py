"""The engine on Dask, on real clusters: the bytes of a run without it, whoever is killed."""

import contextlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from tests.integration import clusters
from tests.integration.clusters import by_itself, two
from tests.integration.searches import fits, make_project, outputs

from perennial import paths
from perennial.adapters import study
from perennial.adapters.engine import cluster, rows
from perennial.errors import UnreachableError
from perennial.stages.train import train
from perennial.stages.tune import tune

__all__ = ["by_itself", "two"]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clusters.run(make_project(tmp_path_factory.mktemp("searched")), tune)


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
    folder = clusters.run(clusters.on_dask(tmp_path / "p"), tune, PERENNIAL_WORKERS="2")
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
        ports = sorted({str(clusters.free_port()), str(clusters.free_port())})
        with clusters.cluster(0) as none, contextlib.ExitStack() as until_the_end:
            there = none.scheduler_address
            for name, port in zip(order, ports, strict=True):
                command = (*clusters.worker(there, tmp_path), "--name", name, "--worker-port", port)
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
    folder = clusters.on_dask(tmp_path / "p")
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
    monkeypatch.setenv(
        "PERENNIAL_SCHEDULER", f"tcp://{clusters.HERE}:{(port := clusters.free_port())}"
    )
    command = ("distributed.cli.dask_scheduler", "--host", clusters.HERE, "--port", str(port))
    with (
        clusters.process(*command, *clusters.DASHBOARD, ready="Scheduler at:") as scheduler,
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
    folder, port = clusters.on_dask(tmp_path / "p"), str(clusters.free_port())
    put = study.Memo.put
    there = f"tcp://{clusters.HERE}:{port}"
    command = ("distributed.cli.dask_scheduler", "--host", clusters.HERE, "--port", port)
    with (
        clusters.process(*command, *clusters.DASHBOARD, ready="Scheduler at:") as first,
        clusters.process(*clusters.worker(there, tmp_path), ready="Registered to:"),
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
