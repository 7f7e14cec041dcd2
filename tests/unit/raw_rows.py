"""Raw rows of a number and a category, whatever may be in them, for the tests of features."""

import pandas as pd
from hypothesis import strategies as st

from .planted import feature, features

Rows = list[tuple[float | None, str | None]]
NUMBERS = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 5).map(float)
ROWS = st.lists(st.tuples(NUMBERS, st.none() | st.sampled_from("abcde")), min_size=1, max_size=12)
MIXED = features(
    2,
    n=feature("number", "x", missing=-1),
    s=feature("signed_log", "x"),
    c=feature("category", "k", missing="a"),
)


def frame(rows: Rows) -> pd.DataFrame:
    numbers = pd.Series([n for n, _ in rows], dtype="float64")
    return pd.DataFrame({"x": numbers, "k": pd.Series([k for _, k in rows], dtype=object)})
