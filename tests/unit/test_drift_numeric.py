"""Tests of a number: equal to SciPy's, from one sort, and sensible for ties and infinities."""

import warnings

import numpy as np
import pytest
from scipy import stats

from perennial.core.drift import numeric, result

RANDOM = np.random.default_rng(0)
NORMAL = RANDOM.normal(size=700), RANDOM.normal(0.4, 1.3, size=330)
TIED = RANDOM.integers(0, 6, 700).astype(float), RANDOM.integers(1, 8, 330).astype(float)
FEW = np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0])
PAIRS = pytest.mark.parametrize("pair", [NORMAL, TIED, FEW], ids=["normal", "tied", "few"])
Pair = tuple[np.ndarray, np.ndarray]


def found(pair: Pair, bins: int = 10) -> dict[str, result.Test]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {test.name: test for test in numeric.tests("x", *pair, bins=bins)}


@PAIRS
def test_ks_is_scipys_with_the_asymptotic_p_value(pair: Pair) -> None:
    expected = stats.ks_2samp(*pair, method="asymp")
    test = found(pair)["ks"]
    assert test.statistic == test.effect == pytest.approx(expected.statistic, abs=1e-12)
    assert test.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert numeric.ks("x", *pair) == test


@PAIRS
def test_wasserstein_is_scipys_and_its_effect_in_standard_deviations(pair: Pair) -> None:
    expected = stats.wasserstein_distance(*pair)
    test = found(pair)["wasserstein"]
    assert test.statistic == pytest.approx(expected, rel=1e-9)
    assert test.effect == pytest.approx(expected / pair[0].std(), rel=1e-9)
    assert test.p_value is None


def test_psi_counts_rows_between_the_references_quantiles() -> None:
    reference, current = (np.sort(side) for side in NORMAL)
    table = numeric.quantile_table(reference, current, 10)
    assert table[0].tolist() == [70] * 10
    edges = reference[69:699:70]
    expected = [
        ((low < current) & (current <= high)).sum()
        for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True)
    ]
    assert table[1].tolist() == expected


def test_quantiles_that_are_equal_are_one_and_no_row_is_lost() -> None:
    table = numeric.quantile_table(np.sort(TIED[0]), np.sort(TIED[1]), 10)
    assert table.shape[1] <= 7
    assert table.sum(axis=1).tolist() == [700, 330]


def test_more_bins_than_reference_rows_are_no_fault() -> None:
    assert found(FEW)["psi"].p_value is not None


def test_a_shift_of_half_a_standard_deviation_is_what_the_thresholds_say() -> None:
    """KS about 0.2, Wasserstein 0.5 standard deviations, PSI about 0.25."""
    random = np.random.default_rng(1)
    tests = found((random.normal(size=50_000), random.normal(0.5, 1, 50_000)))
    assert tests["ks"].effect == pytest.approx(0.197, abs=0.01)
    assert tests["wasserstein"].effect == pytest.approx(0.5, abs=0.02)
    assert tests["psi"].effect == pytest.approx(0.24, abs=0.03)


def test_without_drift_p_values_are_uniform_and_the_effect_is_small() -> None:
    random = np.random.default_rng(2)
    both = [found((random.normal(size=500), random.normal(size=200))) for _ in range(300)]
    for name in ("ks", "psi"):
        p_values = np.array([tests[name].p_value for tests in both])
        assert 0.01 < (p_values < 0.05).mean() < 0.09, name
        assert p_values.mean() == pytest.approx(0.5, abs=0.06), name
    assert np.mean([tests["psi"].effect for tests in both]) < 0.02


@pytest.mark.parametrize("value", [0.1, 0.0, -7e300])
def test_one_value_on_both_sides_has_not_drifted(value: float) -> None:
    tests = found((np.full(300, value), np.full(200, value)))
    assert all(test.effect == 0 for test in tests.values())
    assert (tests["ks"].p_value, tests["psi"].p_value) == (1, 1)


def test_a_constant_that_changed_is_drift_by_every_test() -> None:
    tests = found((np.full(300, 0.1), np.full(200, 0.7)))
    assert tests["ks"].effect == 1
    assert tests["ks"].p_value < 1e-50  # type: ignore[operator]
    assert tests["psi"].effect > 1
    assert tests["wasserstein"].effect > 1


@pytest.mark.parametrize("sign", [1, -1])
def test_infinite_values_are_the_largest_and_only_wasserstein_leaves_them_out(sign: int) -> None:
    current = NORMAL[1].copy()
    current[:165] = sign * np.inf
    tests = found((NORMAL[0], current))
    assert tests["ks"].effect > 0.3
    expected = stats.wasserstein_distance(NORMAL[0], current[165:])
    assert tests["wasserstein"].statistic == pytest.approx(expected, rel=1e-9)
    assert all(np.isfinite(test.effect) for test in tests.values())


def test_a_side_that_is_all_infinite_has_no_wasserstein_distance() -> None:
    tests = found((NORMAL[0], np.full(10, np.inf)))
    assert set(tests) == {"ks", "psi"}
    assert tests["ks"].effect == 1


def test_numbers_whose_squares_overflow_have_no_wasserstein_distance_and_no_warning() -> None:
    tests = found((np.array([-1e308, 1e308]), np.array([1e308, 1e308])))
    assert set(tests) == {"ks", "psi"}


def test_one_row_on_each_side_is_no_fault() -> None:
    tests = found((np.array([1.0]), np.array([2.0])))
    assert tests["ks"].effect == 1
    assert tests["ks"].p_value == 1
