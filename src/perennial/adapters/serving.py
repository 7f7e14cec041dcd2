"""What MLflow calls to load and to ask the registered model; by itself it needs no MLflow.

Raw rows in, probability and decision out. `adapters/pyfunc_model.py` makes it an MLflow model.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from perennial.adapters import bundles
from perennial.core.model.candidate import Candidate, from_artefacts


class Served:
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
