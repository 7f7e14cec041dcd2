"""The group `search`: what is searched, how long, and how what is good is put together."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from perennial.params.base import AboveZero, Group, Positive, Share, UpToOne

Kind = Literal["depthwise", "leafwise", "onehot"]


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
    max_rows: Positive
    kinds: Annotated[list[Kind], Field(min_length=1)]
    ensemble: Positive
    composed: Literal["best", "greedy"]
    simpler_within_errors: Annotated[float, Field(ge=0)]
    space: Space

    @model_validator(mode="after")
    def _a_kind_is_named_once(self) -> "Search":
        if len(set(self.kinds)) < len(self.kinds):
            raise ValueError("`kinds` names one twice")
        return self
