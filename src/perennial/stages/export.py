"""export: the candidate as ONNX; how far this and MLflow's pyfunc are from what it says itself."""

import os
import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from perennial import paths
from perennial.adapters import batches, bundles, files, matrices, onnx_export
from perennial.core.model.candidate import from_artefacts
from perennial.core.parity import coded, edge_rows, largest_gap, rounded_up
from perennial.stages import timing
from perennial.stages.running import run


def export() -> None:
    """Write the ONNX model, and the largest gap of each form on each kind of rows."""
    shutil.rmtree(paths.ONNX, ignore_errors=True)
    paths.ONNX.mkdir(parents=True)  # an output of the DAG, empty where the extra is missing
    candidate = from_artefacts(bundles.read(paths.CANDIDATE))
    holdout = matrices.read_part(paths.FEATURES, "holdout").features
    raw = _raw_holdout()
    native, served, missing = candidate.probability(holdout), _served(raw), onnx_export.missing()
    gaps, said = {"pyfunc": {"holdout": _gap(native, served)}}, f"no ONNX without {missing}"
    if not missing:
        model, edges = onnx_export.export(candidate), edge_rows(candidate.spec)
        files.write_bytes(paths.ONNX / "model.onnx", model)
        exported = onnx_export.predict(model, coded(holdout))
        edge = _gap(candidate.probability(edges), onnx_export.predict(model, coded(edges)))
        gaps["onnx"] = {"holdout": _gap(native, exported), "edge": edge}
        gaps["onnx_to_pyfunc"] = {"holdout": _gap(exported, served)}
        worst = max(found["gap"] for found in gaps["onnx"].values())
        said = f"ONNX is within {worst:.0e} of the candidate's probabilities"
    report = {"schema_version": 1, "missing": missing, "gaps": gaps}
    files.write_json(paths.PARITY_REPORT, report)
    files.write_json(paths.TIMINGS, timing.measure(candidate, raw))
    print(f"export: {said}")


def _raw_holdout() -> pd.DataFrame:
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    rows = matrices.read_rows(paths.FEATURES, "holdout")
    return batches.read_rows(plan["parts"]["holdout"], rows, (paths.ACCEPTED, paths.BATCHES))


def _served(raw: pd.DataFrame) -> np.ndarray:
    """Return what MLflow's pyfunc says of raw rows, shape (rows,)."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before MLflow is imported
    from perennial.adapters.pyfunc_model import RegisteredCandidate

    settings = {"digest": bundles.digest(paths.CANDIDATE)}
    context = SimpleNamespace(artifacts={"bundle": paths.CANDIDATE}, model_config=settings)
    served = RegisteredCandidate()
    served.load_context(context)
    return served.predict(context, raw)["probability"].to_numpy()


def _gap(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    # up to one digit: the last ones differ between processors, and reports are hashed
    return {"rows": len(first), "gap": rounded_up(largest_gap(first, second))}


if __name__ == "__main__":
    run(export)
