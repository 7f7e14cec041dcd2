"""No pickle: none in what is written, none read where a model is loaded, none imported by our code;
and each of the three checks sees one that is planted."""

import ast
import bz2
import gzip
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from tests.integration.registered import ROOT, Project
from tests.pickles import pickles_below, pickles_in

from perennial import paths

LOADERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "joblib", "dill", "shelve", "marshal"}
LOADERS |= {"skops", "pickletools"}


class Planted:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return print, ("run by whoever loads it",)


def _joblib(**how: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(Planted(), file, **how)
    return file.getvalue()


def _zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/model.bin", content)
    return file.getvalue()


def _tarred(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("model.bin")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def _objects() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return file.getvalue()


PLANTED = {
    **{f"protocol {n}": pickle.dumps(Planted(), protocol=n) for n in range(6)},
    "mere data": pickle.dumps({"weights": [1, 2, 3]}),
    "joblib": _joblib(),
    "joblib, compressed": _joblib(compress=3),
    "gzip": gzip.compress(pickle.dumps(Planted())),
    "bzip2 in zip": _zipped(bz2.compress(pickle.dumps(Planted()))),
    "zip": _zipped(pickle.dumps(Planted())),
    "tar": _tarred(pickle.dumps(Planted())),
    "in the middle": b"\x00UBJ{" + bytes(1000) + pickle.dumps(Planted()) + b"}",
    "NumPy objects": _objects(),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_pickle_is_found_in_whatever_form_it_is_planted(kind: str, tmp_path: Path) -> None:
    assert list(pickles_in(PLANTED[kind]))
    (tmp_path / "model.ubj").write_bytes(PLANTED[kind])
    assert len(pickles_below(tmp_path)) >= 1


def test_no_artefact_of_a_registered_version_is_or_holds_a_pickle(registered: Project) -> None:
    looked = [p for p in (registered.folder / paths.REGISTRY).rglob("*") if p.is_file()]
    assert {"MLmodel", "member-00.ubj", "features.json"} <= {p.name for p in looked}
    assert pickles_below(registered.folder / paths.REGISTRY) == []
    assert pickles_below(registered.folder / paths.CANDIDATE) == []


# --- loading -------------------------------------------------------------------------------------

WATCH = """
import json, pickle, sys
seen = []
def hook(event, arguments):
    if event == "pickle.find_class":
        seen.append(".".join(arguments[1:] if len(arguments) > 2 else arguments))
sys.addaudithook(hook)
loads = pickle.loads
pickle.loads = lambda *a, **k: (seen.append("pickle.loads"), loads(*a, **k))[1]
load = pickle.load
pickle.load = lambda *a, **k: (seen.append("pickle.load"), load(*a, **k))[1]
import pandas as pd
rows = pd.read_parquet({rows!r})
"""
PYFUNC = "import mlflow\nanswer = mlflow.pyfunc.load_model({model!r}).predict(rows)\n"
OWN = """
from pathlib import Path
from perennial.adapters import bundles
from perennial.core.model.candidate import from_artefacts
answer = from_artefacts(bundles.read(Path({bundle!r}))).predict(rows)
"""
PLANT = "import joblib\njoblib.load({planted!r})\nanswer = rows\n"
TOLD = "assert len(answer)\nprint(json.dumps(seen))\n"


def read_while(project: Project, code: str, **places: str) -> list[str]:
    """Return the pickles and classes of pickles that a process of its own read meanwhile."""
    rows = str(project.folder / paths.BATCHES / "2010-08.parquet")
    done = project.run((WATCH + code + TOLD).format(rows=rows, **places))
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_neither_the_champion_nor_the_registered_model_is_loaded_from_a_pickle(
    registered: Project,
) -> None:
    assert read_while(registered, OWN, bundle=str(paths.CANDIDATE)) == []
    assert read_while(registered, PYFUNC, model=str(registered.model_folder())) == []


def test_a_load_that_reads_a_pickle_is_seen(registered: Project, tmp_path: Path) -> None:
    (tmp_path / "planted").write_bytes(PLANTED["joblib"])
    assert "builtins.print" in read_while(registered, PLANT, planted=str(tmp_path / "planted"))


# --- our own code --------------------------------------------------------------------------------


def _imported(path: Path) -> set[str]:
    """Return the top packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def test_no_module_of_ours_imports_what_reads_pickles(tmp_path: Path) -> None:
    ours = [*(ROOT / "src").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]
    assert len(ours) > 100
    assert {
        str(path): LOADERS & _imported(path) for path in ours if LOADERS & _imported(path)
    } == {}
    (tmp_path / "planted.py").write_text("def load():\n    from joblib import load\n")
    assert _imported(tmp_path / "planted.py") & LOADERS == {"joblib"}


def test_pickles_are_off_in_mlflow_before_it_is_imported(registered: Project) -> None:
    """Where our code asks for a client; whoever loads the model elsewhere sets it themselves."""
    code = (
        "import json, os, sys\n"
        "from perennial.adapters.registry import connection\n"
        f"with connection.client({registered.uri!r}):\n"
        "    from mlflow.environment_variables import MLFLOW_ALLOW_PICKLE_DESERIALIZATION as off\n"
        "    print(json.dumps([off.get(), 'mlflow' in sys.modules]))\n"
    )
    done = registered.run(code)
    assert json.loads(done.stdout.splitlines()[-1]) == [False, True], done.stderr


def test_whoever_imports_mlflow_has_pickles_off() -> None:
    """Only the registry's package imports it, behind its client; and the file that MLflow runs."""
    importing = {
        path.relative_to(ROOT / "src/perennial").as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if "mlflow" in _imported(path)
    }
    apart = {name for name in importing if not name.startswith("adapters/registry/")}
    assert apart == {"adapters/pyfunc_model.py"}
