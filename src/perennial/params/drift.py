"""The groups `monitor`, `policy` and `replay` of params.yaml: what drift is, and what follows."""

from typing import Annotated, Literal

from pydantic import Field

from perennial.params.base import AboveZero, Group, NotNegative, Period, Positive, Share


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


class Harm(Group):
    """The change from which it matters to the champion; the interval's bound must be beyond."""

    roc_auc: NotNegative
    log_loss: NotNegative
    prior: NotNegative


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
    harm: Harm


class Budget(Group):
    """At most so many attempts in so many periods."""

    attempts: Positive
    periods: Positive


class Policy(Group):
    request: Literal["none", "retrain", "retune"]
    confirm: Positive
    cooldown: Annotated[int, Field(ge=0)]
    budget: Budget
    min_labelled: Positive
    severe: Share


class Replay(Group):
    """Which policies are replayed, and from where.

    Without `start`, it is the first period that leaves as much to train on as calibrates and is
    held out.
    """

    start: Period | None
    scheduled: list[Positive]
