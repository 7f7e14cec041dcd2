"""Calibration: from a model's log odds to probabilities that mean what they say."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Calibration:
    """A monotone map from log odds to probability.

    `sigmoid`: slope and intercept of Platt (1999). `isotonic`: a step curve's corners (Zadrozny
    and Elkan 2002), interpolated between and flat outside.
    """

    method: Literal["sigmoid", "isotonic"]
    slope: float = 1.0
    intercept: float = 0.0
    margins: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def probability(self, margin: np.ndarray) -> np.ndarray:
        """Return probabilities of the positive class, shape (rows,), float64."""
        if self.method == "isotonic":
            return np.interp(margin, self.margins, self.probabilities)
        from scipy.special import expit

        return expit(self.slope * margin + self.intercept)

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON values."""
        if self.method == "sigmoid":
            return {"method": "sigmoid", "slope": self.slope, "intercept": self.intercept}
        return {
            "method": "isotonic",
            "margins": list(self.margins),
            "probabilities": list(self.probabilities),
        }

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Calibration":
        """Return the calibration that `to_json` wrote."""
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in content.items()
        }
        return Calibration(**values)


def fit(
    method: Literal["sigmoid", "isotonic"], margin: np.ndarray, target: np.ndarray
) -> Calibration:
    """Fit on rows that the model was not trained on.

    Args:
        method: `sigmoid` or `isotonic`.
        margin: The model's log odds, shape (rows,).
        target: 0 or 1, shape (rows,).
    """
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        # Zhang, Elkan's bounds: a probability of exactly 0 or 1 has an infinite log loss
        edge = 1.0 / (len(target) + 2)
        curve = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip")
        curve.fit(margin, target)
        return Calibration(
            "isotonic",
            margins=tuple(map(float, curve.X_thresholds_)),
            probabilities=tuple(map(float, curve.y_thresholds_)),
        )
    if np.ptp(margin) == 0:  # a constant model has nothing but its level to calibrate
        rate = (target.sum() + 1) / (len(target) + 2)
        return Calibration("sigmoid", slope=0.0, intercept=float(np.log(rate / (1 - rate))))
    from sklearn.linear_model import LogisticRegression

    # Platt's targets: short of 0 and 1 by what so many rows leave open, so that rows which
    # happen to be separated are not said to be certain. Each row counts as both classes.
    positives = int(target.sum())
    high, low = (positives + 1) / (positives + 2), 1 / (len(target) - positives + 2)
    soft = np.where(target == 1, high, low)
    both = np.repeat([1, 0], len(target))
    # nine digits of Newton's optimum are the same on every machine
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=200)
    line.fit(np.tile(margin, 2).reshape(-1, 1), both, sample_weight=np.append(soft, 1 - soft))
    slope, intercept = (float(f"{v:.9g}") for v in (line.coef_[0, 0], line.intercept_[0]))
    return Calibration("sigmoid", slope=slope, intercept=intercept)
