"""Gates of groups and slices: each passes the sound and fails the planted."""

from typing import Any

import pandas as pd
import pytest

from perennial.core.evaluation import slices
from perennial.core.gates import groups
from perennial.core.gates.result import Gate
from perennial.params.gates import (
    FairnessGate,
)

from .gated import SURE, limit


def counted(**rates: tuple[int, int]) -> dict[str, dict[str, tuple[int, int]]]:
    return {name: {"true_positive_rate": found} for name, found in rates.items()}


def fair(
    found: Any, measure: Any = "difference", threshold: float = 0.1, insufficient: Any = "tolerate"
) -> Gate:
    settings = FairnessGate(
        criterion="true_positive_rate",
        measure=measure,
        threshold=threshold,
        insufficient=insufficient,
    )
    return groups.fair("sex × age", found, settings, 50, SURE)


def test_groups_with_equal_rates_pass_and_far_apart_ones_fail() -> None:
    sound = fair(counted(a=(3000, 5000), b=(3010, 5000)))
    assert (sound.name, sound.verdict) == ("fairness_sex_by_age", "pass")
    unfair = fair(counted(a=(300, 500), b=(150, 500), c=(295, 500)))
    assert (unfair.verdict, unfair.blocks) == ("fail", True)
    assert "of a " in unfair.why or "of b " in unfair.why


def test_a_ratio_of_rates_is_judged_from_the_other_side() -> None:
    sound = fair(counted(a=(3000, 5000), b=(3010, 5000)), "ratio", 0.8)
    assert (sound.verdict, sound.side) == ("pass", "above")
    assert fair(counted(a=(300, 500), b=(150, 500)), "ratio", 0.8).verdict == "fail"


def test_few_rows_of_a_group_can_not_prove_it_treated_fairly() -> None:
    found = counted(a=(33, 55), b=(33, 55))
    assert fair(found).verdict == "insufficient"
    assert not fair(found).blocks
    assert fair(found, insufficient="block").blocks


@pytest.mark.parametrize("found", [counted(a=(300, 500)), counted(a=(300, 500), b=(0, 49)), {}])
def test_one_group_alone_is_not_measured_and_no_pass(found: Any) -> None:
    assert fair(found).verdict == "insufficient"
    assert fair(found).estimate is None
    assert fair(found, insufficient="block").blocks


def sliced(*lines: tuple[str, int, float, float]) -> pd.DataFrame:
    named = [(name, "the prior", rows, rows, *numbers) for name, rows, *numbers in lines]
    return pd.DataFrame(named, columns=list(slices.COLUMNS))


def test_a_slice_that_is_lost_fails_and_is_named() -> None:
    sound = sliced(("young", 2000, -0.1, 0.4), ("old", 2000, -0.2, 0.4))
    bad = sliced(("young", 2000, -0.1, 0.4), ("old", 2000, 0.5, 0.4))
    assert groups.worst_slice("slices", sound, limit(0.1), SURE).verdict == "pass"
    found = groups.worst_slice("slices", bad, limit(0.1), SURE)
    assert found.verdict == "fail"
    assert "old (2,000 rows)" in found.why


def test_no_slice_at_all_is_not_measured() -> None:
    found = groups.worst_slice("declared_slices", sliced(), limit(0.1, "tolerate"), SURE)
    assert (found.name, found.verdict, found.blocks) == ("declared_slices", "insufficient", False)
    assert groups.worst_slice("slices", sliced(), limit(0.1, "block"), SURE).blocks


def test_a_group_that_is_judged_and_was_not_learned_from_is_counted_and_named() -> None:
    held = {"g: a": 500, "g: b": 60, "g: rare": 3}
    assert groups.group_coverage({"g: a": 900, "g: b": 50}, held, 50).verdict == "pass"
    for train in ({"g: a": 900}, {"g: a": 900, "g: b": 49}):
        found = groups.group_coverage(train, held, 50)
        assert found.verdict == "fail"
        assert found.why.endswith(": g: b")


def test_without_anyone_named_the_gate_says_that_it_does_not_know_and_is_no_pass() -> None:
    for insufficient in ("tolerate", "block"):
        wanted = FairnessGate(
            criterion="true_positive_rate",
            measure="difference",
            threshold=0.1,
            insufficient=insufficient,
        )
        found = groups.nobody(wanted)
        assert (found.name, found.verdict) == ("fairness", "insufficient")
        assert found.blocks is (insufficient == "block")
