"""Columns that came, went or changed their kind."""

import pytest

from perennial.core.drift.schema import Kinds, changes

KNOWN: Kinds = {"age": "number", "job": "text"}


@pytest.mark.parametrize(
    ("reference", "newest", "expected"),
    [
        ([KNOWN], [KNOWN], []),
        ([KNOWN], [KNOWN | {"city": "text"}], [("city", "new")]),
        ([KNOWN], [{"age": "number"}], [("job", "vanished")]),
        ([KNOWN], [KNOWN | {"age": "text"}], [("age", "kind")]),
        ([KNOWN], [KNOWN, KNOWN | {"age": "text"}], [("age", "kind")]),
        ([KNOWN], [KNOWN, {"age": "number"}], [("job", "in part")]),
        ([KNOWN, {"age": "number"}], [KNOWN], [("job", "in part")]),
    ],
)
def test_a_column_is_named_with_what_happened_to_it(
    reference: list[Kinds], newest: list[Kinds], expected: list[tuple[str, str]]
) -> None:
    """Also where only some of the batches have it, or have it so."""
    assert [(one.column, one.change) for one in changes(reference, newest, {"age"})] == expected


def test_columns_that_the_model_uses_come_first() -> None:
    """They are what somebody has to look at."""
    found = changes([{"a": "number", "z": "number"}], [{"a": "text", "z": "text"}], {"z"})
    assert [(one.column, one.used) for one in found] == [("z", True), ("a", False)]
