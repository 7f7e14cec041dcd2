"""The candidate: stored without pickle, it comes back the same, decides the same and adds up."""

import json

import numpy as np
import pandas as pd
import pytest

from perennial.core import attribution, training
from perennial.core.dataset import features
from perennial.core.dataset.part import Part
from perennial.core.model import kinds
from perennial.core.model.candidate import Candidate, from_artefacts, to_artefacts
from perennial.core.training import fit_candidate
from perennial.errors import InputError

from .planted import feature, sensitive
from .planted import features as definitions
from .planted import training as settings

RECIPES = {
    "ensemble": {
        "kind": "xgboost",
        "members": [
            {"params": {"max_depth": depth, "subsample": 0.8, "nthread": 1}, "rounds": 8}
            for depth in (2, 4, 6)
        ],
    },
    "logistic": {"kind": "logistic", "members": []},
    "kinds": {
        "kind": "xgboost",
        "members": [
            {"params": {**kinds.parameters(kind, kinds.SOUND), "nthread": 1}, "rounds": 8}
            for kind in ("leafwise", "onehot", "depthwise", "leafwise")
        ],
    },
}


def raw_rows(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": random.normal(size=rows) * 1000,
            "level": random.choice(np.array(["u", "v", "w", None], dtype=object), rows),
            "g": random.choice(np.array(["a", "b"], dtype=object), rows),
        }
    )
    frame.loc[::7, "amount"] = np.nan
    return frame


def answers(raw: pd.DataFrame, seed: int) -> np.ndarray:
    odds = raw["amount"].fillna(0) / 800 + (raw["level"] == "u") - (raw["g"] == "b")
    random = np.random.default_rng(seed)
    return (random.random(len(raw)) < 1 / (1 + np.exp(-odds.to_numpy()))).astype("int64")


@pytest.fixture(scope="module", params=[*RECIPES, "isotonic"])
def candidate(request: pytest.FixtureRequest) -> Candidate:
    asked = definitions(
        0,
        size=feature("signed_log", "amount"),
        amount=feature("number", "amount"),
        level=feature("category", "level"),
    )
    train, calibrate = raw_rows(600, 1), raw_rows(500, 2)
    watched = {"g": sensitive("g")}
    spec = features.fit(features.derive(train, asked.columns), asked, watched)
    parts = [
        Part(spec.transform(raw), answers(raw, seed), features.groups(raw, watched))
        for raw, seed in ((train, 1), (calibrate, 2))
    ]
    recipe = RECIPES.get(request.param, RECIPES["ensemble"])
    calibration = "isotonic" if request.param == "isotonic" else "sigmoid"
    asked_for = settings("thresholds", "true_positive_rate_parity", calibration)
    return fit_candidate(recipe, spec, *parts, asked_for, seed=5)


def test_a_candidate_comes_back_from_its_artefacts_byte_for_byte(candidate: Candidate) -> None:
    artefacts = to_artefacts(candidate)
    back = from_artefacts(artefacts)
    assert to_artefacts(back) == artefacts
    raw = raw_rows(300, 3)
    pd.testing.assert_frame_equal(back.predict(raw), candidate.predict(raw), check_exact=True)


def test_artefacts_are_json_and_ubjson_and_no_pickle(candidate: Candidate) -> None:
    artefacts = to_artefacts(candidate)
    members = [name for name in artefacts if name.endswith(".ubj")]
    assert len(members) == len(candidate.boosters)
    for name, content in artefacts.items():
        assert not content.startswith(b"\x80")  # pickle's first byte
        if name in members:
            assert content.startswith(b"{L")  # UBJSON: an object, then a key's length
        else:
            assert isinstance(json.loads(content), dict)


def test_contributions_and_base_sum_to_the_margin(candidate: Candidate) -> None:
    matrix = candidate.spec.transform(raw_rows(300, 3))
    values, base = candidate.contributions(matrix)
    assert values.shape == matrix.shape
    assert attribution.additivity_error(values, base, candidate.margin(matrix)) < 1e-4


def test_the_score_of_an_ensemble_is_the_mean_log_odds_of_its_members(
    candidate: Candidate,
) -> None:
    if not candidate.boosters:
        pytest.skip("logistic regression has no members")
    matrix = candidate.spec.transform(raw_rows(50, 3))
    alone = [training.mean_margin((booster,), (1.0,), matrix) for booster in candidate.boosters]
    assert candidate.margin(matrix) == pytest.approx(np.mean(alone, axis=0), abs=1e-6)


def test_a_raw_row_alone_is_scored_as_in_its_batch(candidate: Candidate) -> None:
    raw = raw_rows(25, 3)
    batch = candidate.predict(raw)
    alone = pd.concat([candidate.predict(raw.iloc[[i]]) for i in range(len(raw))])
    pd.testing.assert_frame_equal(alone, batch, check_exact=True)


def test_predictions_keep_the_rows_index_and_do_not_depend_on_their_order(
    candidate: Candidate,
) -> None:
    raw = raw_rows(60, 3)
    raw.index = [f"row {i}" for i in range(60)]
    turned = candidate.predict(raw[::-1])
    assert turned.index.tolist() == raw.index.tolist()[::-1]
    pd.testing.assert_frame_equal(turned[::-1], candidate.predict(raw), check_exact=True)


def test_a_decision_is_by_the_threshold_of_the_rows_own_group(candidate: Candidate) -> None:
    raw = raw_rows(400, 3)
    found = candidate.predict(raw)
    for group, threshold in candidate.decision.by_group.items():
        own = found[raw["g"] == group]
        assert (own["decision"] == (own["probability"] >= threshold)).all()
    assert set(candidate.decision.by_group) == {"a", "b"}


def test_no_rows_give_no_predictions(candidate: Candidate) -> None:
    found = candidate.predict(raw_rows(5, 3).iloc[:0])
    assert found.shape == (0, 2)


def test_a_missing_raw_column_is_named(candidate: Candidate) -> None:
    with pytest.raises(InputError, match="amount"):
        candidate.predict(raw_rows(5, 3).drop(columns="amount"))


def test_a_missing_sensitive_column_that_decides_is_named(candidate: Candidate) -> None:
    with pytest.raises(InputError, match="g"):
        candidate.predict(raw_rows(5, 3).drop(columns="g"))
