"""features: the matrices of the plan's rows, and the feature spec fitted on the training rows.

What one row says alone is computed once a batch and kept by content, so that one new month costs
one month; only the fit and its application see all rows.
"""

from collections.abc import Sequence
from itertools import starmap
from pathlib import Path

import numpy as np
import pandas as pd

from perennial import paths
from perennial.adapters import files
from perennial.adapters.engine import cluster
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches, matrices
from perennial.core import derivation, leaks
from perennial.core.dataset import features as core
from perennial.core.dataset import labels
from perennial.core.dataset.plan import PARTS, BatchRef, assign, batches_of
from perennial.core.statistics import clusters
from perennial.params import Params, Split
from perennial.stages.running import run


def features() -> None:
    """Make the three matrices, the spec, and the report of what had to be handled."""
    params = read_params("seed", "target", "sensitive", "features", "engine")
    plan = files.read_json(paths.PLAN, "Run `dvc repro`.")
    split = Split.model_validate(plan["split"])
    derived, rows = _derived(batches_of(plan), params, split)
    part = _parts(plan, split, rows, params.seed)
    for name in PARTS:
        labels.require_both(rows.loc[part == name, "target"].to_numpy(), name)
    spec = core.fit(derived[part == "train"], params.features, params.sensitive)
    report = {"schema_version": 1, "spec": spec.to_json()["fitted"], "parts": {}}
    columns = [*matrices.ROW_COLUMNS, *params.sensitive]
    for name in PARTS:
        mine = part == name
        own, own_rows = derived[mine], rows.loc[mine, columns]
        matrix = core.apply(spec, own)
        if split.key is not None:  # folds and intervals take rows of a key together
            own_rows[clusters.KEY] = clusters.named(rows.loc[mine, "key"])
        matrices.write_part(paths.FEATURES, name, matrix, own_rows)
        report["parts"][name] = {"rows": len(own), "handled": core.audit(spec, own)}
        if name == "train":
            target = own_rows["target"].to_numpy()
            alone = leaks.single_features(matrix, target, clusters.of(own_rows))
    digests = {ref["period"]: ref["sha256"] for ref in batches_of(plan)}
    found = leaks.find(part, rows, derived, list(params.sensitive), digests, split)
    files.write_json(paths.LEAKS_REPORT, {"schema_version": 1, **found, "single_features": alone})
    # exact floats: a spec must come back as it was fitted
    files.write_bytes(paths.FEATURES / "spec.json", files.exact_json_bytes(spec.to_json()))
    files.write_json(paths.FEATURES_REPORT, report)


def _derived(
    refs: Sequence[BatchRef], params: Params, split: Split
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return derived features and rows of all batches, those known by content from the cache."""
    code = [files.sha256(Path(str(module.__file__))) for module in (core, derivation)]
    definition = {
        "columns": {k: v.model_dump() for k, v in params.features.columns.items()},
        "sensitive": {k: v.model_dump() for k, v in params.sensitive.items()},
        "target": params.target.model_dump(),
        "key": split.key,
    }
    folders = {
        ref["period"]: paths.DERIVED / files.digest_of(ref["sha256"], *code, definition)
        for ref in refs
    }
    new = [ref for ref in refs if not (folders[ref["period"]] / "whole-rows.parquet").exists()]
    raw = batches.read_verified(new, (paths.ACCEPTED, paths.BATCHES))
    settings = (params.target, params.sensitive, params.features, split.key)
    arguments = [(frame, period, *settings) for period, frame in raw.items()]
    if params.engine.kind == "dask" and new:
        found = cluster.each(derivation.derive, arguments)
    else:
        found = starmap(derivation.derive, arguments)
    for period, one in zip(raw, found, strict=True):
        matrices.write_part(folders[period], "whole", *one)
    print(f"features: {len(new)} batches computed, {len(refs) - len(new)} known by content")
    read = [matrices.read_whole(folders[ref["period"]]) for ref in refs]
    order = list(params.features.columns)
    derived = pd.concat([one for one, _ in read], ignore_index=True)[order]
    return derived, pd.concat([rows for _, rows in read], ignore_index=True)


def _parts(
    plan: dict[str, dict[str, list[BatchRef]]], split: Split, rows: pd.DataFrame, seed: int
) -> np.ndarray:
    """Return each row's part, shape (rows,)."""
    if split.kind != "time":
        key = rows["key"].to_numpy() if split.key is not None else None
        return assign(split, rows["target"].to_numpy(), key, seed)
    of_period = {ref["period"]: part for part in PARTS for ref in plan["parts"][part]}
    return rows["period"].map(of_period).to_numpy()


if __name__ == "__main__":
    run(features)
