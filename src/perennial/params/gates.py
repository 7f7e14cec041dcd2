"""The group `gates` of params.yaml: what each gate asks, and whether too few rows block."""

from typing import Annotated, Literal

from pydantic import Field

from perennial.params.base import AboveZero, Group, NotNegative, OnInsufficient, Share


class QualityFloor(Group):
    metric: Literal["roc_auc", "average_precision", "accuracy", "f1", "log_loss", "brier"]
    threshold: AboveZero
    insufficient: OnInsufficient


class Threshold(Group):
    threshold: NotNegative
    insufficient: OnInsufficient


class Margin(Group):
    margin: NotNegative
    insufficient: OnInsufficient


class ChampionGate(Group):
    margin: NotNegative


class AdditivityGate(Group):
    threshold: AboveZero


class FairnessGate(Group):
    criterion: Literal["selection_rate", "true_positive_rate", "false_positive_rate", "precision"]
    measure: Literal["difference", "ratio"]
    threshold: Share
    insufficient: OnInsufficient


class Tolerance(Group):
    tolerance: NotNegative


class Forbidden(Group):
    columns: list[str]


class Identifier(Group):
    at_most: Annotated[float, Field(gt=0, le=1)]


class CostGate(Group):
    """Ratios to default XGBoost."""

    model_size: AboveZero
    node_visits: AboveZero


class ParityGate(Group):
    tolerance: AboveZero
    insufficient: OnInsufficient


class Gates(Group):
    error_rate: Share
    quality_floor: QualityFloor
    calibration: Threshold
    better_than_prior: Threshold
    better_than_simple: Margin
    champion: ChampionGate
    slices: Threshold
    declared_slices: Threshold
    fairness: FairnessGate
    leakage: Threshold
    dependence: Threshold
    forbidden_features: Forbidden
    proxies: Threshold
    stability: Threshold
    additivity: AdditivityGate
    invariance: Tolerance
    directions: Threshold
    flipped: Threshold
    single_feature: Threshold
    identifier: Identifier
    cost: CostGate
    parity: ParityGate
