"""params.yaml as frozen, strict models, group by group: no defaults, no extra keys.

`adapters/configuration.py` reads the file into them.
"""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # searched on a log scale
UpToOne = Annotated[float, Field(gt=0, le=1)]
# Columns that stand beside the groups in the tables between stages.
RESERVED = {"period", "row", "target", "key", "probability", "decision", "prior", "logistic"}
RESERVED |= {"default", "unmitigated", "logistic_decision", "default_decision"}
RESERVED |= {"unmitigated_decision"}
OnInsufficient = Literal["block", "tolerate"]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.json$")]
Period = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Group(BaseModel):
    """A group of params.yaml."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


class Data(Group):
    as_of: Period


class Target(Group):
    column: str
    positive: str | int | bool


class Validation(Group):
    suite: FileName
    on_failure: Literal["quarantine", "stop"]


class Split(Group):
    kind: Literal["time", "stratified", "group"]
    key: str | None
    calibration_rows: Positive
    holdout_rows: Positive

    @model_validator(mode="after")
    def _key_goes_with_group(self) -> "Split":
        if (self.kind == "group") != (self.key is not None):
            raise ValueError("`key` names a column exactly when `kind` is group")
        return self


class Monitor(Group):
    min_rows: Positive
    false_discovery_rate: Share
    min_effect: Share
    min_features: Positive


class Policy(Group):
    request: Literal["none", "retrain", "retune"]


class Sensitive(Group):
    """One sensitive attribute: a column as it is, or a number cut at `bins`."""

    source: str = Field(alias="from")
    bins: Annotated[list[Finite], Field(min_length=1)] | None

    @model_validator(mode="after")
    def _bins_rise(self) -> "Sensitive":
        if self.bins is not None and any(a >= b for a, b in pairwise(self.bins)):
            raise ValueError("`bins` must rise")
        return self


class Feature(Group):
    """One feature: the raw column it comes from, how, and why it is worth having."""

    source: str = Field(alias="from")
    kind: Literal["number", "category", "signed_log"] = Field(alias="as")
    missing: Finite | int | str | None
    why: Annotated[str, Field(min_length=1)]


class Features(Group):
    rare_below: Annotated[int, Field(ge=0)]
    columns: Annotated[dict[str, Feature], Field(min_length=1)]
    drop: dict[str, str]

    @model_validator(mode="after")
    def _dropped_is_not_used(self) -> "Features":
        both = sorted({f.source for f in self.columns.values()} & set(self.drop))
        if both:
            raise ValueError(f"{', '.join(both)}: named in `drop` and used in `columns`; keep one")
        return self


class Space(Group):
    """The ranges searched, each [low, high]."""

    max_depth: tuple[Positive, Positive] = Field(strict=False)
    min_child_weight: tuple[AboveZero, AboveZero] = Field(strict=False)
    subsample: tuple[UpToOne, UpToOne] = Field(strict=False)
    colsample_bytree: tuple[UpToOne, UpToOne] = Field(strict=False)
    reg_lambda: tuple[AboveZero, AboveZero] = Field(strict=False)
    reg_alpha: tuple[AboveZero, AboveZero] = Field(strict=False)

    @model_validator(mode="after")
    def _low_is_first(self) -> "Space":
        wrong = [name for name, (low, high) in self if low >= high]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: the low end must be below the high end")
        return self


class Search(Group):
    trials: Positive
    trials_per_round: Positive
    folds: Annotated[int, Field(ge=2)]
    learning_rate: Share
    max_rounds: Positive
    early_stopping_rounds: Positive
    ensemble: Positive
    simpler_within_errors: Annotated[float, Field(ge=0)]
    space: Space


class Utility(Group):
    true_positive: Finite
    false_positive: Finite
    false_negative: Finite
    true_negative: Finite


class Mitigation(Group):
    method: Literal["none", "reweighing", "exponentiated_gradient", "thresholds"]
    attribute: str
    constraint: Literal[
        "true_positive_rate_parity", "false_positive_rate_parity", "demographic_parity"
    ]
    permission: str | None

    @model_validator(mode="after")
    def _thresholds_need_permission(self) -> "Mitigation":
        if self.method == "thresholds" and not (self.permission or "").strip():
            raise ValueError(
                "`thresholds` treats people by group and needs a written `permission`: who, and why"
            )
        return self


class Training(Group):
    calibration: Literal["sigmoid", "isotonic"]
    utility: Utility
    mitigation: Mitigation


class Evaluation(Group):
    confidence: Share
    replicates: Annotated[int, Field(ge=100)]
    bins: Annotated[int, Field(ge=2)]


class Explanation(Group):
    rows: Positive
    waterfalls: Positive


class Fairness(Group):
    attributes: Annotated[list[str], Field(min_length=1)]
    intersections: bool
    min_group: Positive


class QualityFloor(Group):
    metric: Literal["roc_auc", "average_precision", "accuracy", "f1"]
    threshold: Share
    insufficient: OnInsufficient


class Threshold(Group):
    threshold: Annotated[float, Field(ge=0)]
    insufficient: OnInsufficient


class Margin(Group):
    margin: Annotated[float, Field(ge=0)]
    insufficient: OnInsufficient


class ChampionGate(Group):
    margin: Annotated[float, Field(ge=0)]


class AdditivityGate(Group):
    threshold: Annotated[float, Field(gt=0)]


class FairnessGate(Group):
    criterion: Literal["selection_rate", "true_positive_rate", "false_positive_rate", "precision"]
    threshold: Share
    insufficient: OnInsufficient


class Gates(Group):
    error_rate: Share
    quality_floor: QualityFloor
    calibration: Threshold
    better_than_prior: Threshold
    better_than_simple: Margin
    champion: ChampionGate
    leakage: Threshold
    additivity: AdditivityGate
    fairness: FairnessGate


class Registry(Group):
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    uri: str | None


class Params(Group):
    """All of params.yaml."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    data: Data
    target: Target
    validation: Validation
    split: Split
    monitor: Monitor
    policy: Policy
    sensitive: dict[str, Sensitive]
    features: Features
    search: Search
    training: Training
    evaluation: Evaluation
    explanation: Explanation
    fairness: Fairness
    gates: Gates
    registry: Registry

    @model_validator(mode="after")
    def _groups_agree(self) -> "Params":
        faults = [
            f"fairness.attributes: {name} is not among `sensitive`"
            for name in self.fairness.attributes
            if name not in self.sensitive
        ]
        faults += [
            f"sensitive.{name}: the scores have a column of that name; choose another"
            for name in sorted(set(self.sensitive) & RESERVED)
        ]
        if self.training.mitigation.attribute not in self.sensitive:
            faults.append("training.mitigation.attribute is not among `sensitive`")
        if any(f.source == self.target.column for f in self.features.columns.values()):
            faults.append(f"features.columns: {self.target.column} is the target")
        if faults:
            raise ValueError("; ".join(faults))
        return self
