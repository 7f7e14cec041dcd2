"""The proof: a sound candidate passes, planted faults are stopped by their gate, and a gate that
is not there is missed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.adapters.files.configuration import read_params
from perennial.core.case import Fitted, Rows, collect, fit
from perennial.core.proof import faults_of_data, faults_of_models, population
from perennial.core.proof.plant import Outcome, Plant, carry_out, describe, judge
from perennial.core.verdict import Evidence
from perennial.params import Params

SHIPPED = Path(__file__).parents[2] / "params.yaml"
PLANTS = {one.kind: one for one in (*faults_of_data.PLANTS, *faults_of_models.PLANTS)}


def agrees(*_: Any) -> Mapping[str, Any]:
    """Exports that say what the candidate says; those of adapters are proven elsewhere."""
    gaps = {"holdout": {"rows": 4000, "gap": 0.0}}
    return {"missing": [], "gaps": {"onnx": gaps, "pyfunc": gaps}}


@dataclass(frozen=True)
class Base:
    rows: Rows
    params: Params
    case: Fitted
    evidence: Evidence

    def planted(self, kind: str) -> Outcome:
        return carry_out(PLANTS[kind], self.rows, self.params, self.case, self.evidence, agrees)


@pytest.fixture(scope="module")
def params() -> Params:
    return population.synthetic_params(read_params(path=SHIPPED))


@pytest.fixture(scope="module")
def base(params: Params) -> Base:
    rows = population.synthetic(0)
    case = fit(rows, params)
    return Base(rows, params, case, collect(case, agrees))


def test_a_sound_candidate_is_blocked_by_nothing_and_fails_nothing(base: Base) -> None:
    outcome = judge(base.case, base.evidence)
    assert (outcome.blocked, outcome.failed) == ([], [])
    assert outcome.verdict_of("quality_floor") == "pass"
    assert outcome.verdict_of("no such gate") is None


@pytest.mark.parametrize(
    "kind",
    [
        "training_rows_in_holdout",
        "shuffled_labels",
        "ruined_on_a_declared_slice",
        "decides_by_group",
        "nan_on_rare_input",
        "ten_times_too_slow",
    ],
)
def test_a_planted_fault_is_stopped_by_the_gate_meant_for_it(base: Base, kind: str) -> None:
    outcome = base.planted(kind)
    line = describe(PLANTS[kind], "synthetic", base.params, outcome)
    assert line["stopped"], outcome.failed
    assert line["expected_gate"] in line["stopped_by"]
    assert (line["population"], line["kind"]) == ("synthetic", kind)


def test_a_plant_whose_gate_is_not_there_is_not_stopped(base: Base) -> None:
    plant, outcome = PLANTS["ten_times_too_slow"], base.planted("ten_times_too_slow")
    without = Outcome([gate for gate in outcome.gates if gate.name != "node_visits"])
    assert describe(plant, "synthetic", base.params, outcome)["stopped"]
    line = describe(plant, "synthetic", base.params, without)
    assert not line["stopped"]
    assert line["stopped_by"]  # by another gate, which is not the one meant for it


def test_a_gate_that_has_too_few_rows_has_not_stopped_a_plant(base: Base) -> None:
    """To block for want of rows is no sign that the fault was seen."""
    plant = PLANTS["ten_times_too_slow"]
    sound = judge(base.case, base.evidence).gates
    unsure = [
        replace(gate, verdict="insufficient") if gate.name == "node_visits" else gate
        for gate in sound
    ]
    outcome = Outcome(unsure)
    assert outcome.blocked == ["node_visits"]
    assert not describe(plant, "synthetic", base.params, outcome)["stopped"]


def test_a_slice_declared_by_a_number_is_ruined_within_its_bounds_alone(base: Base) -> None:
    content = base.params.model_dump(by_alias=True, exclude_unset=True)
    content["evaluation"]["slices"]["declared"] = {"middle": {"x1": [0, 1], "group": ["b"]}}
    case = replace(base.case, params=Params.model_validate(content))
    ruined = faults_of_models.ruined_on_a_declared_slice(case, 0)
    said, sound = (c.candidate.predict(case.raw)["probability"] for c in (ruined, case))
    inside = case.raw["x1"].between(0, 1, inclusive="left") & (case.raw["group"] == "b")
    assert (said[~inside] == sound[~inside]).all()
    assert (said[inside] - sound[inside]).abs().mean() > 0.1


def test_the_same_seed_draws_the_same_rows_and_another_draws_others() -> None:
    first, again, other = (population.synthetic(seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first.raw, again.raw)
    assert (first.target == again.target).all()
    assert (first.target != other.target).any()


def test_the_synthetic_rows_are_as_many_as_said_and_follow_time() -> None:
    rows = population.synthetic(0, scale=2)
    assert {name: int(rows.of(name).sum()) for name in population.SIZES} == {
        name: 2 * size for name, size in population.SIZES.items()
    }
    assert (np.diff(rows.period.astype(int)) >= 0).all()
    trained, calibrated, held = (set(rows.period[rows.of(name)]) for name in population.SIZES)
    assert max(trained) < min(calibrated)
    assert max(calibrated) < min(held)


def test_the_synthetic_group_has_no_effect_and_the_features_have(base: Base) -> None:
    rows = population.synthetic(0, scale=5)
    rate = pd.Series(rows.target).groupby(rows.raw["group"]).mean()
    assert abs(rate["a"] - rate["b"]) < 0.02
    assert np.corrcoef(rows.raw["x1"], rows.target)[0, 1] > 0.15
    assert np.corrcoef(rows.raw["x3"], rows.target)[0, 1] < -0.15


def test_the_synthetic_parameters_leave_the_users_thresholds_alone(params: Params) -> None:
    shipped = read_params(path=SHIPPED).gates
    for name in type(shipped).model_fields:
        if name != "forbidden_features":
            assert getattr(params.gates, name) == getattr(shipped, name)


@pytest.mark.parametrize("rows", [100, 30_000])
def test_the_users_rows_are_split_at_random_and_at_most_twenty_thousand_taken(rows: int) -> None:
    raw = pd.DataFrame({"x": np.arange(rows)})
    period = np.repeat(["01", "02"], rows // 2).astype(object)
    found = population.shipped(raw, np.arange(rows) % 2, period, seed=0)
    size = min(rows, 20_000)
    assert len(found.raw) == size
    assert found.raw["x"].is_unique
    for name, share in {"train": 0.5, "calibration": 0.2, "holdout": 0.3}.items():
        assert found.of(name).sum() == pytest.approx(share * size, abs=1)
        assert set(found.period[found.of(name)]) == {"01", "02"}
    assert (found.target == found.raw["x"] % 2).all()
    assert (found.place == found.raw["x"] % (rows // 2)).all()
    assert not found.by_time


def test_rows_split_by_their_periods_have_the_oldest_in_training() -> None:
    rows = population.synthetic(0)
    shuffled = rows.take(np.random.default_rng(0).permutation(len(rows.target)))
    found = population.by_time(shuffled)
    assert found.by_time
    assert {name: sorted(set(found.period[found.of(name)])) for name in population.SIZES} == {
        "train": ["00", "01", "02", "03", "04"],
        "calibration": ["05", "06"],
        "holdout": ["07", "08", "09"],
    }


def test_taken_rows_keep_what_belongs_together() -> None:
    rows = population.synthetic(0)
    taken = rows.take(rows.of("holdout"))
    assert set(taken.part) == {"holdout"}
    assert list(taken.raw.index) == list(range(len(taken.target)))
    assert (taken.target == rows.target[rows.of("holdout")]).all()
    some = rows.take(np.array([5, 3, 3]))
    assert some.place.tolist() == [5, 3, 3]
    assert some.raw["x1"].tolist() == rows.raw["x1"].iloc[[5, 3, 3]].tolist()


def test_every_plant_has_its_own_name_and_one_way_of_being_planted() -> None:
    plants = (*faults_of_data.PLANTS, *faults_of_models.PLANTS)
    assert len(plants) == len(PLANTS)
    for one in plants:
        assert sum(way is not None for way in (one.rows, one.model, one.evidence)) == 1


def test_a_plant_that_needs_what_params_yaml_lacks_says_so(params: Params) -> None:
    content = params.model_dump(by_alias=True, exclude_unset=True)
    content["evaluation"]["slices"]["declared"] = {}
    content["behaviour"]["changes"] = {}
    content["gates"]["forbidden_features"]["columns"] = []
    bare = Params.model_validate(content)
    needy = {"ruined_on_a_declared_slice", "goes_against_a_declared_change", "forbidden_feature"}
    assert {kind for kind, one in PLANTS.items() if one.needs(bare) is not None} == needy
    assert {kind for kind, one in PLANTS.items() if one.needs(params) is not None} == set()


def test_every_plants_expected_gate_is_one_that_is_asked(base: Base) -> None:
    rival = replace(base.case, champion=base.case.candidate)
    asked = {gate.name for gate in judge(rival, base.evidence).gates}

    def expected(one: Plant) -> str:
        return one.expected(base.params)

    assert {expected(one) for one in PLANTS.values()} <= asked
