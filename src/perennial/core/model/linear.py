"""Logistic regression, stored as numbers: the simple model that may be the candidate itself."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Term:
    """One column of the design: a standardised number, or an indicator of a level or of missing."""

    feature: str
    kind: str  # number, level or missing
    level: str | None
    fill: float
    mean: float
    scale: float
    weight: float


@dataclass(frozen=True)
class Logistic:
    """A fitted logistic regression over the terms of its design."""

    intercept: float
    terms: tuple[Term, ...]

    def margin(self, features: pd.DataFrame) -> np.ndarray:
        """Return the log odds of each row, shape (rows,)."""
        return self.intercept + self.contributions(features).sum(axis=1)

    def contributions(self, features: pd.DataFrame) -> np.ndarray:
        """Return each feature's part of the log odds, shape (rows, features).

        Every term is centred on its training mean, so these are the SHAP values of a linear model
        with independent features (Lundberg and Lee 2017, corollary 1), and `intercept` their base.
        """
        parts = np.zeros(features.shape)
        index = {name: i for i, name in enumerate(features.columns)}
        for term in self.terms:
            parts[:, index[term.feature]] += term.weight * _standardised(features, term)
        return parts

    def to_json(self) -> dict[str, Any]:
        """Return the model as JSON values."""
        return {"intercept": self.intercept, "terms": [asdict(term) for term in self.terms]}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "Logistic":
        """Return the model that `to_json` wrote."""
        return Logistic(content["intercept"], tuple(Term(**term) for term in content["terms"]))


def fit(features: pd.DataFrame, target: np.ndarray, weight: np.ndarray | None = None) -> Logistic:
    """Fit with scikit-learn's LogisticRegression (L2, C = 1) on standardised terms.

    Numbers are imputed by their training median; missing values have an indicator of their own.
    """
    from sklearn.linear_model import LogisticRegression

    design = [term for name in features for term in _terms(features[name])]
    columns = np.column_stack([_standardised(features, term) for term in design])
    # Newton to the bottom, then nine digits: a first-order solver stops where this machine's BLAS
    # happens to round, and its bytes would differ on the next
    model = LogisticRegression(solver="newton-cholesky", tol=1e-10, max_iter=200)
    fitted = model.fit(columns, target, sample_weight=weight)
    terms = tuple(
        Term(**{**asdict(term), "weight": _digits(w)})
        for term, w in zip(design, fitted.coef_[0], strict=True)
    )
    return Logistic(_digits(fitted.intercept_[0]), terms)


def _digits(value: float) -> float:
    return float(f"{value:.9g}")


def _terms(values: pd.Series) -> list[Term]:
    name = str(values.name)
    terms = []
    if isinstance(values.dtype, pd.CategoricalDtype):
        terms += [_term(name, "level", level, values == level) for level in values.cat.categories]
    else:
        fill = float(values.median()) if values.notna().any() else 0.0
        terms.append(_term(name, "number", None, values.fillna(fill), fill))
    if values.isna().any():
        terms.append(_term(name, "missing", None, values.isna()))
    return terms


def _term(name: str, kind: str, level: str | None, column: pd.Series, fill: float = 0.0) -> Term:
    scale = _digits(column.std(ddof=0)) or 1.0
    # nine digits of the spread, not of the mean: a small spread far from 0 must be centred too
    mean = round(float(column.mean()), 9 - math.floor(math.log10(scale)))
    return Term(name, kind, level, fill, mean, scale, 0.0)


def _standardised(features: pd.DataFrame, term: Term) -> np.ndarray:
    values = features[term.feature]
    if term.kind == "level":
        column = (values == term.level).to_numpy(dtype="float64")
    elif term.kind == "missing":
        column = values.isna().to_numpy(dtype="float64")
    else:
        column = values.fillna(term.fill).to_numpy(dtype="float64")
    return (column - term.mean) / term.scale
