"""The device that XGBoost fits on, and which of its two wheels is installed."""

import json
import warnings
from importlib import metadata

from perennial.errors import InputError, UnreachableError

CPU_WHEEL, WHEEL = "xgboost-cpu", "xgboost"
BACK = "or set engine.device to cpu in params.yaml."


def wheel() -> tuple[str, str]:
    """Return the name and version of the installed wheel: the same code, with CUDA or without."""
    for name in (CPU_WHEEL, WHEEL):
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    raise InputError("XGBoost is not installed", "Run `make setup`.")


def require(device: str) -> None:
    """Check that XGBoost can fit on `device`, which it would otherwise leave for the CPU unasked.

    Args:
        device: `cpu` or `cuda`.

    Raises:
        InputError: the XGBoost that is installed has no CUDA code.
        UnreachableError: it has, and finds no device that works.
    """
    if device == "cpu":
        return
    import xgboost

    if not xgboost.build_info().get("USE_CUDA"):
        name, version = wheel()
        raise InputError(
            f"engine.device is {device}, and the XGBoost installed here ({name} {version}) has no "
            "CUDA code",
            f"Put the wheel with it in its place (`pip uninstall {name}`, then `pip install "
            f"{WHEEL}=={version}`), {BACK}",
        )
    remedy = f"Look whether `nvidia-smi` shows a device and its driver, {BACK}"
    try:
        found = _fitted_on(device)
    except xgboost.core.XGBoostError as error:
        what = str(error).strip().splitlines()[-1]
        raise UnreachableError(f"engine.device is {device}: {what}", remedy) from error
    if not found.startswith(device):
        raise UnreachableError(
            f"engine.device is {device}, and XGBoost finds no such device", remedy
        )


def _fitted_on(device: str) -> str:
    """Return which device XGBoost really takes when it is asked for one."""
    import numpy as np
    import xgboost

    rows = xgboost.DMatrix(np.eye(4), label=np.arange(4) % 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is what is raised
        booster = xgboost.train({"device": device, "tree_method": "hist"}, rows, 1)
    return str(json.loads(booster.save_config())["learner"]["generic_param"]["device"])
