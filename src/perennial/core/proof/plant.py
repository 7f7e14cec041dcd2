"""What a plant is: one fault, put into rows, a model or its evidence, and the gate meant for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial.core.case import Fitted, Parity, Rows, collect, fit
from perennial.core.gates.result import Gate
from perennial.core.verdict import Evidence, results
from perennial.params import Params


@dataclass(frozen=True)
class Plant:
    """One planted fault.

    `rows` changes what is trained on, `model` what was fitted, `evidence` what the gates see; a
    plant has one of them. `expected` names the gate that must fail. `needs` says, for the user's
    parameters, what is missing for this fault to be possible at all.
    """

    kind: str
    expected: Callable[[Params], str]
    rows: Callable[[Rows, Params, int], tuple[Rows, Params]] | None = None
    model: Callable[[Fitted, int], Fitted] | None = None
    evidence: Callable[[Fitted, Evidence, Parity], Evidence] | None = None
    needs: Callable[[Params], str | None] = lambda _: None


@dataclass(frozen=True)
class Outcome:
    """What the gates said of one case."""

    gates: Sequence[Gate]

    @property
    def failed(self) -> list[str]:
        """The gates that say `fail`, in order of their names."""
        return sorted(gate.name for gate in self.gates if gate.verdict == "fail")

    @property
    def blocked(self) -> list[str]:
        """The gates that block, whether they fail or have too few rows."""
        return sorted(gate.name for gate in self.gates if gate.blocks)

    def verdict_of(self, name: str) -> str | None:
        """Return what a gate says; None if there is no such gate."""
        return next((gate.verdict for gate in self.gates if gate.name == name), None)


def judge(case: Fitted, evidence: Evidence) -> Outcome:
    """Put a case's evidence through every gate."""
    params = case.params
    return Outcome(results(evidence, params.gates, params.fairness, params.evaluation, params.seed))


def carry_out(
    plant: Plant, rows: Rows, params: Params, base: Fitted, evidence: Evidence, parity: Parity
) -> Outcome:
    """Plant one fault and return what the gates say.

    Args:
        plant: The fault.
        rows: The sound rows.
        params: The sound parameters.
        base: What was fitted on them.
        evidence: The sound candidate's.
        parity: Compares a candidate with its exports.
    """

    def exports_are_sound(*_: Any) -> Mapping[str, Any]:
        return evidence.parity  # of the sound candidate: what is planted is elsewhere

    if plant.rows is not None:
        changed, settings = plant.rows(rows, params, params.seed)
        case = fit(changed, settings)
        return judge(case, collect(case, exports_are_sound))
    if plant.model is not None:
        case = plant.model(base, params.seed)
        return judge(case, collect(case, exports_are_sound))
    assert plant.evidence is not None
    return judge(base, plant.evidence(base, evidence, parity))


def describe(plant: Plant, population: str, params: Params, outcome: Outcome) -> dict[str, Any]:
    """Return a plant's line of the report."""
    expected = plant.expected(params)
    return {
        "population": population,
        "kind": plant.kind,
        "expected_gate": expected,
        "stopped_by": outcome.failed,
        "stopped": expected in outcome.failed,
    }
