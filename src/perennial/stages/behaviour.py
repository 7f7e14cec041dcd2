"""What evaluate asks of the candidate beside its scores: what it does with rows that are changed
or strange, what it costs, and whether its other forms, ONNX and MLflow's pyfunc, agree with it."""

import shutil

import numpy as np
import pandas as pd

from perennial import paths
from perennial.adapters import bundles, files, onnx_export
from perennial.adapters.parquet import batches, matrices
from perennial.core.dataset.part import evenly
from perennial.core.evaluation import probing
from perennial.core.model.candidate import Candidate, from_artefacts
from perennial.core.statistics import clusters
from perennial.params import Behaviour
from perennial.stages import exports, timing


def examine(candidate: Candidate, features: pd.DataFrame, settings: Behaviour, seed: int) -> str:
    """Probe the candidate on the holdout's raw rows, count its costs and export it.

    Args:
        candidate: The model.
        features: The holdout's feature matrix.
        settings: Which rows are changed, and how.
        seed: Of the changes that are drawn.

    Returns:
        What to say of it.
    """
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    rows = matrices.read_rows(paths.FEATURES, "holdout")
    raw = batches.read_rows(plan["parts"]["holdout"], rows, (paths.ACCEPTED, paths.BATCHES))
    wrong = _probe(candidate, raw, features, settings, seed, clusters.of(rows))
    said = _export(candidate, raw, features)
    files.write_json(paths.TIMINGS, timing.measure(candidate, raw))
    return f"{wrong} changed rows against what is declared of them; {said}"


def _probe(
    candidate: Candidate,
    raw: pd.DataFrame,
    features: pd.DataFrame,
    settings: Behaviour,
    seed: int,
    key: np.ndarray | None,
) -> int:
    """Write counts, gaps and counted costs; return how many rows moved the wrong way."""
    chosen = evenly(len(raw), settings.rows)
    default = from_artefacts(bundles.read(paths.BASELINES / "default"))
    some = raw.iloc[chosen].reset_index(drop=True)
    own_key = None if key is None else key[chosen]
    found = probing.probe(candidate, default, some, features.iloc[chosen], settings, seed, own_key)
    files.write_json(paths.BEHAVIOUR_REPORT, {"schema_version": 1, **found})
    return sum(tried["violations"] for tried in found["directions"].values())


def _export(candidate: Candidate, raw: pd.DataFrame, features: pd.DataFrame) -> str:
    """Write the ONNX model and the gaps of each form; return what to say of it."""
    shutil.rmtree(paths.ONNX, ignore_errors=True)
    paths.ONNX.mkdir(parents=True)  # an output of the DAG, empty where the extra is missing
    missing = onnx_export.missing()
    model = None if missing else onnx_export.export(candidate)
    if model is not None:
        files.write_bytes(paths.ONNX / "model.onnx", model)
    served = exports.served_by_mlflow(paths.CANDIDATE, bundles.digest(paths.CANDIDATE), raw)
    native = candidate.probability(features)
    found = exports.compare(candidate, served, model, features, native)
    files.write_json(paths.PARITY_REPORT, {"schema_version": 1, **found})
    if missing:
        return f"no ONNX without {', '.join(missing)}"
    worst = max(part["gap"] for part in found["gaps"]["onnx"].values())
    return f"ONNX is within {worst:.0e} of its probabilities"
