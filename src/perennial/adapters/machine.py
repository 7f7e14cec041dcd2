"""The environment: what the same code and data may give other bytes on."""

import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from perennial.adapters import files

LOCK = Path("requirements.lock")
CPUINFO = Path("/proc/cpuinfo")
# the packages whose code computes, orders or writes what the DAG's outputs hold
PACKAGES = (
    "dvc",
    "fairlearn",
    "great-expectations",
    "jinja2",
    "matplotlib",
    "numba",
    "numpy",
    "onnx",
    "onnxruntime",
    "optuna",
    "pandas",
    "pillow",
    "pyarrow",
    "pydantic",
    "river",
    "scikit-learn",
    "scipy",
    "shap",
    "xgboost-cpu",
)
# by these, linear algebra and vectorised loops choose the order in which they add
FEATURES = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512", "amx", "asimd", "sve", "bf16")


def describe(folder: Path = Path()) -> dict[str, Any]:
    """Return Python, platform, CPU, packages, and the digest of `folder`'s requirements.lock."""
    lock = folder / LOCK
    return {
        "schema_version": 1,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "cpu": _cpu(),
        "packages": {name: _version(name) for name in PACKAGES},
        "requirements_lock_sha256": files.sha256(lock) if lock.is_file() else None,
    }


def _cpu() -> dict[str, Any]:
    """Return the CPU's model, and which of FEATURES it has; what is known."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return {"model": platform.processor() or None, "features": None}
    named = dict(reversed([_pair(line) for line in lines if ":" in line]))  # the first CPU's
    flags = named.get("flags", named.get("Features", "")).split()
    return {
        "model": named.get("model name"),
        "features": sorted(f for f in flags if f.startswith(FEATURES)),
    }


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
