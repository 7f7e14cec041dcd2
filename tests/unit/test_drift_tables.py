"""Tests of counts: equal to SciPy's, without effect where there is none, and safe at the edges."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from perennial.core.drift import tables

MOVED = np.array([[500, 300, 200], [90, 90, 120]])


def null_tables(cells: int, n: int, m: int, count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    shares = np.full(cells, 1 / cells)
    return [
        np.array([random.multinomial(n, shares), random.multinomial(m, shares)])
        for _ in range(count)
    ]


def test_chi_square_is_scipys_without_yates_correction() -> None:
    found, expected = tables.chi_square("x", MOVED), stats.chi2_contingency(MOVED, correction=False)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_cramers_v_on_many_rows_is_scipys() -> None:
    expected = stats.contingency.association(MOVED * 100)
    assert tables.chi_square("x", MOVED * 100).effect == pytest.approx(expected, abs=1e-3)


def test_the_statistic_of_jensen_shannon_is_the_likelihood_ratio_of_scipy() -> None:
    found = tables.jensen_shannon("x", MOVED)
    expected = stats.chi2_contingency(MOVED, correction=False, lambda_="log-likelihood")
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_the_divergence_is_the_square_of_scipys_jensen_shannon_distance() -> None:
    shares = MOVED / MOVED.sum(axis=1, keepdims=True)
    expected = distance.jensenshannon(*shares) ** 2
    assert tables.jensen_shannon_divergence(MOVED) == pytest.approx(expected, rel=1e-9)
    many = tables.jensen_shannon("x", MOVED * 10_000).effect
    assert many == pytest.approx(distance.jensenshannon(*shares, base=2), abs=1e-4)


def test_psi_is_the_sum_over_cells_of_the_difference_times_the_log_ratio() -> None:
    p, q = (MOVED + 0.5) / (MOVED + 0.5).sum(axis=1, keepdims=True)
    assert tables.psi("x", MOVED).statistic == pytest.approx(((p - q) * np.log(p / q)).sum())


@pytest.mark.parametrize("name", ["chi_square", "jensen_shannon", "psi"])
def test_without_drift_p_values_are_uniform_and_the_effect_is_small(name: str) -> None:
    """A plain PSI of 100 rows in 10 bins is about 0.18 with no drift at all."""
    found = [getattr(tables, name)("x", table) for table in null_tables(10, 100, 100, 400)]
    p_values = np.array([t.p_value for t in found])
    assert 0.02 < (p_values < 0.05).mean() < 0.09
    assert p_values.mean() == pytest.approx(0.5, abs=0.06)
    assert np.mean([t.effect for t in found]) < 0.1
    if name == "psi":
        assert np.mean([t.statistic for t in found]) == pytest.approx(0.18, abs=0.03)


@pytest.mark.parametrize("name", ["chi_square", "jensen_shannon", "psi"])
@pytest.mark.parametrize("table", [[[5], [9]], [[5, 0], [9, 0]], [[], []]])
def test_a_single_cell_has_not_drifted(name: str, table: list[list[int]]) -> None:
    found = getattr(tables, name)("x", np.array(table, dtype="float64"))
    assert (found.statistic, found.p_value, found.effect) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("name", ["chi_square", "jensen_shannon"])
def test_sides_that_share_no_cell_have_the_largest_effect(name: str) -> None:
    found = getattr(tables, name)("x", np.array([[1000, 0], [0, 1000]]))
    assert found.effect == pytest.approx(1, abs=0.01)
    assert found.p_value < 1e-100


def test_an_empty_cell_leaves_the_psi_finite_and_large() -> None:
    found = tables.psi("x", np.array([[500, 0], [250, 250]]))
    assert 0.25 < found.effect < 10


def test_equal_shares_of_unequal_many_rows_have_no_effect() -> None:
    table = np.array([[600, 300, 100], [60, 30, 10]])
    for name in ("chi_square", "jensen_shannon", "psi"):
        found = getattr(tables, name)("x", table)
        assert (found.effect, found.p_value) == (0, pytest.approx(1, abs=0.01)), name


def test_missing_values_are_tested_as_two_proportions() -> None:
    found = tables.missing("x", (20, 40), (200, 200))
    pool = 60 / 400
    z = (0.1 - 0.2) / np.sqrt(pool * (1 - pool) * (1 / 200 + 1 / 200))
    assert found.statistic == pytest.approx(z**2)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert found.effect == pytest.approx(0.1)


def test_cells_that_expect_under_five_rows_are_one_cell() -> None:
    table = np.array([[1000, 30, 30, 4], [100, 3, 2, 1]])
    assert tables.pooled(table).tolist() == [[1000, 64], [100, 6]]


def test_pooled_cells_keep_names_that_never_repeat_from_looking_like_drift() -> None:
    """Unpooled, the likelihood ratio of such names is sure of a drift that isn't there."""
    table = np.repeat(np.eye(2), 300, axis=1)
    assert (tables.jensen_shannon("x", table).p_value or 0) < 1e-9
    assert tables.jensen_shannon("x", tables.pooled(table)).p_value == 1
