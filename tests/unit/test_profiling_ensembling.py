"""What `init` writes for a search: as many fits as are worth having, within the gate's bound."""

import pytest

from perennial.core.profiling import ensembling


@pytest.mark.parametrize(("rows", "members", "rounds"), [(50_000, 10, 400), (50_001, 4, 1000)])
def test_many_rows_get_fewer_members_of_more_rounds_at_the_same_cost(
    rows: int, members: int, rounds: int
) -> None:
    found = ensembling.search(rows)
    assert (found["ensemble"], found["max_rounds"]) == (members, rounds)
    assert found["max_rows"] == 50_000
    assert ensembling.cost(rows) == members * rounds / 100 == 40
