"""The registered model as MLflow runs it: raw rows in, probability and decision out.

MLflow copies this file into the model and executes it where the model is loaded ("models from
code"), so nothing is pickled. Beside it lie the modules it imports and the candidate's bundle.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from perennial.adapters import bundles
from perennial.core.model.candidate import Candidate, from_artefacts


class RegisteredCandidate(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A candidate behind MLflow's `predict`."""

    def __init__(self) -> None:
        self._candidate: Candidate | None = None

    def load_context(self, context: Any) -> None:
        """Load the candidate, every artefact checked against the digest it was registered under.

        Raises:
            IntegrityError: anything is missing, extra or differs; nothing is loaded.
        """
        folder = Path(context.artifacts["bundle"])
        self._candidate = from_artefacts(bundles.read(folder, context.model_config["digest"]))

    def predict(
        self,
        context: Any,  # noqa: ARG002  MLflow calls it with all three
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Return `probability` and `decision` of raw rows, in their order."""
        assert self._candidate is not None  # MLflow calls load_context first
        return self._candidate.predict(model_input)


mlflow.models.set_model(RegisteredCandidate())
