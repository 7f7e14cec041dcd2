"""The registry's models: who is in charge, and what comes back from it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.integration.registered import HOLDOUT, NAME, Project, flip, lose_one, raw, record

from perennial import paths
from perennial.adapters import bundles, registry
from perennial.adapters.registry.records import BUNDLE, FILES
from perennial.core.model.candidate import Candidate, from_artefacts, to_artefacts
from perennial.errors import InputError, IntegrityError


def test_an_alias_moves_to_another_version(
    project: Project, candidates: dict[str, Candidate]
) -> None:
    bundles.write(project.folder / paths.CANDIDATE, to_artefacts(candidates["logistic"]))
    registry.register(project.uri, record(project))
    assert registry.alias_version(project.uri, NAME, "champion") is None
    for version in ("1", "2", "1"):
        registry.set_alias(project.uri, NAME, "champion", version)
        assert registry.alias_version(project.uri, NAME, "champion") == version
    with pytest.raises(InputError, match="no version 7"):
        registry.set_alias(project.uri, NAME, "champion", "7")
    assert registry.alias_version(project.uri, NAME, "champion") == "1"


def test_a_versions_bundle_can_be_fetched(registered: Project, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/old").touch()
    folder = registry.download(registered.uri, NAME, "1", tmp_path / "bundle")
    assert set(bundles.read(folder, registered.digest)) == {
        "features.json",
        "member-00.ubj",
        "member-01.ubj",
        "model.json",
    }


def test_files_that_are_gone_are_not_fetched(project: Project, tmp_path: Path) -> None:
    registry.set_alias(project.uri, NAME, "champion", "1")
    shutil.rmtree(project.model_folder())
    with pytest.raises(IntegrityError, match="are gone"):
        registry.download(project.uri, NAME, "1", tmp_path / "bundle")


# --- the pyfunc ----------------------------------------------------------------------------------

CLEAN = """
import json, sys
from pathlib import Path
sys.path[:] = [p for p in sys.path if not (Path(p) / "perennial").exists()]
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in repr(f).lower()]
import mlflow
import pandas as pd
mlflow.set_tracking_uri({uri!r})
rows = pd.read_parquet({rows!r})
answers = {{}}
for version in ("1", "2"):
    model = mlflow.pyfunc.load_model(f"models:/bank-deposits/{{version}}")
    together = model.predict(rows)
    alone = pd.concat([model.predict(rows.iloc[[i]]) for i in range(8)])
    answers[version] = [together.to_dict("list"), alone.to_dict("list")]
import perennial
print(json.dumps([perennial.__file__, answers]))
"""


def test_the_pyfunc_takes_raw_rows_in_a_process_without_perennial(
    project: Project,
    candidates: dict[str, Candidate],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One row or many, with missing values and a level never seen, it answers as the candidate."""
    bundles.write(project.folder / paths.CANDIDATE, to_artefacts(candidates["logistic"]))
    registry.register(project.uri, record(project))
    rows = raw(HOLDOUT).head(60)
    rows.loc[0, "job"] = None
    rows["age"] = rows["age"].astype("float64")
    rows.loc[1, "age"] = np.nan
    rows.loc[2, "marital"] = "it is complicated"
    rows.loc[3, "balance"] = 10**9
    rows.to_parquet(tmp_path / "rows.parquet")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    code = CLEAN.format(uri=project.uri, rows=str(tmp_path / "rows.parquet"))
    done = project.run(code, clean=True)
    assert done.returncode == 0, done.stderr
    where, answers = json.loads(done.stdout.splitlines()[-1])
    assert Path(where).is_relative_to(project.folder / paths.REGISTRY)
    for version, name in (("1", "boosted"), ("2", "logistic")):
        together, alone = (pd.DataFrame(answer) for answer in answers[version])
        expected = candidates[name].predict(pd.read_parquet(tmp_path / "rows.parquet"))
        pd.testing.assert_frame_equal(together, expected, check_exact=True)
        pd.testing.assert_frame_equal(alone, expected.head(8), check_exact=False, rtol=1e-12)


def test_the_signature_names_what_goes_in_and_what_comes_out(project: Project) -> None:
    import mlflow

    model = mlflow.pyfunc.load_model(str(project.model_folder()))
    signature = model.metadata.signature
    names = {str(c.name): str(c.type) for c in signature.inputs.inputs}
    assert "duration" not in names
    assert "string" in names["job"]
    assert [str(c.name) for c in signature.outputs.inputs] == ["probability", "decision"]
    answer = model.predict(model.input_example)
    assert [str(dtype) for dtype in answer.dtypes] == ["float64", "int64"]


@pytest.mark.parametrize("spoil", [flip, lose_one])
def test_a_registered_model_whose_bytes_differ_is_not_loaded(
    project: Project, spoil: Callable[[Path], None]
) -> None:
    import mlflow

    folder = project.model_folder()
    spoil(folder)
    with pytest.raises(IntegrityError, match=r"member-00\.ubj"):
        mlflow.pyfunc.load_model(str(folder))


def test_a_model_of_another_digest_is_not_loaded_in_its_place(
    project: Project, candidates: dict[str, Candidate]
) -> None:
    """A whole bundle with a manifest of its own is still not the one that was registered."""
    import mlflow

    folder = project.model_folder()
    bundles.write(folder / BUNDLE, to_artefacts(candidates["logistic"]))
    with pytest.raises(IntegrityError, match="the manifest has"):
        mlflow.pyfunc.load_model(str(folder))
    bundles.seal(folder, FILES)
    with pytest.raises(IntegrityError, match="expected"):
        mlflow.pyfunc.load_model(str(folder))


def test_a_candidate_comes_back_from_the_registry_as_it_was(
    registered: Project, tmp_path: Path
) -> None:
    folder = registry.download(registered.uri, NAME, "1", tmp_path / "bundle")
    again = from_artefacts(bundles.read(folder, registered.digest))
    rows = raw(HOLDOUT)
    pd.testing.assert_frame_equal(again.predict(rows), registered.candidate.predict(rows))
