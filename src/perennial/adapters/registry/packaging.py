"""A candidate as an MLflow model: its bundle, the code that reads it, what it takes and returns."""

import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters.registry.records import BUNDLE, Record

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

PACKAGE = Path(__file__).parents[2]
MODEL = PACKAGE / "adapters/pyfunc_model.py"
# What MODEL imports, directly or not: it must load where Perennial is not installed.
SHIPPED = (
    "__init__.py",
    "errors.py",
    "params.py",
    "adapters/__init__.py",
    "adapters/bundles.py",
    "adapters/files.py",
    "core/__init__.py",
    "core/boosting.py",
    "core/calibration.py",
    "core/candidate.py",
    "core/decision.py",
    "core/features.py",
    "core/linear.py",
)
REQUIRED = ("numpy", "pandas", "pydantic", "xgboost-cpu")  # MLflow names itself


def save(folder: Path, record: Record, model: "LoggedModel") -> Path:
    """Write a candidate as an MLflow model below `folder` and return where it is.

    No pickle: MLflow copies the code and runs it where the model is loaded.
    """
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    code, bundle, saved = folder / PACKAGE.name, folder / BUNDLE.name, folder / "saved"
    for name in SHIPPED:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, code / name)
    shutil.copytree(record.bundle, bundle)
    save_model(
        str(saved),
        python_model=str(MODEL),
        artifacts={"bundle": str(bundle)},
        code_paths=[str(code)],
        model_config={"digest": record.digest},
        signature=_signature(record),
        input_example=record.example,
        # named, or MLflow would load the model to find out, and ask for both XGBoost's wheels
        pip_requirements=[f"{name}=={metadata.version(name)}" for name in REQUIRED],
        mlflow_model=Model(
            artifact_path=model.artifact_location,
            run_id=model.source_run_id,
            model_uuid=model.model_id,
            model_id=model.model_id,
        ),
    )
    for cache in list(saved.rglob("__pycache__")):
        shutil.rmtree(cache)
    return saved


def _signature(record: Record) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec(kind, name) for name, kind in record.inputs.items()])
    outputs = Schema([ColSpec("double", "probability"), ColSpec("long", "decision")])
    return ModelSignature(inputs, outputs)
