"""engine.device: what can't be had is said before anything is fitted, never left for the CPU."""

import pytest
import xgboost

from perennial.adapters.engine import devices
from perennial.errors import InputError, UnreachableError

WITH_CUDA = bool(xgboost.build_info()["USE_CUDA"])


def test_the_cpu_is_always_there() -> None:
    devices.require("cpu")


@pytest.mark.skipif(WITH_CUDA, reason="this XGBoost has CUDA code")
def test_an_xgboost_without_cuda_is_named_with_the_wheel_that_has_it() -> None:
    with pytest.raises(InputError, match="no CUDA code") as caught:
        devices.require("cuda")
    assert f"pip install xgboost=={xgboost.__version__}" in caught.value.remedy


@pytest.mark.skipif(WITH_CUDA, reason="a device may be there")
def test_no_device_is_an_error_though_xgboost_would_quietly_take_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wheel with CUDA code does here what this one does: it trains on the CPU and warns."""
    assert devices._fitted_on("cuda") == "cpu"
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": True})
    with pytest.raises(UnreachableError, match="finds no such device"):
        devices.require("cuda")
