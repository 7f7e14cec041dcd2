"""behaviour: what the candidate does with rows that are moved, changed or strange; its cost."""

from perennial import paths
from perennial.adapters import batches, bundles, files, matrices
from perennial.adapters.configuration import read_params
from perennial.core import attribution, probing
from perennial.core.model.candidate import from_artefacts
from perennial.stages.running import run


def behaviour() -> None:
    """Probe the candidate on the holdout's raw rows; write counts, gaps and counted costs."""
    params = read_params("seed", "behaviour")
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    rows = matrices.read_rows(paths.FEATURES, "holdout")
    raw = batches.read_rows(plan["parts"]["holdout"], rows, (paths.ACCEPTED, paths.BATCHES))
    features = matrices.read_part(paths.FEATURES, "holdout").features
    chosen = attribution.evenly(len(raw), params.behaviour.rows)
    raw, features = raw.iloc[chosen].reset_index(drop=True), features.iloc[chosen]
    candidate = from_artefacts(bundles.read(paths.CANDIDATE))
    default = from_artefacts(bundles.read(paths.BASELINES / "default"))
    found = probing.probe(candidate, default, raw, features, params.behaviour, params.seed)
    files.write_json(paths.BEHAVIOUR_REPORT, {"schema_version": 1, **found})
    wrong = sum(tried["violations"] for tried in found["directions"].values())
    print(
        f"behaviour: {len(found['directions'])} declared changes tried, {wrong} rows against them"
    )


if __name__ == "__main__":
    run(behaviour)
