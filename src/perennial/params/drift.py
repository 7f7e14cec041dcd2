"""The groups `monitor` and `policy` of params.yaml: what counts as drift, and what follows."""

from typing import Annotated, Literal

from pydantic import Field

from perennial.params.base import AboveZero, Group, Positive, Share


class Effects(Group):
    """The effect from which a drift matters, by the test's name."""

    ks: Share
    psi: AboveZero
    chi_square: Share
    jensen_shannon: Share
    missing: Share
    new_levels: Share
    vanished_levels: Share


class DomainClassifier(Group):
    rows: Positive
    folds: Annotated[int, Field(ge=2)]
    rounds: Positive
    roc_auc: Annotated[float, Field(ge=0.5, lt=1)]


class Monitor(Group):
    min_rows: Positive
    false_discovery_rate: Share
    effects: Effects
    psi_bins: Annotated[int, Field(ge=2)]
    min_features: Positive
    confidence: Share
    replicates: Annotated[int, Field(ge=100)]
    domain_classifier: DomainClassifier
    adaptive_windowing: Share


class Policy(Group):
    request: Literal["none", "retrain", "retune"]
