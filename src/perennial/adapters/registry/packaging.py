"""A candidate as an MLflow model: its bundle, the code that reads it, what it takes and returns."""

import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.adapters import bundles
from perennial.adapters.engine import devices
from perennial.adapters.registry.records import BUNDLE, FILES, Record

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

PACKAGE = Path(__file__).parents[2]
MODEL = PACKAGE / "adapters/pyfunc_model.py"
# What MODEL imports, directly or not: it must load where Perennial is not installed.
SHIPPED = (
    "__init__.py",
    "adapters/__init__.py",
    "adapters/bundles/__init__.py",
    "adapters/bundles/signing.py",
    "adapters/files/__init__.py",
    "adapters/serving.py",
    "core/__init__.py",
    "core/dataset/__init__.py",
    "core/dataset/features.py",
    "core/model/__init__.py",
    "core/model/boosting.py",
    "core/model/calibration.py",
    "core/model/candidate.py",
    "core/model/decision.py",
    "core/model/linear.py",
    "errors.py",
    "names.py",
    "params/__init__.py",
    "params/base.py",
    "params/drift.py",
    "params/engine.py",
    "params/gates.py",
    "params/privacy.py",
    "params/search.py",
    "params/slices.py",
)
REQUIRED = ("numpy", "pandas", "pydantic")  # MLflow names itself


def save(folder: Path, record: Record, model: "LoggedModel") -> tuple[Path, str]:
    """Write a candidate as an MLflow model below `folder`; return where, and its files' digest.

    No pickle: MLflow copies the code and runs it where the model is loaded. So the code has digests
    too, in a manifest of all files whose own digest goes into the registry's database.
    """
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    code, bundle, saved = folder / PACKAGE.name, folder / BUNDLE.name, folder / "saved"
    for name in SHIPPED:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, code / name)
    shutil.copytree(record.bundle, bundle)
    described = Model(
        artifact_path=record.model,
        run_id=model.source_run_id,
        model_uuid=model.model_id,
        model_id=model.model_id,
    )
    save_model(
        str(saved),
        python_model=str(MODEL),
        artifacts={"bundle": str(bundle)},
        code_paths=[str(code)],
        model_config={"digest": record.digest, "files": FILES},
        signature=_signature(record),
        input_example=record.example,
        # named, or MLflow would load the model to find out, and ask for both XGBoost's wheels
        pip_requirements=[
            *(f"{name}=={metadata.version(name)}" for name in REQUIRED),
            f"{devices.CPU_WHEEL}=={devices.wheel()[1]}",  # a model of either wheel is read by both
        ],
        metadata={"inputs": dict(record.inputs)},
        mlflow_model=described,
    )
    flavor = described.flavors["python_function"]  # names where it was saved from: of no use
    flavor["model_code_path"] = MODEL.name
    flavor["artifacts"]["bundle"]["uri"] = BUNDLE.as_posix()
    described.save(str(saved / "MLmodel"))
    for cache in list(saved.rglob("__pycache__")):
        shutil.rmtree(cache)
    return saved, bundles.seal(saved, FILES)


def _signature(record: Record) -> "ModelSignature":
    """Return text as strings and all else as any, which the feature spec makes numbers of.

    MLflow takes no 64-bit integer for a double and no missing value for a long, and raw rows have
    both.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType
    from pandas.api.types import is_string_dtype

    inputs = [
        ColSpec(DataType.string if is_string_dtype(column) else AnyType(), str(name))
        for name, column in record.example.items()
    ]
    outputs = [ColSpec(DataType.double, "probability"), ColSpec(DataType.long, "decision")]
    return ModelSignature(Schema(inputs), Schema(outputs))
