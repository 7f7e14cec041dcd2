"""params.yaml as frozen, strict models, group by group: no defaults, no extra keys.

`adapters/files/configuration.py` reads the file into them.
"""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from perennial.params.base import (
    Below,
    Finite,
    Group,
    Name,
    NotNegative,
    Period,
    Positive,
    Share,
    UpToOne,
)
from perennial.params.drift import Monitor, Policy, Replay
from perennial.params.engine import Engine
from perennial.params.gates import Gates
from perennial.params.privacy import Registry
from perennial.params.privacy import faults as pii_faults
from perennial.params.search import Search
from perennial.params.slices import Slices

# Columns that stand beside the groups in the tables between stages.
RESERVED = {"period", "row", "target", "key", "probability", "decision", "prior", "logistic"}
RESERVED |= {"default", "unmitigated", "logistic_decision", "default_decision"}
RESERVED |= {"unmitigated_decision", "without_largest"}
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.json$")]


class Labels(Group):
    """Where labels are that come later than the rows, and how they are joined to them."""

    folder: Below
    key: Annotated[str, Field(min_length=1)]
    min_share: UpToOne


class Data(Group):
    as_of: Period
    labels: Labels | None
    pii: list[Annotated[str, Field(min_length=1)]]
    subject: Annotated[str, Field(min_length=1)] | None


class Target(Group):
    column: str
    positive: str | int | bool


class Validation(Group):
    suite: FileName
    on_failure: Literal["quarantine", "stop"]
    largest: Annotated[float, Field(gt=1, allow_inf_nan=False)]


class History(Group):
    """How much of the past a split by time trains on."""

    kind: Literal["all", "periods", "rows", "chosen"]
    last: Positive | None

    @model_validator(mode="after")
    def _last_goes_with_a_number(self) -> "History":
        if (self.kind in ("periods", "rows")) != (self.last is not None):
            raise ValueError("`last` is a number exactly when `kind` is periods or rows")
        return self


class Split(Group):
    kind: Literal["time", "stratified", "group"]
    key: str | None
    calibration_rows: Positive
    holdout_rows: Positive
    history: History

    @model_validator(mode="after")
    def _history_needs_time(self) -> "Split":
        if self.kind != "time" and self.history.kind != "all":
            raise ValueError("`history` other than all needs `kind: time`")
        return self

    @model_validator(mode="after")
    def _key_goes_with_group(self) -> "Split":
        if (self.kind == "group") != (self.key is not None):
            raise ValueError("`key` names a column exactly when `kind` is group")
        return self


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
    columns: Annotated[dict[Name, Feature], Field(min_length=1)]
    drop: dict[str, str]

    @model_validator(mode="after")
    def _dropped_is_not_used(self) -> "Features":
        both = sorted({f.source for f in self.columns.values()} & set(self.drop))
        if both:
            raise ValueError(f"{', '.join(both)}: named in `drop` and used in `columns`; keep one")
        return self


class Utility(Group):
    true_positive: Finite
    false_positive: Finite
    false_negative: Finite
    true_negative: Finite


class Mitigation(Group):
    method: Literal["none", "reweighing", "exponentiated_gradient", "thresholds"]
    attribute: str | None
    constraint: Literal[
        "true_positive_rate_parity", "false_positive_rate_parity", "demographic_parity"
    ]
    permission: str | None

    @model_validator(mode="after")
    def _a_method_needs_an_attribute(self) -> "Mitigation":
        if self.method != "none" and self.attribute is None:
            raise ValueError(f"`{self.method}` needs the `attribute` that it is for")
        return self

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
    slices: Slices


class Explanation(Group):
    rows: Positive
    waterfalls: Positive
    proxy_auc: Annotated[float, Field(gt=0.5, lt=1)]


class Change(Group):
    """A change of one raw column, and what it must do to the probability."""

    column: str
    to: Finite | int | str | None = None
    add: Finite | int | None = None
    multiply: Finite | int | None = None
    expect: Literal["unchanged", "not_higher", "not_lower"]
    why: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _changes_one_way(self) -> "Change":
        ways = [self.add is not None, self.multiply is not None, "to" in self.model_fields_set]
        if sum(ways) != 1:
            raise ValueError("say one of `to`, `add` and `multiply`")
        return self


class Behaviour(Group):
    rows: Positive
    tolerance: NotNegative
    changes: dict[Name, Change]
    monotone: dict[str, Literal["increasing", "decreasing"]]


class Fairness(Group):
    attributes: list[str]
    intersections: bool
    min_group: Positive


class Params(Group):
    """All of params.yaml."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    data: Data
    target: Target
    validation: Validation
    split: Split
    monitor: Monitor
    policy: Policy
    sensitive: dict[Name, Sensitive]
    features: Features
    search: Search
    training: Training
    engine: Engine
    evaluation: Evaluation
    explanation: Explanation
    behaviour: Behaviour
    fairness: Fairness
    gates: Gates
    replay: Replay
    registry: Registry

    @model_validator(mode="after")
    def _groups_agree(self) -> "Params":
        columns = self.features.columns
        numbers = {name for name, feature in columns.items() if feature.kind != "category"}
        faults = [
            f"fairness.attributes: {name} is not among `sensitive`"
            for name in self.fairness.attributes
            if name not in self.sensitive
        ]
        faults += [
            f"sensitive.{name}: the scores have a column of that name; choose another"
            for name in sorted(set(self.sensitive) & RESERVED)
        ]
        by_rows = self.engine.training == "rows"
        if by_rows and self.training.mitigation.method == "exponentiated_gradient":
            faults.append(
                "engine.training: `rows` and exponentiated_gradient, which fits on all rows at "
                "once, can't be had together; choose `members`, reweighing or thresholds"
            )
        mitigated = self.training.mitigation.attribute
        if mitigated is not None and mitigated not in self.sensitive:
            faults.append("training.mitigation.attribute is not among `sensitive`")
        faults += [
            f"behaviour.monotone.{name}: not a feature that is a number"
            for name in self.behaviour.monotone
            if name not in numbers
        ]
        faults += pii_faults(self.data.pii, self._used())
        faults += self.evaluation.slices.faults(numbers, {*columns, *self.sensitive})
        if self.data.labels is not None and self.data.labels.key == self.target.column:
            faults.append(f"data.labels.key: {self.target.column} is the target")
        if any(f.source == self.target.column for f in columns.values()):
            faults.append(f"features.columns: {self.target.column} is the target")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _used(self) -> dict[str, str]:
        """Return which raw column each key names that uses its values."""
        used = {"target.column": self.target.column}
        used |= {f"features.columns.{n}.from": f.source for n, f in self.features.columns.items()}
        used |= {f"sensitive.{n}.from": s.source for n, s in self.sensitive.items()}
        changes = self.behaviour.changes.items()
        return used | {f"behaviour.changes.{n}.column": c.column for n, c in changes}
