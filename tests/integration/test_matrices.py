"""Matrices come back as they were, and errors say every fault."""

from pathlib import Path

import numpy as np
import pandas as pd
from tests.integration.folders import inside

from perennial.adapters.parquet import matrices
from perennial.errors import PerennialError


def test_a_part_comes_back_with_its_types_and_order(tmp_path: Path) -> None:
    features = pd.DataFrame(
        {
            "x": [1.5, np.nan, -2.0],
            "c": pd.Categorical(["b", None, "a"], categories=["a", "b", "(other)"]),
        },
        index=[7, 3, 5],
    )
    rows = pd.DataFrame(
        {"period": "2020-01", "row": [0, 1, 2], "target": [1, 0, 1], "g": ["a", "(missing)", "b"]},
        index=features.index,
    )
    for folder in ("first", "second"):
        matrices.write_part(tmp_path / folder, "train", features, rows)
    for name in inside(tmp_path / "first"):
        first, second = ((tmp_path / f / name).read_bytes() for f in ("first", "second"))
        assert first == second
    part = matrices.read_part(tmp_path / "first", "train")
    pd.testing.assert_frame_equal(part.features, features.reset_index(drop=True))
    assert part.target.tolist() == [1, 0, 1]
    assert part.groups.to_dict("list") == {"g": ["a", "(missing)", "b"]}
    assert matrices.read_target(tmp_path / "first", "train").tolist() == [1, 0, 1]


def test_an_error_says_every_fault_and_what_to_do() -> None:
    error = PerennialError(["one", "two"], "Do this.")
    assert str(error) == "one\ntwo\n→ Do this."
    assert PerennialError("one", "Do this.").faults == ["one"]
