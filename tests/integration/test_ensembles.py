"""An ensemble of kinds of trees on the rows that ship keeps what every candidate promises: the
gates that watch explanation, exports and cost pass it, and find a member that is not its own."""

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perennial.adapters import onnx_export
from perennial.commands import proving
from perennial.core import attribution
from perennial.core.case import Fitted, collect, fit
from perennial.core.model import kinds
from perennial.core.model.candidate import Candidate, from_artefacts, to_artefacts
from perennial.core.proof.plant import Outcome, judge
from perennial.core.verdict import Evidence

ROOT = Path(__file__).parents[2]
EVERY = 4  # row of them
RECIPE = {
    "kind": "xgboost",
    "members": [
        {
            "params": {**kinds.parameters(kind, {**kinds.SOUND, **point}), "learning_rate": 0.1},
            "rounds": 30,
        }
        for kind, point in kinds.PORTFOLIO[:4]
    ],
}
WATCHING = ("additivity", "model_size", "node_visits", "parity_pyfunc", "invariance", "robustness")
needs_onnx = pytest.mark.skipif(
    bool(onnx_export.missing()), reason="the extra `onnx` is not installed"
)


@pytest.fixture(scope="module")
def case() -> Fitted:
    with contextlib.chdir(ROOT):
        rows, params = proving.draw("shipped", 0)
    return fit(rows.take(np.arange(len(rows.target)) % EVERY == 0), params, RECIPE)


@pytest.fixture(scope="module")
def evidence(case: Fitted) -> Evidence:
    return collect(case, proving.compare)


@pytest.fixture(scope="module")
def said(case: Fitted, evidence: Evidence) -> Outcome:
    return judge(case, evidence)


@pytest.fixture(scope="module")
def wrong(case: Fitted) -> Candidate:
    """The candidate, but for one member, which learned the opposite."""
    train = case.parts["train"]
    turned = replace(case, parts={**case.parts, "train": replace(train, target=1 - train.target)})
    other = _again(turned)
    return replace(case.candidate, boosters=(other.boosters[0], *case.candidate.boosters[1:]))


def _again(case: Fitted) -> Candidate:
    from perennial.core.training import fit_candidate

    return fit_candidate(
        RECIPE,
        case.candidate.spec,
        case.parts["train"],
        case.parts["calibration"],
        case.params.training,
        case.params.seed,
    )


@pytest.mark.parametrize("gate", WATCHING)
def test_a_gate_that_watches_the_model_itself_passes_an_ensemble_of_kinds(
    said: Outcome, gate: str
) -> None:
    assert said.verdict_of(gate) == "pass"


@needs_onnx
def test_the_export_of_an_ensemble_of_kinds_passes(said: Outcome) -> None:
    assert said.verdict_of("parity_onnx") == "pass"


@needs_onnx
def test_an_export_with_a_wrong_member_fails(
    case: Fitted, evidence: Evidence, wrong: Candidate
) -> None:
    rows = case.parts["holdout"].features
    other = replace(evidence, parity=proving.compare(case.candidate, wrong, case.raw, rows))
    found = judge(case, other)
    assert found.verdict_of("parity_onnx") == "fail"
    assert found.verdict_of("parity_pyfunc") == "fail"


def test_explanations_of_a_wrong_member_fail(
    case: Fitted, evidence: Evidence, wrong: Candidate
) -> None:
    rows = case.parts["holdout"].features.iloc[:200]
    values, base = wrong.contributions(rows)
    error = attribution.additivity_error(values, base, case.candidate.margin(rows))
    holdout = {**evidence.explained["holdout"], "additivity_error": error}
    planted = replace(evidence, explained={**evidence.explained, "holdout": holdout})
    assert judge(case, planted).verdict_of("additivity") == "fail"


def test_the_recipe_is_fitted_again_to_the_same_bytes_without_a_search(case: Fitted) -> None:
    first = to_artefacts(case.candidate)
    assert to_artefacts(_again(case)) == first
    assert to_artefacts(from_artefacts(first)) == first
