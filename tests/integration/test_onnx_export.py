"""ONNX: the export says what the candidate says on any row, and is the same bytes each time."""

import json
import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from perennial.adapters import onnx_export
from perennial.core.dataset import features
from perennial.core.dataset.features import FeatureSpec
from perennial.core.evaluation.parity import coded, edge_rows, largest_gap
from perennial.core.model import boosting, calibration, kinds, linear
from perennial.core.model.calibration import Calibration
from perennial.core.model.candidate import Candidate, to_artefacts
from perennial.core.model.decision import Decision
from perennial.params import Feature, Features
from perennial.params.search import Kind

pytestmark = pytest.mark.skipif(
    bool(onnx_export.missing()), reason="the extra `onnx` is not installed"
)
TOLERANCE = 1e-5
LEVELS = {"few": 3, "some": 12, "many": 70}
NUMBERS = {"small": 1e-3, "unit": 1.0, "large": 1e5}


def raw_rows(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({name: random.normal(size=rows) * by for name, by in NUMBERS.items()})
    for name, count in LEVELS.items():
        frame[name] = [f"{name} {i:02}" for i in random.integers(0, count, rows)]
    return frame.mask(random.random(frame.shape) < 0.1)


def answers(raw: pd.DataFrame, seed: int) -> np.ndarray:
    many = raw["many"].str[-2:].astype("float64").fillna(3)
    odds = raw["unit"].fillna(0) + raw["large"].fillna(0) / 1e5 + (many % 3 - 1)
    return (np.random.default_rng(seed).random(len(raw)) < 1 / (1 + np.exp(-odds))).to_numpy(int)


def spec_of(raw: pd.DataFrame) -> FeatureSpec:
    kinds = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(LEVELS, "category")
    columns = {
        name: Feature.model_validate({"from": name, "as": kind, "missing": None, "why": "a test"})
        for name, kind in kinds.items()
    }
    asked = Features(rare_below=5, columns=columns, drop={})
    return features.fit(features.derive(raw, columns), asked, {})


def fitted(kind: str, method: str = "sigmoid", seed: int = 1, **params: float) -> Candidate:
    train, later = raw_rows(3000, 1), raw_rows(800, 2)
    spec, target = spec_of(train), answers(train, 1)
    bare = Candidate(kind, spec, Calibration("sigmoid"), Decision(0.5), {})  # type: ignore[arg-type]
    matrix = spec.transform(train)
    if kind == "logistic":
        bare = replace(bare, logistic=linear.fit(matrix, target))
    else:
        shared = {"subsample": 0.8, "nthread": 1, **params}
        recipes = [
            {"params": {**shared, "max_depth": depth}, "rounds": rounds}
            for depth, rounds in ((2, 60), (5, 40))
        ]
        members = tuple(boosting.fit(matrix, target, recipe, seed) for recipe in recipes)
        bare = replace(bare, boosters=members, weights=(0.3, 0.7))
    margin = bare.margin(spec.transform(later))
    return replace(bare, calibration=calibration.fit(method, margin, answers(later, 2)))  # type: ignore[arg-type]


def gap(candidate: Candidate, matrix: pd.DataFrame, model: bytes | None = None) -> float:
    exported = onnx_export.predict(model or onnx_export.export(candidate), coded(matrix))
    return largest_gap(exported, candidate.probability(matrix))


@pytest.fixture(
    scope="module",
    params=[(k, m) for k in ("xgboost", "logistic") for m in ("sigmoid", "isotonic")],
    ids="-".join,
)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    return fitted(*request.param)


@pytest.fixture(scope="module")
def ensemble() -> Candidate:
    return fitted("xgboost")


def test_the_export_agrees_on_rows_never_seen(candidate: Candidate) -> None:
    assert gap(candidate, candidate.spec.transform(raw_rows(5000, 3))) < TOLERANCE


def test_the_export_agrees_on_the_rows_it_was_calibrated_on(candidate: Candidate) -> None:
    # log odds exactly at the corners of an isotonic curve, where it is steepest
    assert gap(candidate, candidate.spec.transform(raw_rows(800, 2))) < TOLERANCE


def test_the_export_agrees_on_edge_rows(candidate: Candidate) -> None:
    assert gap(candidate, edge_rows(candidate.spec)) < TOLERANCE


def test_the_export_agrees_on_a_row_alone_and_on_none(candidate: Candidate) -> None:
    matrix = candidate.spec.transform(raw_rows(3, 3))
    assert gap(candidate, matrix.iloc[[0]]) < TOLERANCE
    found = onnx_export.predict(onnx_export.export(candidate), coded(matrix.iloc[:0]))
    assert found.shape == (0,)


def test_an_ensemble_has_xgboosts_log_odds_to_the_last_bit(ensemble: Candidate) -> None:
    matrix = ensemble.spec.transform(raw_rows(5000, 3))
    exported = onnx_export.predict(onnx_export.export(ensemble), coded(matrix))
    native = ensemble.probability(matrix).astype("float32")  # as ONNX returns it
    assert np.abs(exported - native).max() <= np.finfo("float32").eps / 2


def test_the_same_candidate_gives_the_same_bytes(candidate: Candidate) -> None:
    assert onnx_export.export(candidate) == onnx_export.export(candidate)


@pytest.mark.parametrize("kind", ["leafwise", "onehot"])
def test_other_kinds_of_trees_have_xgboosts_log_odds_to_the_last_bit(kind: Kind) -> None:
    point = {**kinds.SOUND, "max_depth": 6}
    train = raw_rows(3000, 1)
    plain = fitted("xgboost")
    recipe = {"params": {**kinds.parameters(kind, point), "nthread": 1}, "rounds": 60}
    member = boosting.fit(plain.spec.transform(train), answers(train, 1), recipe, 3)
    both = replace(plain, boosters=(plain.boosters[0], member))
    for matrix in (both.spec.transform(raw_rows(5000, 3)), edge_rows(both.spec)):
        exported = onnx_export.predict(onnx_export.export(both), coded(matrix))
        native = both.probability(matrix).astype("float32")
        assert np.abs(exported - native).max() <= np.finfo("float32").eps / 2


def test_an_export_leaves_the_candidate_as_it_was(candidate: Candidate) -> None:
    before = to_artefacts(candidate)
    onnx_export.export(candidate)
    assert to_artefacts(candidate) == before


def test_a_wrong_member_is_found(ensemble: Candidate) -> None:
    other = fitted("xgboost", seed=2)
    wrong = replace(ensemble, boosters=(ensemble.boosters[0], other.boosters[1]))
    matrix = ensemble.spec.transform(raw_rows(500, 3))
    assert gap(ensemble, matrix, onnx_export.export(wrong)) > TOLERANCE


def test_trees_that_are_a_leaf_alone_or_were_pruned_are_exported() -> None:
    for settings in ({"min_child_weight": 1e6}, {"gamma": 20.0}, {"max_cat_to_onehot": 100}):
        candidate = fitted("xgboost", **settings)
        assert gap(candidate, candidate.spec.transform(raw_rows(500, 3))) < TOLERANCE


@pytest.mark.parametrize("corners", [((0.1,), (0.4,)), ((-1.0, 0.1, 0.5), (0.2, 0.2, 0.9))])
def test_an_isotonic_curve_of_one_corner_or_with_a_flat_piece_is_exported(
    ensemble: Candidate, corners: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    curve = Calibration("isotonic", margins=corners[0], probabilities=corners[1])
    candidate = replace(ensemble, calibration=curve)
    assert gap(candidate, candidate.spec.transform(raw_rows(500, 3))) < TOLERANCE


def test_the_model_says_which_features_and_levels_it_takes(ensemble: Candidate) -> None:
    import onnx

    model = onnx.load_from_string(onnx_export.export(ensemble))
    told = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert told["features"] == list(ensemble.spec.columns)
    assert told["levels"]["few"] == ["few 00", "few 01", "few 02"]


def test_onnx_runtime_prints_nothing(
    ensemble: Candidate, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        gap(ensemble, edge_rows(ensemble.spec))
    assert capfd.readouterr() == ("", "")
    assert not [r for r in caplog.records if r.name.startswith("onnx")]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "PACKAGES", ("onnx", "not_installed_anywhere"))
    assert onnx_export.missing() == ["not_installed_anywhere"]
