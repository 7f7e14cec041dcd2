"""Whom to trust, and whom not to name: public keys, and columns that say who somebody is."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, model_validator

from perennial.names import REFERENCE
from perennial.params.base import Group, Period

SECRETS = re.compile(r"pass|pwd|secret|token|key|credential|signature|^sig$", re.IGNORECASE)
PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]  # 32 bytes of Ed25519, Base64


def secret_in(address: str | None) -> str | None:
    """Return where an address holds a secret, without repeating it; None if it holds none.

    `${NAME}` is none: it stands for what the environment has.
    """
    parts = urlsplit(address or "")
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    web = parts.scheme in ("http", "https")
    if password and not REFERENCE.fullmatch(password):
        return "holds a password"
    if web and user and not REFERENCE.fullmatch(user):
        return "holds a user or token"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if SECRETS.search(name) and not REFERENCE.fullmatch(value):
            return f"holds a secret, its parameter {name}"
    return None


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


class Registry(Group):
    model: Period  # a word of the same kind
    uri: str | None
    public_keys: list[PublicKey]

    @model_validator(mode="after")
    def _no_secret(self) -> "Registry":
        if found := secret_in(self.uri):
            raise ValueError(f"`uri` {found}, and params.yaml goes into Git: write ${{NAME}} there")
        return self
