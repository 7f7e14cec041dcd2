"""What MLflow calls to load and to ask the registered model; by itself it needs no MLflow.

Raw rows in, probability and decision out. `adapters/pyfunc_model.py` makes it an MLflow model.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from perennial.adapters import bundles, files
from perennial.adapters.bundles import signing
from perennial.core.model.candidate import Candidate, from_artefacts
from perennial.errors import IntegrityError

SIGNATURE = "signature.json"
BESIDE = {SIGNATURE, "registered_model_meta"}  # MLflow writes the second where it loads a model


class Served:
    """A candidate behind MLflow's `predict`."""

    def __init__(self) -> None:
        self._candidate: Candidate | None = None

    def load_context(self, context: Any) -> None:
        """Load the candidate, every artefact checked against the digest it was registered under.

        As a registered model its other files are checked too. This code is one of them: whoever
        could change it could change the check, so `perennial verify` does the same from outside.

        Raises:
            IntegrityError: anything is missing, extra or differs; nothing is loaded.
        """
        folder = Path(context.artifacts["bundle"])
        if manifest := context.model_config.get("files"):
            _require_whole(folder.parents[1], manifest, context.model_config["digest"])
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


def _require_whole(folder: Path, manifest: str, digest: str) -> None:
    """Check all files of a model; those that MLflow and Python add where it is loaded may be.

    Where the environment names keys to trust, one of them must have signed it.
    """
    compiled = {p.relative_to(folder).as_posix() for p in folder.rglob("__pycache__/*.pyc")}
    found = bundles.faults(folder, None, manifest, beside={*compiled, *BESIDE})
    if found:
        raise IntegrityError(found, bundles.REMEDY)
    sealed = files.sha256(folder / manifest)
    trusted = signing.trusted_here()
    if fault := signing.fault_of_file(folder / SIGNATURE, digest, trusted, sealed):
        raise IntegrityError(f"{folder}: {fault}", signing.REMEDY)
