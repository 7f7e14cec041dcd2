"""Examples of rows are of the right kind, and nobody's."""

import numpy as np
import pandas as pd
import pytest

from perennial.core.examples import typical

RAW = pd.DataFrame(
    {
        "age": [20, 31, 42, 53, 64],
        "balance": [1.5, np.nan, -3.25, 1e9, 7.125],
        "job": ["a", "b", "b", "only one has this", None],
        "when": pd.to_datetime([f"2024-01-0{day}" for day in range(1, 6)]),
        "kind": pd.Categorical(["x", "x", "y", "y", "z"]),
        "asked": [True, False, True, True, False],
        "name": [f"person {n}" for n in range(5)],
        "empty": [None] * 5,
    }
)


def test_columns_and_types_stay_as_they_are() -> None:
    made = typical(RAW, 3)
    assert list(made) == list(RAW)
    assert len(made) == 3
    same = ["age", "balance", "job", "when", "kind", "asked", "name"]
    assert made[same].dtypes.to_dict() == RAW[same].dtypes.to_dict()
    assert typical(RAW, 3).equals(made)


def test_numbers_are_quantiles_and_texts_what_more_than_one_row_has() -> None:
    made = typical(RAW, 3)
    assert made["age"].tolist() == [31, 42, 53]
    assert set(made["job"]) == {"b"}
    assert set(made["kind"]) == {"x", "y"}
    assert made["name"].isna().all(), "what is one person's alone is left out"
    assert made["empty"].isna().all()


@pytest.mark.parametrize("rows", [0, 1])
def test_batches_with_next_to_nothing_have_an_example_too(rows: int) -> None:
    assert len(typical(RAW.head(rows), 3)) == 3
