"""Gates of behaviour, cost and parity: each passes the sound and fails the planted."""

from typing import Any

import pytest

from perennial.core.gates import behaviour
from perennial.core.gates.result import Gate
from perennial.params.gates import (
    CostGate,
    ParityGate,
    Tolerance,
)

from .gated import ALONE, INF, SURE, limit


def test_a_probability_that_hangs_on_its_batch_fails_and_the_worst_change_is_named() -> None:
    sound = {"order_of_rows": 1e-9, "size_of_batch": 1e-8}
    tolerance = Tolerance(tolerance=1e-6)
    assert behaviour.invariance(sound, 100, tolerance).verdict == "pass"
    for gap in (0.1, INF):
        found = behaviour.invariance({**sound, "size_of_batch": gap}, 100, tolerance)
        assert found.verdict == "fail"
        assert "size of batch" in found.why


def test_one_answer_that_is_no_probability_is_too_many() -> None:
    assert behaviour.robustness({"missing": 0, "huge": 0}, 100).verdict == "pass"
    found = behaviour.robustness({"missing": 0, "never_seen": 1}, 100)
    assert found.verdict == "fail"
    assert found.why.endswith(": never seen")


def test_a_declared_change_that_moves_rows_the_wrong_way_fails() -> None:
    def said(violations: int, rows: int, insufficient: Any = "block") -> Gate:
        found = {
            "violations": violations,
            "rows": rows,
            **ALONE,
            "says": "'x'",
        }
        return behaviour.direction("twice", found, limit(0.05, insufficient), SURE)

    assert (said(0, 1000).name, said(0, 1000).verdict) == ("direction_twice", "pass")
    assert said(300, 1000).verdict == "fail"
    assert said(0, 10).verdict == "insufficient"
    assert (said(0, 0).verdict, said(0, 0).estimate) == ("insufficient", None)
    assert said(0, 0).blocks
    assert not said(0, 0, "tolerate").blocks


def test_decisions_that_hang_on_the_attribute_alone_fail() -> None:
    def said(changed: int) -> str:
        found = {"changed": changed, "rows": 1000, **ALONE}
        return behaviour.flipped("sex", found, limit(0.3), SURE).verdict

    assert [said(0), said(300), said(900)] == ["pass", "insufficient", "fail"]


@pytest.mark.parametrize("name", ["model_size", "node_visits"])
def test_a_candidate_may_cost_its_own_ratio_of_the_default_and_not_more(name: str) -> None:
    sizes = {"model_size": 3.0, "node_visits": 5.0}
    settings, allowed = CostGate(**sizes), sizes[name]
    assert behaviour.cost(name, 100 * allowed, 100, 50, settings).verdict == "pass"
    assert behaviour.cost(name, 101 * allowed, 100, 50, settings).verdict == "fail"


PARITY = ParityGate(tolerance=1e-5, insufficient="tolerate")


def exported(**gaps: Any) -> dict[str, Any]:
    sound = {
        form: {"holdout": {"rows": 90, "gap": 1e-7}, "edge": {"rows": 10, "gap": 0.0}}
        for form in ("onnx", "pyfunc")
    }
    return {"missing": [], "gaps": {**sound, **gaps}}


def said_of_parity(found: Any, settings: ParityGate = PARITY) -> dict[str, Gate]:
    return {one.name: one for one in behaviour.parity(found, settings)}


def test_exports_that_say_the_same_pass_on_all_their_rows() -> None:
    found = said_of_parity(exported())
    assert list(found) == ["parity_onnx", "parity_pyfunc"]
    for one in found.values():
        assert one.verdict == "pass"
        assert one.estimate is not None
        assert one.estimate.n == 100


@pytest.mark.parametrize("gap", [0.1, None])
@pytest.mark.parametrize("rows", ["holdout", "edge"])
def test_an_export_that_differs_or_has_no_finite_gap_fails_on_whichever_rows(
    gap: float | None, rows: str
) -> None:
    both = {"holdout": {"rows": 90, "gap": 0.0}, "edge": {"rows": 10, "gap": 0.0}}
    both[rows] = {"rows": 10, "gap": gap}
    found = said_of_parity(exported(onnx=both))
    assert (found["parity_onnx"].verdict, found["parity_pyfunc"].verdict) == ("fail", "pass")
    assert f"({rows} rows)" in found["parity_onnx"].why


def test_an_extra_that_is_not_installed_is_not_measured_and_named() -> None:
    found = {**exported(), "missing": ["onnxruntime"]}
    del found["gaps"]["onnx"]
    tolerated = said_of_parity(found)
    assert tolerated["parity_onnx"].verdict == "insufficient"
    assert "onnxruntime" in tolerated["parity_onnx"].why
    assert not tolerated["parity_onnx"].blocks
    assert tolerated["parity_pyfunc"].verdict == "pass"
    strict = ParityGate(tolerance=1e-5, insufficient="block")
    assert said_of_parity(found, strict)["parity_onnx"].blocks
