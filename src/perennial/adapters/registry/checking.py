"""A version's files beside what the registry's database says of them: the bundle, and all that
MLflow reads and runs where the model is loaded."""

import shutil
from pathlib import Path

from perennial.adapters import bundles
from perennial.adapters.bundles import signing
from perennial.adapters.registry.records import BUNDLE, FILES, SIGNATURE, Version

META = "registered_model_meta"  # MLflow writes it beside a model that was loaded by its version


def faults(folder: Path, model: str, version: Version) -> list[str]:
    """Return what of the files in `folder` is not as it was registered, each named within it."""
    if version.digest is None or version.files is None:
        missing = "digest" if version.digest is None else "digests of its code"
        return [f"is registered without the {missing}"]
    if not folder.is_dir():
        return ["its files are gone"]
    _drop_compiled(folder)
    found = bundles.faults(folder, version.files, FILES, _beside(folder, model, version))
    found += bundles.faults(folder / BUNDLE, version.digest)
    return [fault.removeprefix(f"{folder}/") for fault in dict.fromkeys(found)]


def _beside(folder: Path, model: str, version: Version) -> list[str]:
    """Return the files that came after the manifest, if they are just what they have to be."""
    meta = f"model_name: {model}\nmodel_version: '{version.version}'\n".encode()
    known = {META: meta}
    if version.signature and version.digest and version.files:
        signed = signing.statement(model, version.digest, version.files)
        known[SIGNATURE] = signing.content(signed, version.signature)
    there = [name for name in known if (folder / name).is_file()]
    return [
        name
        for name in there
        if not (folder / name).is_symlink() and (folder / name).read_bytes() == known[name]
    ]


def _drop_compiled(folder: Path) -> None:
    """Remove what Python compiled of the code where a model was loaded from this very folder.

    It can't be told from what somebody else put there to be run, and it is made again.
    """
    code = [p for p in folder.rglob("__pycache__") if p.is_dir() and not p.is_symlink()]
    for cache in code:
        if all(p.suffix == ".pyc" and not p.is_symlink() for p in cache.iterdir()):
            shutil.rmtree(cache)
