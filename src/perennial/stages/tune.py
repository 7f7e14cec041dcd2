"""tune: the recipe that train fits, found by search or, under `retrain`, passed on by the plan."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from perennial import paths
from perennial.adapters import files, progress, study
from perennial.adapters.engine import devices, fits, workers
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import matrices
from perennial.core import search as core
from perennial.core.model import boosting, kinds
from perennial.params import Params
from perennial.stages import searching
from perennial.stages.running import run


def tune() -> None:
    """Search, unless the plan brings the champion's recipe; write recipe, trials and plots."""
    params = read_params("seed", "search", "engine")
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    if plan["hyperparameters"] is not None:
        print("tune: the plan brings the champion's recipe, nothing is searched")
        choice = {"chosen": "champion", "recipe": plan["hyperparameters"], "out_of_fold": {}}
        trials: list[core.Trial] = []
    else:
        choice, trials = _search(params)
        few = choice.get("sample")
        on = f" of {few['judged']:,} rows of {few['rows']:,} of {few['of']:,}" if few else ""
        print(f"tune: {choice['chosen']} chosen, log loss out of fold{on} {_losses(choice)}")
    files.write_json(paths.SEARCH_REPORT / "choice.json", {"schema_version": 1, **choice})
    files.write_bytes(paths.RECIPE, files.exact_json_bytes(choice["recipe"]))
    files.write_bytes(paths.SEARCH_REPORT / "trials.csv", _table(trials))
    if trials:
        study.plots(params.search, trials, paths.SEARCH_REPORT)


def _search(params: Params) -> tuple[dict[str, Any], list[core.Trial]]:
    device = params.engine.device
    on_cluster = params.engine.kind == "dask"
    if not on_cluster:  # where the workers are asked
        devices.require(device)
    return searching.search(
        matrices.read_part(paths.FEATURES, "train"),
        params.seed,
        params.search,
        paths.STUDIES / _fitted_on(params),
        # several processes would fight for the one device
        processes=None if device == boosting.CPU else 1,
        device=device,
        watch=lambda found: progress.track(found, params.search.trials, "tune"),
        fitting=fits.fitting if on_cluster else workers.fitting,
    )


def _fitted_on(params: Params) -> str:
    """Return the digest of all that a fit depends on besides its task."""
    return files.digest_of(
        *(files.sha256(paths.FEATURES / f"train-{kind}.parquet") for kind in ("features", "rows")),
        *(files.sha256(Path(str(module.__file__))) for module in (core, boosting, kinds)),
        f"{params.seed} {params.search.folds} {devices.wheel()[1]}",
    )


def _table(trials: Iterable[core.Trial]) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["number", "state", "log_loss", "rounds", "kind", *kinds.SOUND])
    for trial in trials:
        state = "pruned" if trial.margins is None else "complete"
        values = [f"{trial.params[name]:.6g}" for name in kinds.SOUND]
        rounds = max(trial.rounds)
        writer.writerow([trial.number, state, f"{trial.loss:.9g}", rounds, trial.kind, *values])
    return table.getvalue().encode()


def _losses(choice: dict[str, Any]) -> str:
    return ", ".join(f"{k} {v['log_loss']:.4f}" for k, v in choice["out_of_fold"].items())


if __name__ == "__main__":
    run(tune)
