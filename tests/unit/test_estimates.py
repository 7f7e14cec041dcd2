"""Estimates: the values are the textbooks', and the intervals hold as often as they say."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from perennial.core.statistics import estimates, roc
from perennial.core.statistics.estimates import Estimate

SIMULATIONS = 400  # of which a 95 % interval covers the truth 92 to 98 % of the time (±2.75 s.e.)


def coverage(truth: float, draw: Callable[[np.random.Generator], Estimate]) -> float:
    found = [draw(random) for random in np.random.default_rng(0).spawn(SIMULATIONS)]
    return float(np.mean([e.low <= truth <= e.high for e in found]))


def kernel(target: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Mann and Whitney's kernel: 1, ½ or 0 for each pair of a positive and a negative."""
    positive, negative = score[target == 1][:, None], score[target == 0][None, :]
    return (positive > negative) + 0.5 * (positive == negative)


@st.composite
def scored(draw: st.DrawFn, models: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Targets with at least two of each class, and scores with many ties."""
    rest = draw(st.lists(st.integers(0, 1), max_size=20))
    target = np.array([0, 0, 1, 1, *rest])
    one = st.lists(st.integers(0, 5), min_size=len(target), max_size=len(target))
    return target, np.array([draw(one) for _ in range(models)], dtype="float64")


@given(scored())
def test_auc_equals_scikit_learns_with_ties(case: tuple[np.ndarray, np.ndarray]) -> None:
    target, scores = case
    found = roc.roc_auc(target, scores[0], 0.95)
    assert found.value == pytest.approx(roc_auc_score(target, scores[0]), abs=1e-12)
    assert found.n == len(target)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(scored(models=2))
def test_delong_covariance_equals_its_definition_over_all_pairs(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    target, scores = case
    kernels = [kernel(target, score) for score in scores]
    m, n = kernels[0].shape
    expected = np.cov([k.mean(axis=1) for k in kernels]) / m
    expected += np.cov([k.mean(axis=0) for k in kernels]) / n
    aucs, covariance = roc.delong(target, scores)
    assert aucs == pytest.approx([k.mean() for k in kernels], abs=1e-12)
    assert covariance == pytest.approx(expected, abs=1e-12)


@given(scored(models=2))
def test_auc_difference_turns_its_sign_with_the_models(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    target, (first, second) = case
    there = roc.roc_auc_difference(target, first, second, 0.95)
    back = roc.roc_auc_difference(target, second, first, 0.95)
    assert (there.value, there.low, there.high) == pytest.approx(
        (-back.value, -back.high, -back.low), abs=1e-12
    )


def test_auc_difference_of_two_scores_that_rank_alike_is_exactly_nothing() -> None:
    random = np.random.default_rng(0)
    target, score = random.integers(0, 2, 200), random.normal(size=200)
    found = roc.roc_auc_difference(target, score, np.exp(score), 0.95)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_paired_interval_is_narrower_than_that_of_independent_rows() -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, 2, 1000)
    first = target + random.normal(size=1000)
    second = first + random.normal(size=1000) * 0.2
    paired = roc.roc_auc_difference(target, first, second, 0.95)
    alone = roc.roc_auc(target, first, 0.95)
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)


def test_auc_interval_covers_the_truth_as_often_as_it_says() -> None:
    def draw(random: np.random.Generator) -> Estimate:
        target = np.repeat([1, 0], [60, 90])
        return roc.roc_auc(target, random.normal(size=150) + 1.2 * target, 0.95)

    assert 0.92 <= coverage(float(stats.norm.cdf(1.2 / np.sqrt(2))), draw) <= 0.98


def test_auc_difference_interval_covers_the_truth_as_often_as_it_says() -> None:
    def draw(random: np.random.Generator) -> Estimate:
        target, shared = np.repeat([1, 0], [80, 120]), random.normal(size=200)
        first, second = (
            0.8 * shared + 0.6 * random.normal(size=200) + d * target for d in (1.0, 0.6)
        )
        return roc.roc_auc_difference(target, first, second, 0.95)

    truth = stats.norm.cdf(1.0 / np.sqrt(2)) - stats.norm.cdf(0.6 / np.sqrt(2))
    assert 0.92 <= coverage(float(truth), draw) <= 0.98


def test_auc_of_one_positive_states_no_finite_interval() -> None:
    """Nothing can be known of the spread of positives from one, so nothing may pass on it."""
    target, score = np.array([1, 0, 0, 0]), np.array([0.25, 0.1, 0.2, 0.3])
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        found = roc.roc_auc(target, score, 0.95)
    assert not np.isfinite(found.low)
    assert not np.isfinite(found.high)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_auc_of_one_class_states_nothing() -> None:
    found = roc.roc_auc(np.zeros(4, dtype="int64"), np.arange(4.0), 0.95)
    assert not np.isfinite([found.value, found.low, found.high]).any()


@pytest.mark.parametrize("positives", [1, 2, 5])
def test_perfect_auc_on_few_rows_is_not_certain(positives: int) -> None:
    target = np.repeat([1, 0], [positives, 5])
    found = roc.roc_auc(target, target + np.arange(len(target)) * 0.01, 0.95)
    assert found.value == 1
    assert not found.low > 0.9


def test_bootstrap_is_the_same_for_a_seed_and_another_for_another() -> None:
    values = np.random.default_rng(0).exponential(size=200)

    def statistic(weights: np.ndarray) -> np.ndarray:
        return weights @ values / 200

    first, again, other = (
        estimates.bootstrap(statistic, 200, 0.95, 300, seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert first.value == other.value == pytest.approx(values.mean())


def test_every_replicate_draws_as_many_rows_as_there_are() -> None:
    weights = estimates.resampling_weights(50, 20, seed=3)
    assert weights.shape == (20, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert weights.min() >= 0


def test_bootstrap_interval_covers_the_truth_as_often_as_it_says() -> None:
    def draw(random: np.random.Generator) -> Estimate:
        values = random.normal(3.0, 2.0, 120)
        seed = int(random.integers(2**31))
        return estimates.bootstrap(lambda w: w @ values / 120, 120, 0.95, 200, seed)

    # the percentile interval of 200 replicates is a little narrow, by theory too
    assert 0.91 <= coverage(3.0, draw) <= 0.98


def test_bootstrap_of_many_rows_is_drawn_in_blocks_that_agree_with_theory() -> None:
    rows, shapes, firsts = 100_000, [], set()
    values = np.random.default_rng(0).normal(size=rows).astype("float32")

    def statistic(weights: np.ndarray) -> np.ndarray:
        shapes.append(weights.shape)
        firsts.add(weights[0].tobytes())
        return weights @ values / rows

    found = estimates.bootstrap(statistic, rows, 0.9, 230, seed=0)
    assert sum(replicates for replicates, _ in shapes) == 230 + 1  # and once as they are
    assert max(np.prod(shape) for shape in shapes) <= 20_000_000
    assert len(shapes) > 2
    assert len(firsts) == len(shapes)  # no block draws what another did
    width = 2 * stats.norm.ppf(0.95) * values.std() / np.sqrt(rows)
    assert found.high - found.low == pytest.approx(width, rel=0.2)
    assert found.low < found.value < found.high


def test_replicates_where_the_statistic_is_undefined_are_left_out() -> None:
    def statistic(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, 0] > 0, weights[:, 0], np.nan)

    found = estimates.bootstrap(statistic, 10, 0.95, 500, seed=0)
    assert found.low == 1
    assert found.high >= 2


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_proportion_has_the_published_wilson_interval(
    successes: int, n: int, low: float, high: float
) -> None:
    found = estimates.proportion(successes, n, 0.95)
    assert (found.value, found.n) == (successes / n, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_difference_has_agresti_and_caffos_interval() -> None:
    """56 of 70 less 48 of 80, an example of Newcombe's, by hand: 57/72 - 49/82 ± 1.96 × 0.07227."""
    found = estimates.difference((56, 70), (48, 80), 0.95)
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0525, 0.3358), abs=1e-4)
    assert found.n == 150


