"""train: the candidate by the recipe, and what it is compared with: the two simple models it has
to be worth more than, and itself without mitigation."""

import json
from contextlib import AbstractContextManager, nullcontext

from perennial import paths
from perennial.adapters import bundles, files
from perennial.adapters.engine import devices, members
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import matrices
from perennial.core.dataset.features import FeatureSpec
from perennial.core.model.candidate import to_artefacts
from perennial.core.training import (
    BASELINES,
    Fit,
    fit_candidate,
    fit_members,
    mitigated,
    without_mitigation,
)
from perennial.params.engine import Engine
from perennial.stages.running import run


def train() -> None:
    """Fit candidate and baselines on the same rows; write each as a bundle with its manifest."""
    params = read_params("seed", "training", "engine")
    device = params.engine.device
    recipe = files.read_json(paths.RECIPE, "Run `dvc repro`.")
    spec = FeatureSpec.from_json(json.loads((paths.FEATURES / "spec.json").read_bytes()))
    rows = matrices.read_part(paths.FEATURES, "train")
    calibrate = matrices.read_part(paths.FEATURES, "calibration")
    plain = without_mitigation(params.training)
    with _fitting(params.engine) as fit:
        for name, simple in {**BASELINES, "unmitigated": recipe}.items():
            fitted = fit_candidate(simple, spec, rows, calibrate, plain, params.seed, device, fit)
            bundles.write(paths.BASELINES / name, to_artefacts(fitted))
        candidate = mitigated(
            fitted, recipe, rows, calibrate, params.training, params.seed, device, fit
        )
    digest = bundles.write(paths.CANDIDATE, to_artefacts(candidate))
    count = len(candidate.boosters) or 1
    print(f"train: candidate {digest[:12]}, {candidate.kind}, {count} member(s)")


def _fitting(engine: Engine) -> AbstractContextManager[Fit]:
    if engine.kind == "dask":
        return members.fitting(engine.training, engine.device)
    devices.require(engine.device)
    return nullcontext(fit_members)


if __name__ == "__main__":
    run(train)
