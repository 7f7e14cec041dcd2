"""The registered model as MLflow runs it.

MLflow copies this file into the model and executes it where the model is loaded ("models from
code"), so nothing is pickled. Beside it lie the modules it imports and the candidate's bundle.
"""

import mlflow

from perennial.adapters.serving import Served


class RegisteredCandidate(Served, mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A candidate as an MLflow model."""


mlflow.models.set_model(RegisteredCandidate())