@pytest.mark.parametrize(("n1", "n2"), [(30, 50), (200, 40)])
def test_difference_interval_covers_the_truth_as_often_as_it_says(n1: int, n2: int) -> None:
    def draw(random: np.random.Generator) -> Estimate:
        counts = (int(random.binomial(n1, 0.3)), n1), (int(random.binomial(n2, 0.55)), n2)
        return estimates.difference(*counts, 0.95)

    assert 0.92 <= coverage(0.3 - 0.55, draw) <= 0.98


def test_mean_has_students_interval() -> None:
    values = np.random.default_rng(0).exponential(size=25)
    found = estimates.mean(values, 0.9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.n == 25


def test_higher_confidence_makes_every_interval_wider() -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, 2, 100)
    score = target + random.normal(size=100)
    makers: list[Callable[[float], Estimate]] = [
        lambda c: estimates.mean(score, c),
        lambda c: estimates.proportion(7, 20, c),
        lambda c: estimates.difference((7, 20), (9, 20), c),
        lambda c: roc.roc_auc(target, score, c),
        lambda c: roc.roc_auc_difference(target, score, random.normal(size=100), c),
        lambda c: estimates.bootstrap(lambda w: w @ score / 100, 100, c, 200, 0),
    ]
    for make in makers:
        wide, narrow = make(0.99), make(0.8)
        assert wide.high - wide.low > narrow.high - narrow.low


def test_estimate_as_json_has_the_contracts_four_keys() -> None:
    assert Estimate(0.5, 0.4, 0.6, 9).to_json() == {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
