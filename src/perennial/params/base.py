"""What the groups of params.yaml are made of: the types of their values, and their base."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[int, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # searched on a log scale
UpToOne = Annotated[float, Field(gt=0, le=1)]
OnInsufficient = Literal["block", "tolerate"]


class Group(BaseModel):
    """A group of params.yaml."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


Period = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
