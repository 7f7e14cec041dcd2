"""A block of params.yaml: a key with its value and why, as lines to put in."""

import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ ./+-]*[A-Za-z0-9_+]|[A-Za-z_]")
# what YAML 1.1 or 1.2 reads as something else than text
WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n", "none"}
WIDTH = 98


@dataclass(frozen=True)
class Block:
    """Lines that take the place of a key with its comment and value.

    With `header`, only of a group's own line and what is said beside it: its keys stay.
    """

    keys: tuple[str, ...]
    lines: tuple[str, ...]
    header: bool = False


def scalar(value: Any) -> str:
    """Return a value as YAML has it, in flow style, on one line."""
    if isinstance(value, str):
        return value if PLAIN.fullmatch(value) and value.lower() not in WORDS else quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(k)}: {scalar(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, float) and not isinstance(value, bool):
        text = f"{value:.15g}"
        return text if re.search(r"[.e]", text) else f"{text}.0"
    return json.dumps(value)


def quoted(text: str) -> str:
    """Return a text in double quotes, on one line, with nothing that YAML may not hold."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in plain)


def said(value: Any, why: str, *keys: str) -> Block:
    """Return a key with its value, and why above it."""
    lines = textwrap.wrap(" ".join(why.split()), WIDTH - 2 * len(keys))
    return Block(keys, (*(f"# {line}" for line in lines), f"{scalar(keys[-1])}: {scalar(value)}"))
