"""One worker's part of `perennial prove-gates`: a plant, or a good candidate, through the gates."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial import paths
from perennial.adapters import bundles, onnx_export
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.core.model.candidate import Candidate, to_artefacts

if TYPE_CHECKING:
    import pandas as pd

    from perennial.core.case import Fitted, Rows
    from perennial.core.proof.plant import Outcome, Plant
    from perennial.core.verdict import Evidence
    from perennial.params import Params

POPULATIONS = ("synthetic", "shipped")


@dataclass(frozen=True)
class Base:
    """A population's sound rows, what is fitted on them, and what the gates say of it."""

    rows: "Rows"
    params: "Params"
    case: "Fitted"
    evidence: "Evidence"
    outcome: "Outcome"


def plants() -> "list[Plant]":
    """Return every plant, those in the data first."""
    from perennial.core.proof import faults_of_data, faults_of_models

    return [*faults_of_data.PLANTS, *faults_of_models.PLANTS]


@cache
def base(population: str) -> Base:
    """Return a population's base; made once in each process."""
    from perennial.core.case import collect, fit
    from perennial.core.proof.plant import judge

    rows, params = draw(population, 0)
    case = fit(rows, params)
    evidence = collect(case, compare)
    return Base(rows, params, case, evidence, judge(case, evidence))


def draw(population: str, seed: int) -> "tuple[Rows, Params]":
    """Return rows of a population and the parameters for them; another seed, other rows."""
    from perennial.core.proof import population as populations

    params = read_params()
    if population == "synthetic":
        return populations.synthetic(seed), populations.synthetic_params(params)
    raw, target, period = _shipped()
    return populations.shipped(raw, target, period, seed), params


@cache
def _shipped() -> Any:
    import numpy as np
    import pandas as pd

    from perennial.core.dataset import labels
    from perennial.core.incoming import privacy

    params = read_params()
    folder = paths.ACCEPTED if paths.ACCEPTED.is_dir() else paths.BATCHES
    found = batches.find(folder)
    if params.data.labels is not None:  # some wait for theirs
        found = [b for b in found if batches.has_column(b, params.target.column)]
    read = {b.period: batches.read(b.path) for b in found}
    if folder == paths.BATCHES:
        pii, key = params.data.pii, params.split.key
        read = {period: privacy.without(raw, pii, key) for period, raw in read.items()}
    target = [labels.binary(raw, params.target, period) for period, raw in read.items()]
    period = np.repeat(list(read), [len(raw) for raw in read.values()]).astype(object)
    return pd.concat(read.values(), ignore_index=True), np.concatenate(target), period


def plant(population: str, kind: str) -> dict[str, Any]:
    """Plant one fault in a population; return its line of the report."""
    from perennial.core.proof.plant import carry_out, describe

    known = base(population)
    wanted = next(one for one in plants() if one.kind == kind)
    needs = wanted.needs(known.params)
    if needs is not None:
        return {"population": population, "kind": kind, "left_out": needs}
    outcome = carry_out(wanted, known.rows, known.params, known.case, known.evidence, compare)
    line = describe(wanted, population, known.params, outcome)
    return {**line, "control": known.outcome.verdict_of(line["expected_gate"])}


def good(population: str, seed: int) -> dict[str, Any]:
    """Draw fresh rows, fit a candidate on them and return which gates block it."""
    from perennial.core.case import collect, fit
    from perennial.core.proof.plant import judge

    rows, params = draw(population, seed)
    champion = base(population).case.candidate  # what a sound candidate's explanations agree with
    case = replace(fit(rows, params), champion=champion)
    outcome = judge(case, collect(case, compare))
    return {"population": population, "seed": seed, "blocked": outcome.blocked}


def compare(
    candidate: Candidate, exported: Candidate, raw: "pd.DataFrame", features: "pd.DataFrame"
) -> Mapping[str, Any]:
    """Return the gaps between a candidate and the exports of a model, as the stage evaluate
    does."""
    from perennial.stages import exports

    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        served = exports.served_by_mlflow(
            bundle, bundles.write(bundle, to_artefacts(exported)), raw
        )
    model = None if onnx_export.missing() else onnx_export.export(exported)
    return exports.compare(candidate, served, model, features, candidate.probability(features))
