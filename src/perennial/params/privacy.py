"""Whom to trust, and whom not to name: public keys, and columns that say who somebody is."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from pydantic import Field

PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]  # 32 bytes of Ed25519, Base64


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
