"""Evidence whose rows are several of one person: gates take them for what they say together."""

from dataclasses import replace

import numpy as np
import pytest

from perennial.core import fairness
from perennial.core.evaluation import slices
from perennial.core.gates.result import Gate
from perennial.core.verdict import Evidence, Rival

from .gated import ALONE
from .judged import EVIDENCE, GROUPS, ROWS, estimated, results


def five_times(evidence: Evidence, by_person: bool) -> Evidence:
    """The evidence with every row five times, whose five are of one person or of five."""
    rows, explained = (np.repeat(np.arange(n), 5) for n in (ROWS, 800))
    scores = evidence.scores.iloc[rows].reset_index(drop=True)
    key = rows if by_person else None
    scores = scores if key is None else scores.assign(key=key)
    groups = GROUPS.iloc[rows].reset_index(drop=True)
    losses = slices.excess(scores)
    counts = fairness.counts(
        *(scores[name].to_numpy() for name in ("target", "decision")), groups["g"].to_numpy(), key
    )
    design = {"design_effect": 5.0, "clusters": 800} if by_person else ALONE
    tried = {
        "violations": 5,
        "rows": 4000,
        **design,
        "says": "'x'",
    }
    flips = {"changed": 100, "rows": 4000, **design}
    assert evidence.champion is not None
    return replace(
        evidence,
        scores=scores,
        slices=slices.search(groups, losses, 50, 4, key),
        declared_slices=slices.declared({"b": {"g": ["b"]}}, groups, losses, 50, key),
        counts=dict.fromkeys(evidence.counts, counts),
        train_attributions=evidence.train_attributions.iloc[explained],
        holdout_attributions=evidence.holdout_attributions.iloc[explained],
        behaviour={
            **evidence.behaviour,
            "directions": {"more": tried, "less": tried},
            "flipped": {"g": flips},
        },
        champion=Rival(
            False,
            evidence.champion.probability[rows],
            evidence.champion.attributions.iloc[explained],
        ),
        train_key=explained if by_person else None,
        holdout_key=explained if by_person else None,
    )


def test_rows_that_a_person_repeats_make_no_gate_surer() -> None:
    """Taken for five persons they would, each gate that estimates by the square root of five."""

    def widths(found: list[Gate]) -> dict[str, float]:
        return {g.name: g.estimate.high - g.estimate.low for g in found if g.estimate}

    once, persons, rows = (
        widths(results(one))
        for one in (EVIDENCE, five_times(EVIDENCE, True), five_times(EVIDENCE, False))
    )
    gates = estimated(results()) - {"single_feature"}  # its errors come from the stage features
    assert len(gates) == 18
    for name in gates:
        assert persons[name] == pytest.approx(once[name], rel=0.2), name
        assert rows[name] < 0.8 * once[name], name
