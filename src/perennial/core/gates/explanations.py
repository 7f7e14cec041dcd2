"""Gates on why the candidate says what it says: leaks, proxies, stability, additivity."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from perennial.core import attribution
from perennial.core.gates.result import Gate, Precision, not_measured, on_fact, on_interval
from perennial.core.statistics import clusters, roc
from perennial.params.gates import AdditivityGate, Threshold


def leakage(
    attributions: pd.DataFrame,
    settings: Threshold,
    precision: Precision,
    key: np.ndarray | None = None,
) -> Gate:
    """No single feature carries so much of the attribution that it looks like the answer itself.

    Taken in the training rows, where a leak is learned: drift can hide it in the holdout. `key` is
    each row's cluster, shape (rows,), here and below.
    """
    found = precision.resampled(attribution.largest_share(attributions), len(attributions), key)
    name = attribution.importance(attributions)[0]["feature"]
    return on_interval(
        "leakage",
        found,
        settings.threshold,
        "below",
        settings.insufficient,
        f"share of {name} in all attribution {{estimate}} must be below {{threshold}}",
    )


def dependence(
    scores: pd.DataFrame,
    without: np.ndarray,
    feature: str,
    settings: Threshold,
    precision: Precision,
) -> Gate:
    """The candidate is not lost without its largest feature: the AUC that goes with it (DeLong).

    Args:
        scores: The candidate's scores.
        without: Probabilities of the same recipe fitted without the feature, shape (rows,).
        feature: The feature with the largest share of attribution.
        settings: How much AUC may hang on it.
        precision: Confidence of the interval.
    """
    found = roc.roc_auc_difference(
        scores["target"].to_numpy(),
        scores["probability"].to_numpy(),
        without,
        precision.confidence,
        clusters.of(scores),
    )
    return on_interval(
        "dependence",
        found,
        settings.threshold,
        "below",
        settings.insufficient,
        f"ROC AUC lost without {feature} {{estimate}} must be below {{threshold}}",
    )


def forbidden_features(
    attributions: pd.DataFrame, sources: Mapping[str, str], forbidden: Sequence[str]
) -> Gate:
    """No feature comes from a column that the user forbids."""
    used = sorted(str(name) for name in attributions if sources[str(name)] in forbidden)
    named = f": {', '.join(used)}" if used else ""
    return on_fact(
        "forbidden_features",
        len(used),
        len(attributions),
        0,
        f"{{value}} features come from a forbidden column; none may{named}",
    )


def proxies(
    attribute: str,
    attributions: pd.DataFrame,
    found: Mapping[str, Any],
    settings: Threshold,
    precision: Precision,
    key: np.ndarray | None = None,
) -> Gate:
    """What the candidate says does not rest on a sensitive attribute or on what gives it away.

    Args:
        attribute: The sensitive attribute.
        attributions: SHAP values of training rows.
        found: As core.proxies.find returns it: the features that carry the attribute.
        settings: Which share of all attribution they may have.
        precision: Confidence of the interval.
        key: Each row's cluster.
    """
    carriers = [*found["own"], *found["proxies"]]
    absolute = attributions.abs().to_numpy(dtype="float64")
    carried = attributions.columns.isin(carriers)

    def share(weights: np.ndarray) -> np.ndarray:
        sums = weights @ absolute
        total = sums.sum(axis=1)
        return np.divide(
            sums[:, carried].sum(axis=1), total, out=np.zeros_like(total), where=total > 0
        )

    named = f" ({', '.join(carriers)})" if carriers else ""
    return on_interval(
        f"proxies_{attribute}",
        precision.resampled(share, len(attributions), key),
        settings.threshold,
        "below",
        settings.insufficient,
        f"share of {attribute} and its proxies{named} in all attribution {{estimate}} must be "
        "below {threshold}",
    )


def stability(
    candidate: pd.DataFrame,
    champion: pd.DataFrame | None,
    is_champion: bool,
    settings: Threshold,
    precision: Precision,
    key: np.ndarray | None = None,
) -> Gate:
    """Candidate and champion explain the same rows alike: Spearman's correlation of mean |SHAP|.

    Over the features that both have, with the rows drawn anew in each bootstrap replicate.

    Args:
        candidate: The candidate's SHAP values, shape (rows, features).
        champion: The champion's of the same rows; None if nobody is champion.
        is_champion: Whether both are the same bundle.
        settings: The correlation that is needed.
        precision: Confidence of the interval.
        key: Each row's cluster.
    """
    name, threshold = "stability", settings.threshold
    if champion is None:
        return Gate(name, "pass", None, threshold, "nobody is champion yet", side="above")
    if is_champion:
        why = "the candidate is the champion, byte for byte"
        return Gate(name, "pass", None, threshold, why, side="above")
    both = [column for column in candidate if column in champion]
    if len(both) < 3:
        why = f"candidate and champion share {len(both)} features, too few to rank"
        return not_measured(name, threshold, settings.insufficient, why, "above")
    statistic = attribution.rank_correlation(candidate[both], champion[both])
    return on_interval(
        name,
        precision.resampled(statistic, len(candidate), key),
        threshold,
        "above",
        settings.insufficient,
        f"rank correlation with the champion's mean |SHAP| over {len(both)} features {{estimate}} "
        "must be above {threshold}",
    )


def additivity(errors: Sequence[float], rows: int, settings: AdditivityGate) -> Gate:
    """SHAP values and base sum to the model's own margin on every row explained."""
    return on_fact(
        "additivity",
        float(np.max(errors)),  # not a number stays one, and is no pass
        rows,
        settings.threshold,
        "largest gap between SHAP's sum and the model {value} must be at most {threshold}",
    )
