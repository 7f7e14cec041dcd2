"""The group `engine`: where batches are derived, and where search and training fit."""

from typing import Literal

from pydantic import model_validator

from perennial.params.base import Group


class Engine(Group):
    """Where fits run."""

    kind: Literal["local", "dask"]
    device: Literal["cpu", "cuda"]
    training: Literal["members", "rows"]

    @model_validator(mode="after")
    def _rows_are_shared_by_workers(self) -> "Engine":
        if self.training == "rows" and self.kind != "dask":
            raise ValueError("`training: rows` shares rows among the workers of `kind: dask`")
        return self
