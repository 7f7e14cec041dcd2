"""The candidate's other forms, and how far each is from what it says itself."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from perennial.adapters import onnx_export
from perennial.adapters.serving import Served
from perennial.core.evaluation.parity import coded, edge_rows, largest_gap, rounded_up
from perennial.core.model.candidate import Candidate


def compare(
    candidate: Candidate,
    served: np.ndarray,
    model: bytes | None,
    features: pd.DataFrame,
    native: np.ndarray,
) -> Mapping[str, Any]:
    """Return the largest gap of each form on each kind of rows.

    Args:
        candidate: What the others are held to.
        served: What MLflow's pyfunc says of the rows, shape (rows,).
        model: The ONNX model; None where the extra is missing.
        features: The rows' feature matrix.
        native: The candidate's own probabilities of them, shape (rows,).
    """
    gaps = {"pyfunc": {"holdout": _gap(native, served)}}
    if model is not None:
        edges = edge_rows(candidate.spec)
        exported = onnx_export.predict(model, coded(features))
        edge = _gap(candidate.probability(edges), onnx_export.predict(model, coded(edges)))
        gaps["onnx"] = {"holdout": _gap(native, exported), "edge": edge}
        gaps["onnx_to_pyfunc"] = {"holdout": _gap(exported, served)}
    return {"missing": onnx_export.missing(), "gaps": gaps}


def served_by_mlflow(bundle: Path, digest: str, raw: pd.DataFrame) -> np.ndarray:
    """Return what the registered model would say of raw rows, shape (rows,).

    It is loaded and asked by the methods that MLflow calls.
    """
    context = SimpleNamespace(artifacts={"bundle": bundle}, model_config={"digest": digest})
    served = Served()
    served.load_context(context)
    return served.predict(context, raw)["probability"].to_numpy()


def _gap(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    # up to one digit: the last ones differ between processors, and reports are hashed
    return {"rows": len(first), "gap": rounded_up(largest_gap(first, second))}
