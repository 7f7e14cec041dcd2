"""What a drift test says, and which of many tests say drift together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

PREDICTION = "(prediction)"  # the feature's name in tests of the champion's scores


@dataclass(frozen=True)
class Test:
    """One test of one feature.

    Attributes:
        name: Which test.
        feature: Of what.
        statistic: The test's own.
        p_value: None for a distance that has no test and is shown only.
        effect: How far the feature moved, about 0 if it did not; its unit is the test's.
        q_value: The p-value corrected for the number of tests, once `judge` has seen all.
        threshold: The effect that matters; None for what is shown only.
        drifted: Both significant and large enough to matter.
    """

    name: str
    feature: str
    statistic: float
    p_value: float | None
    effect: float
    q_value: float | None = None
    threshold: float | None = None
    drifted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the test as JSON values."""
        return asdict(self)

    @property
    def strength(self) -> float:
        """How many times its threshold the effect is; -1 for what is shown only."""
        return self.effect / self.threshold if self.threshold else -1.0


def judge(
    tests: Sequence[Test], thresholds: Mapping[str, float], false_discovery_rate: float
) -> list[Test]:
    """Say which tests have drifted.

    That is: significant after Benjamini and Hochberg's correction (1995) over all tests with a
    p-value, and an effect that reaches the test's threshold. With many rows anything is
    significant, and with many tests something is. Several tests of one feature go up and down
    together; under such dependence the correction holds (Benjamini and Yekutieli 2001).

    Args:
        tests: All tests of a comparison.
        thresholds: The least effect that matters, by the test's name.
        false_discovery_rate: The share of false ones allowed among the significant.
    """
    from scipy import stats

    tested = [i for i, test in enumerate(tests) if test.p_value is not None]
    q_values: dict[int, float] = {}
    if tested:
        corrected = stats.false_discovery_control([tests[i].p_value or 0.0 for i in tested])
        q_values = dict(zip(tested, map(float, corrected), strict=True))
    judged = []
    for i, test in enumerate(tests):
        q, threshold = q_values.get(i), thresholds.get(test.name)
        significant = q is not None and q < false_discovery_rate
        drifted = significant and threshold is not None and test.effect >= threshold
        judged.append(replace(test, q_value=q, threshold=threshold, drifted=drifted))
    return judged
