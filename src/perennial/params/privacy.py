"""Columns that say who somebody is: named under `data.pii`, used by nothing else."""

from collections.abc import Collection, Iterator, Mapping


def faults(pii: Collection[str], uses: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the columns named under `data.pii`.

    Args:
        pii: The columns.
        uses: Which raw column each other key of params.yaml names.
    """
    for column in sorted({name for name in pii if list(pii).count(name) > 1}):
        yield f"data.pii: {column} is there twice"
    for key, column in uses.items():
        if column in pii:
            yield f"{key}: {column} is also in data.pii, and such a column is never used; keep one"
