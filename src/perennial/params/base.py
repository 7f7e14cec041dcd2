"""What the groups of params.yaml are made of: the types of their values, and their base."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from perennial import names

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # searched on a log scale
UpToOne = Annotated[float, Field(gt=0, le=1)]
OnInsufficient = Literal["block", "tolerate"]


class Group(BaseModel):
    """A group of params.yaml."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        populate_by_name=True,
        defer_build=True,  # so that each group is built once, as a part of Params
    )


def _named(text: str) -> str:
    if found := names.fault(text):
        raise ValueError(f"{text!r} {found}")
    return text


def _below(text: str) -> str:
    if found := names.path_fault(text):
        raise ValueError(f"{text!r} {found}; a folder below the project's is meant")
    return text


Period = Annotated[str, Field(pattern=rf"^{names.WORD.pattern}$")]
Name = Annotated[str, AfterValidator(_named)]  # becomes a file's, or a column's beside others
Below = Annotated[str, AfterValidator(_below)]  # a path that stays in the project
